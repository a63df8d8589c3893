"""Which format a file has, and one reader per format. Every reader says what is wrong with line numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunekit_hub.errors import DataError
from tunekit_hub.formats.delimited import read_csv, read_tsv
from tunekit_hub.formats.json_rows import is_json, read_json, read_jsonl
from tunekit_hub.formats.raw import BOM, RawRows
from tunekit_hub.formats.table import read_parquet, to_table

if TYPE_CHECKING:
    import pyarrow as pa

ACCEPTED = "CSV, TSV, JSON, JSONL and Parquet files"
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_TEXT_READERS: dict[str, Callable[[Path], RawRows]] = {
    "csv": read_csv,
    "tsv": read_tsv,
    "json": read_json,
    "jsonl": read_jsonl,
}


def load(path: Path, name: str) -> tuple[pa.Table, Sequence[int]]:
    """The file's rows, and the line of each (its number, from 1, in JSON and Parquet)."""
    if name == "parquet":
        table = read_parquet(path)
        return table, range(1, table.num_rows + 1)
    rows = _TEXT_READERS[name](path)
    return to_table(rows, path.name), rows.lines


def detect(path: Path) -> str:
    """The format of a file that exists and is not empty: by its name, else by what it begins with."""
    known = SUFFIXES.get(path.suffix.lower())
    if known and known != "json":
        return known
    start, more = _first_line(path)
    if start.startswith(b"{") and is_json(start) and (more or not known):
        return "jsonl"  # whatever the name: one object per line
    if known or start[:1] in (b"{", b"["):
        return "json"
    if start.startswith(b"PAR1"):
        return "parquet"
    for separator, name in ((b"\t", "tsv"), (b",", "csv"), (b";", "csv")):
        if separator in start and b"\0" not in start:
            return name
    raise DataError(
        f"the format of `{path.name}` is not known, neither from its name nor from its first line",
        f"rows are read from {ACCEPTED}",
    )


def _first_line(path: Path) -> tuple[bytes, bool]:
    """The first line that is not blank, and whether another one follows."""
    with path.open("rb") as file:
        filled = (line for line in file if line.removeprefix(BOM).strip())
        start = next(filled, b"").removeprefix(BOM).strip()
        return start, next(filled, None) is not None
