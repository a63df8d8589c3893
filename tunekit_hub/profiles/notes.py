"""How rows worth a word are noted: by count, and by the lines of the first of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunekit_hub.records import Note

if TYPE_CHECKING:
    import numpy as np

_LINES = 20


def note(code: str, message: str, lines: Sequence[int] | np.ndarray) -> Note:
    """A note on the rows that stand on these lines."""
    return Note(code=code, message=message, count=len(lines), lines=tuple(int(line) for line in lines[:_LINES]))
