"""Which columns hold the words of sentences and their tags: by what they hold, then by their names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.errors import DataError
from tunekit_hub.tasks import Match, _schemes
from tunekit_hub.tasks._columns import class_names, is_list, is_scalar, name_words, same
from tunekit_hub.tasks._literal import read_list
from tunekit_hub.tasks._schemes import PARTS_OF_SPEECH, POS, POS_SHAPE, TYPES
from tunekit_hub.text import quote

if TYPE_CHECKING:
    from tunekit_hub.data import Rows

LISTS, WORDS = "lists as text", "words"  # values of details["tokens"] and details["tags"]
_SENTENCES = 2000  # to judge by, evenly spaced
_TOKENS = ("tokens", "token", "words", "word", "sentence", "sentences", "text", "form", "forms")
_CERTAIN = ("tokens", "token", "words", "word", "form", "forms")
_ENTITY_WORDS = {"ner", "entity", "entities", "ne"}
_OTHER_WORDS = {"pos", "upos", "xpos", "chunk", "chunks", "postags"}
_NO_TAGS = {"lemma", "lemmas", "deprel", "head", "heads", "feats", "deps", "misc", "id", "ids", "idx"}


@dataclass(frozen=True)
class Lists:
    """A column of lists, as they are in the sample; how they are written, where that is as text."""

    name: str
    values: list[list[Any]]
    written: str = ""


@dataclass(frozen=True)
class Candidate:
    """A column that could hold the tags."""

    lists: Lists
    scheme: str
    names: list[str] | None  # of numbers
    named: bool  # the file says what the numbers mean

    @property
    def rank(self) -> tuple[int, int]:
        """The lower, the more it looks like what is wanted: entities before phrases before parts of speech."""
        words = set(name_words(self.lists.name))
        by_name = 0 if words & _ENTITY_WORDS else 2 if words & _OTHER_WORDS else 1
        tags = {str(tag) for tags in self.lists.values for tag in tags}
        by_kind = 2 if self.scheme == POS else 1 if _schemes.is_chunking(tags) else 0
        return (by_name, by_kind) if by_name != 1 or by_kind == 0 else (1 + by_kind, by_kind)

    @property
    def what(self) -> str:
        """In words."""
        if self.scheme == POS:
            return "parts of speech"
        return "entity types" if self.scheme == TYPES else f"{self.scheme} tags"


def find_tags(rows: Rows, mapped: Mapping[str, str]) -> Match | None:
    """The columns of words and of tags.

    Raises:
        DataError: several columns of tags are equally likely, or the mapped one holds none.
    """
    if not set(mapped) <= {"tokens", "tags"}:
        return None
    table = _sample(rows.table)
    lists = [one for one in (_lists(table, name) for name in table.column_names) if one]
    tokens = _tokens(lists, mapped)
    if tokens is None:
        return None
    found = [
        candidate
        for one in lists
        if one.name != tokens.name
        and one.name == mapped.get("tags", one.name)
        and _as_long(tokens, one, "tags" in mapped)
        for candidate in [_candidate(rows, one, one.name in mapped.values())]
        if candidate and (candidate.scheme != POS or one.name in mapped.values() or _are_parts(tokens, candidate))
    ]
    if not found:
        return None
    found.sort(key=lambda one: one.rank)
    first = found[0]
    level = [one for one in found if one.rank == first.rank]
    if len(level) > 1:
        first = _usual(level)
    why = f"column `{first.lists.name}` holds {first.what} of the words in `{tokens.name}`"
    others = [f"`{one.lists.name}`: {one.what}" for one in found if one is not first]
    columns = {"tokens": tokens.name, "tags": first.lists.name}
    shape = POS_SHAPE if first.scheme == POS else f"{first.scheme} tags"
    return Match(shape, columns, why + (f" ({', '.join(others)})" if others else ""), _details(tokens, first))


def _details(tokens: Lists, tags: Candidate) -> dict[str, str]:
    details = {"scheme": tags.scheme}
    if tags.names is not None:
        details["names"] = json.dumps(tags.names, ensure_ascii=False)
        if not tags.named:
            details["named"] = "no"
    for role, one in (("tokens", tokens), ("tags", tags.lists)):
        if one.written:
            details[role] = one.written
    return details


def _sample(table: pa.Table) -> pa.Table:
    if table.num_rows <= _SENTENCES:
        return table
    return table.take(pa.array([i * table.num_rows // _SENTENCES for i in range(_SENTENCES)]))


def _lists(table: pa.Table, name: str) -> Lists | None:
    """The lists of text or numbers in a column, if it holds any."""
    column = table.column(name)
    if is_list(column.type):
        if not is_scalar(column.type.value_type):
            return None
        return Lists(name, [value or [] for value in column.to_pylist()])
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None
    texts = [value or "" for value in column.to_pylist()]
    filled = [text for text in texts if text.strip()]
    if filled and sum(text.lstrip().startswith("[") for text in filled) * 10 >= 9 * len(filled):
        lists = [read_list(text) or [] for text in texts]
        if any(isinstance(item, list | dict) for items in lists for item in items):
            return None
        return Lists(name, lists, LISTS) if sum(map(bool, lists)) * 10 >= 9 * len(filled) else None
    return Lists(name, [text.split() for text in texts], WORDS)


def _tokens(lists: Sequence[Lists], mapped: Mapping[str, str]) -> Lists | None:
    """Lists of text with more different words than any other; by name first."""
    if "tokens" in mapped:
        return next((one for one in lists if one.name == mapped["tokens"]), None)
    fit = [one for one in lists if one.name not in mapped.values() and _texts(one)]
    real = [one for one in fit if one.written != WORDS] or fit
    called = [one for name in _TOKENS for one in real if same(one.name) == name]
    return called[0] if called else max(real, key=_different, default=None)


def _texts(one: Lists) -> bool:
    return any(isinstance(item, str) for items in one.values for item in items)


def _different(one: Lists) -> int:
    return len({item for items in one.values for item in items})


def _as_long(tokens: Lists, tags: Lists, mapped: bool) -> bool:
    """Most sentences have a tag for each word. Where words are a text nearly all must, as much text has words."""
    pairs = [(len(a), len(b)) for a, b in zip(tokens.values, tags.values, strict=True) if a or b]
    equal = sum(a == b for a, b in pairs)
    if mapped:
        return equal > 0
    # One word beside one word is a text and its label, or two things that every row has one of.
    many = sum(b for _, b in pairs) > 1.2 * len(pairs)
    return many and equal > (0.95 if tags.written == WORDS else 0.6) * len(pairs)


def _candidate(rows: Rows, one: Lists, mapped: bool) -> Candidate | None:
    """What kind of tags these are, if they are tags."""
    if not mapped and set(name_words(one.name)) & _NO_TAGS:
        return None
    names, named = None, False
    values: list[list[Any]] = one.values
    if any(isinstance(item, int) and not isinstance(item, bool) for items in values for item in items):
        names = class_names(rows.table, one.name)
        named = names is not None
        names = names or _names_of_numbers(rows, one)
        values = [[_name(item, names) for item in items] for items in values]
    elif any(isinstance(item, float) for items in values for item in items):
        return None
    scheme = _schemes.find(values)
    if scheme is None and any(values) and (mapped or set(name_words(one.name)) & _OTHER_WORDS):
        scheme = POS
    if scheme is None or (one.written == WORDS and scheme in (TYPES, POS) and not mapped and not _plain_tags(one)):
        return None
    return Candidate(Lists(one.name, values, one.written), scheme, names, named)


def _are_parts(tokens: Lists, tags: Candidate) -> bool:
    """Whether lists that could be parts of speech are: by the tags, by their name, or by that of the words."""
    known = {str(tag) in PARTS_OF_SPEECH for tags in tags.lists.values for tag in tags}
    called = set(name_words(tags.lists.name)) & _OTHER_WORDS or same(tokens.name) in _CERTAIN
    return bool(called) or known == {True}


def _plain_tags(one: Lists) -> bool:
    """Whether words in a text are tags and not the words of a sentence: few of them, and no other."""
    return _different(one) <= 60 and all(str(item).upper() == str(item) for items in one.values for item in items)


def _name(item: Any, names: Sequence[str]) -> str:
    return names[item] if isinstance(item, int) and 0 <= item < len(names) else str(item)


def _names_of_numbers(rows: Rows, one: Lists) -> list[str]:
    """Names for numbers that nothing names.

    Where 0 is the most frequent number it is no entity. If besides every even number goes on with itself or with
    the odd one below it, they are numbered as the Hub's datasets are: 1 begins an entity of type `1`, 2 goes on
    with it, 3 begins one of type `2`, and so on. Else each number is a type. Without a frequent 0 the numbers are
    tags as they are.
    """
    counted: dict[int, int] = {}
    paired = True
    for items in one.values:
        before = 0
        for item in [item for item in items if isinstance(item, int)]:
            counted[item] = counted.get(item, 0) + 1
            paired &= item % 2 == 1 or item in (0, before) or item == before + 1
            before = item
    highest = _highest(rows.table.column(one.name))
    if counted.get(0, 0) < max(counted.values()) or min(counted) < 0 or highest > 10_000:
        return [str(number) for number in range(min(highest, 10_000) + 1)]
    if paired and any(number % 2 == 0 for number in counted if number):
        return ["O", *(f"{'BI'[(number + 1) % 2]}-{(number + 1) // 2}" for number in range(1, highest + 1))]
    return ["O", *(str(number) for number in range(1, highest + 1))]


def _highest(column: pa.ChunkedArray) -> int:
    """The highest number in lists of numbers, or in lists that are text."""
    if is_list(column.type):
        return pc.max(pc.list_flatten(column)).as_py()
    digits = pc.list_flatten(pc.split_pattern_regex(column, r"[^0-9]+"))
    return pc.max(digits.filter(pc.not_equal(digits, "")).cast(pa.int64())).as_py()


def _usual(level: Sequence[Candidate]) -> Candidate:
    """The one with the plainest name."""
    for name in ("ner_tags", "ner", "tags", "labels", "upos", "pos", "pos_tags"):
        for one in level:
            if same(one.lists.name) == name:
                return one
    names = [one.lists.name for one in level]
    raise DataError(
        f"the tags could be in any of the columns {quote(names)}", f"say which: `--column tags={names[0]}`"
    )
