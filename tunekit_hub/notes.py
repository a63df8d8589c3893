"""How rows worth a word are noted: by count, and by the lines of the first of them."""

from __future__ import annotations

from collections.abc import Sequence

from tunekit_hub.records import Note

_LINES = 20


def note(code: str, message: str, lines: Sequence[int]) -> Note:
    """A note on the rows that stand on these lines."""
    return Note(code=code, message=message, count=len(lines), lines=tuple(lines[:_LINES]))
