"""Tagging schemes, and what tags in them say: whole columns of tags to IOB2.

Every scheme is read by one rule, that of `conlleval`: an entity begins at `B-` or `S-`, and at any other tag that
does not go on with one of its own type. So IOB1, IO, BIOES, BILOU and BMES all give the entities they mean.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

POS_SHAPE = "part-of-speech tags"
POS, TYPES = "parts of speech", "types"  # values of details["scheme"], beside the schemes with prefixes
BARE = "ENTITY"  # the type of a `B` or `I` that names none

_PREFIXED = re.compile(r"([BIMESLU])(?:[-_:](.+))?")
_NONE, _BEGIN, _INSIDE, _END, _SINGLE = range(5)
_READ = {"B": _BEGIN, "I": _INSIDE, "M": _INSIDE, "E": _END, "L": _END, "S": _SINGLE, "U": _SINGLE}
_OUTSIDE = {"O", "o", "0"}
CHUNKS = {"NP", "VP", "PP", "ADVP", "ADJP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP"}
_UNIVERSAL = "ADJ ADP ADV AUX CCONJ CONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X . PRT"
_PENN = "CC CD DT EX FW IN JJ JJR JJS LS MD NN NNS NNP NNPS PDT POS PRP PRP$ RB RBR RBS RP TO UH"
_PENN_VERBS = "VB VBD VBG VBN VBP VBZ WDT WP WP$ WRB , : `` '' ( ) -LRB- -RRB- HYPH NFP $ # SYM"
PARTS_OF_SPEECH = {*_UNIVERSAL.split(), *_PENN.split(), *_PENN_VERBS.split()}


@dataclass(frozen=True)
class Tags:
    """What each of some different tags says."""

    prefixes: np.ndarray  # uint8
    types: np.ndarray  # int64, places in `names`; -1 for none
    names: list[str]
    known: np.ndarray  # bool: whether the scheme has such a tag


def read(tags: Sequence[str | None], scheme: str) -> Tags:
    """What different tags say in a scheme; of parts of speech only whether there are any."""
    parts = [_parts(tag, scheme) for tag in tags]
    names = sorted({kind for _, kind in filter(None, parts) if kind})
    place = {name: i for i, name in enumerate(names)}
    return Tags(
        prefixes=np.array([part[0] if part else _NONE for part in parts], np.uint8),
        types=np.array([place.get(part[1], -1) if part else -1 for part in parts], np.int64),
        names=names,
        known=np.array([part is not None for part in parts], bool),
    )


@dataclass(frozen=True)
class Places:
    """Per word: whether an entity begins or goes on there, and of which type."""

    begins: np.ndarray
    goes_on: np.ndarray
    types: np.ndarray
    odd: np.ndarray  # an entity begins there, though its tag says it goes on


def places(tags: Tags, codes: np.ndarray, starts: np.ndarray) -> Places:
    """Where entities begin and go on.

    Args:
        tags: what the different tags say.
        codes: per word, which of them it has.
        starts: where each sentence begins among the words, and the end of the last.
    """
    prefixes, types = tags.prefixes[codes], tags.types[codes]
    before, type_before = np.roll(prefixes, 1), np.roll(types, 1)
    first = starts[:-1][starts[:-1] < len(codes)]
    before[first] = _NONE
    alone = (before == _NONE) | (before == _END) | (before == _SINGLE) | (type_before != types)
    odd = ((prefixes == _INSIDE) | (prefixes == _END)) & alone
    begins = (prefixes == _BEGIN) | (prefixes == _SINGLE) | odd
    return Places(begins, (prefixes != _NONE) & ~begins, types, odd)


def find(sentences: Iterable[Sequence[str]]) -> str | None:
    """The scheme of some sentences' tags; None where they look like no tags at all."""
    sentences = [[str(tag) for tag in tags if tag is not None] for tags in sentences]
    counted = Counter(tag for tags in sentences for tag in tags)
    different = [tag for tag in counted if tag not in _OUTSIDE]
    if not different:
        return "IOB2" if counted else None
    prefixed = [tag for tag in different if _PREFIXED.fullmatch(tag)]
    known = sum(tag in PARTS_OF_SPEECH for tag in different)
    inside = sum(counted[tag] for tag in different)
    if sum(counted[tag] for tag in prefixed) * 2 > inside and known * 2 < len(different):
        return _prefixed(sentences, {tag[0] for tag in prefixed})
    outside = sum(counted[tag] for tag in _OUTSIDE)
    if outside and outside >= max(counted[tag] for tag in different) and known * 2 < len(different):
        return TYPES
    total = sum(counted.values())
    return POS if known * 2 >= len(different) or len(different) * 3 <= total else None


def is_chunking(tags: Iterable[str]) -> bool:
    """Whether the types are phrases: a step on the way, not what is wanted of the data."""
    types = {match[2] for match in map(_PREFIXED.fullmatch, tags) if match and match[2]}
    return bool(types) and types <= CHUNKS


def _prefixed(sentences: Sequence[Sequence[str]], letters: set[str]) -> str:
    if letters & set("LU"):
        return "BILOU"
    if letters & set("M"):
        return "BMES"
    if letters & set("ES"):
        return "BIOES"
    if "B" not in letters:
        return "IO"
    begun = Counter(prefix for tags in sentences for prefix in _beginnings(tags))
    return "IOB1" if begun["I"] > begun["B"] else "IOB2"


def _beginnings(tags: Sequence[str]) -> list[str]:
    """The prefixes of what begins after something else."""
    kinds = [tag[2:] if _PREFIXED.fullmatch(tag) else None for tag in tags]
    pairs = zip([None, *kinds], kinds, tags, strict=False)
    return [tag[0] for before, kind, tag in pairs if kind is not None and kind != before]


def _parts(tag: str | None, scheme: str) -> tuple[int, str] | None:
    if tag in _OUTSIDE or (tag and scheme == POS):
        return _NONE, ""
    if not tag:
        return None
    if scheme == TYPES:
        return _INSIDE, tag
    match = _PREFIXED.fullmatch(tag)
    return (_READ[match[1]], (match[2] or BARE).strip()) if match else None
