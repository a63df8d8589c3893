"""Entities in tag sequences, and which of them were found.

What an entity is follows `conlleval` of CoNLL-2000, as seqeval does by default: `B-X` begins one; `I-X` goes on
with one of its own type and begins one anywhere else, so that a missing `B-` loses nothing. An entity counts as
found only where type, first and last word are right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

OUTSIDE = "O"
_BEGINS = ("B", "S", "U")  # S and U: an entity of one word, in BIOES and BILOU
_ENDS = ("E", "L", "S", "U")


class Entity(NamedTuple):
    """Words `first` to `last`, both of them in it."""

    type: str
    first: int
    last: int


def entities(tags: Sequence[str]) -> list[Entity]:
    """The entities of one sentence, in order; tags in IOB2, IOB1, BIOES or BILOU."""
    found: list[Entity] = []
    first, open_type = 0, None
    for place, tag in enumerate([*tags, OUTSIDE]):
        prefix, kind = _parts(tag)
        if open_type is not None and (kind != open_type or prefix in _BEGINS):
            found.append(Entity(open_type, first, place - 1))
            open_type = None
        if kind is not None and open_type is None:
            first, open_type = place, kind
        if open_type is not None and prefix in _ENDS:
            found.append(Entity(open_type, first, place))
            open_type = None
    return found


def are_entity_tags(tags: Iterable[str]) -> bool:
    """Whether these are IOB2 tags of entities; part-of-speech tags are not."""
    return all(tag == OUTSIDE or (tag[:2] in ("B-", "I-") and len(tag) > 2) for tag in tags)


def _parts(tag: str) -> tuple[str, str | None]:
    """Prefix and type; no type outside. A bare `B` or `I` has the type `_`, as seqeval names it."""
    if tag == OUTSIDE:
        return OUTSIDE, None
    prefix, _, kind = tag.partition("-")
    return prefix, kind or "_"
