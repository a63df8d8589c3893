"""What a tuned model says of a text that somebody has just written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

Turns = Sequence[dict[str, str]]  # `role` and `content`, as in a chat; the last one is the user's


class Marked(NamedTuple):
    """Words that a tagger marks: `text[start:end]`, counted in characters."""

    start: int
    end: int
    label: str
    score: float


class Reply(NamedTuple):
    """A chat model's answer, a classifier's scores, likeliest first, or a tagger's marks; the others are empty."""

    text: str = ""
    stopped: bool = True  # False: the answer was cut off at the most tokens it may have
    scores: tuple[tuple[str, float], ...] = ()
    chosen: tuple[str, ...] = ()  # the labels that a classifier gives: one, or of several those above one half
    marks: tuple[Marked, ...] = ()


Ask = Callable[[Turns], Reply]
