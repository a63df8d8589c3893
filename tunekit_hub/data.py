"""Any file of rows → one Arrow table that knows its line numbers; the sample and the split.

CSV, TSV, JSON, JSONL and Parquet. What cannot be read is said with the line it stands on.
"""

from __future__ import annotations

import difflib
import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from tunekit_hub import formats
from tunekit_hub.errors import DataError
from tunekit_hub.records import DataRef
from tunekit_hub.text import quote


@dataclass(frozen=True)
class Rows:
    """A table, and the line each row came from."""

    table: pa.Table
    lines: Sequence[int]  # the file's line for CSV, TSV and JSONL; otherwise the row's number, from 1
    ref: DataRef


def read(source: str | Path) -> Rows:
    """Read a file of rows.

    The format follows from the file's name, or from its first bytes where the name does not say.

    Raises:
        DataError: The file is missing, empty or broken; the message names the lines.
    """
    path = Path(source).expanduser()
    _check_is_file(path)
    name = formats.detect(path)
    table, lines = formats.load(path, name)
    if not lines:
        raise DataError(f"`{path.name}` has no rows", "give a file with at least one row")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Rows(table, lines, DataRef(source=str(source), format=name, sha256=digest))


def sample(n: int, max_rows: int | None) -> list[int]:
    """Indices of at most `max_rows` of `n` rows, evenly spaced; the same ones every time."""
    if max_rows is None or max_rows >= n:
        return list(range(n))
    return [i * n // max_rows for i in range(max_rows)]


def split(keys: Sequence[str], share: float, seed: int) -> tuple[list[int], list[int]]:
    """Indices to train on and indices to hold out, each shuffled by `seed`.

    Rows of equal keys stay on one side, so a repeated row is never both trained on and held out. The
    held-out share is met as closely as the groups allow, never exceeded by more than the smallest group,
    and both sides get a row if there are two different keys. With fewer, nothing is held out.
    """
    groups: dict[str, list[int]] = {}
    for index, key in enumerate(keys):
        groups.setdefault(key, []).append(index)
    shuffled = list(groups.values())
    random.Random(seed).shuffle(shuffled)
    wanted = max(1, round(len(keys) * share))
    chosen: set[int] = set()
    size = 0
    for number, group in enumerate(shuffled[1:], 1):  # the first group always trains
        if size + len(group) <= wanted:
            chosen.add(number)
            size += len(group)
    if not chosen and len(shuffled) > 1:
        chosen.add(min(range(len(shuffled)), key=lambda number: len(shuffled[number])))
    train = [i for number, group in enumerate(shuffled) if number not in chosen for i in group]
    return train, [i for number, group in enumerate(shuffled) if number in chosen for i in group]


def _check_is_file(path: Path) -> None:
    if path.is_file():
        if path.stat().st_size:
            return
        raise DataError(f"`{path}` is empty", "give a file with at least one row")
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if p.suffix.lower() in formats.SUFFIXES)
        hint = f"name one file in it: {quote(inside[:5])}" if inside else f"give a file: {formats.ACCEPTED}"
        raise DataError(f"`{path}` is a folder, not a file of rows", hint)
    folder = path.parent
    if not folder.is_dir():
        raise DataError(f"`{path}` does not exist, nor does the folder `{folder}`", "check the path")
    near = difflib.get_close_matches(path.name, [p.name for p in folder.iterdir()], n=3, cutoff=0.5)
    hint = f"did you mean {quote(near)}?" if near else f"check the path; rows are read from {formats.ACCEPTED}"
    raise DataError(f"`{path}` does not exist", hint)
