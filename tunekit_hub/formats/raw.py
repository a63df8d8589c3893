"""What the readers share: rows with lines, what is set aside, and one way to name what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tunekit_hub.errors import DataError
from tunekit_hub.profiles.notes import note
from tunekit_hub.records import Note
from tunekit_hub.text import SHOWN_LINES

BATCH = 16_384  # rows that are Python objects at the same time; the others are Arrow
_MOST_WRONG = 0.05


@dataclass(frozen=True)
class Parsed:
    """A table, the line (or number) of each row, and what was noticed on the way."""

    table: pa.Table
    lines: Sequence[int]
    notes: tuple[Note, ...] = ()


Wrong = list[tuple[int, str]]  # a line, and what is wrong with it


def set_aside(name: str, wrong: Wrong, good: int, summary: str, hint: str, unit: str = "line") -> tuple[Note, ...]:
    """A note on rows that cannot be read; an error where they are more than one in twenty.

    Args:
        name: The file.
        wrong: The rows that cannot be read.
        good: How many can.
        summary: What is wrong with all of them, after "7 lines of `x`" or "7 lines".
        hint: What to do.
        unit: What the numbers count.

    Raises:
        DataError: More than 5 % of the rows are wrong, so it is not clear how the file is meant.
    """
    if not wrong:
        return ()
    if len(wrong) > _MOST_WRONG * (good + len(wrong)):
        raise DataError(describe(name, wrong, summary, unit), hint)
    numbers = [number for number, _ in wrong]
    if len(wrong) == 1:
        message = f"{unit} {numbers[0]} {wrong[0][1]} and is left out; {hint}"
    else:
        message = f"{len(wrong):,} {unit}s {summary} and are left out; {hint}"
    return (note("unreadable-rows", message, numbers),)


def describe(name: str, wrong: Wrong, summary: str, unit: str = "line") -> str:
    """One sentence on the rows that are wrong: how many, and what is wrong with the first few."""
    if len(wrong) == 1:
        return f"`{name}`: {unit} {wrong[0][0]} {wrong[0][1]}"
    first = "; ".join(f"{unit} {number} {problem}" for number, problem in wrong[:SHOWN_LINES])
    more = f"; and {len(wrong) - SHOWN_LINES:,} more" if len(wrong) > SHOWN_LINES else ""
    return f"{len(wrong):,} {unit}s of `{name}` {summary}: {first}{more}"


def join_lines(parts: Sequence[np.ndarray]) -> Sequence[int]:
    """The line numbers of all batches: a range where there are no gaps."""
    lines = np.concatenate(parts) if parts else np.zeros(0, np.int64)
    if len(lines) and lines[-1] - lines[0] == len(lines) - 1:
        return range(int(lines[0]), int(lines[-1]) + 1)
    return lines  # ty: ignore[invalid-explicit-return]


def chunked(parts: Iterable[pa.Array | pa.ChunkedArray], kind: pa.DataType) -> pa.ChunkedArray:
    """All parts after one another. Arrow itself cuts a part with more than 2 GiB of text into chunks."""
    chunks = []
    for part in parts:
        chunks += part.chunks if isinstance(part, pa.ChunkedArray) else [part]
    return pa.chunked_array([chunk if chunk.type == kind else chunk.cast(kind) for chunk in chunks], kind)
