"""Rows of the encoder tasks, in the form that training and scoring share."""

from __future__ import annotations

from typing import NamedTuple


class Labelled(NamedTuple):
    """A text and its labels: one for single-label data, any number for multi-label data."""

    text: str
    labels: tuple[str, ...]


class Tagged(NamedTuple):
    """A sentence: words, and one tag for each.

    Entities are tagged in IOB2 (`B-TYPE` begins one, `I-TYPE` goes on, `O` is none), whatever scheme the data came
    in. Part-of-speech tags stand as they are.
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
