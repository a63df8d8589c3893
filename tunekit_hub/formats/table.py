"""Rows of any shape → an Arrow table, batch by batch.

A column whose values have no common type is never refused. It becomes text: words stay as they are, everything
else is written as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from tunekit_hub.errors import DataError
from tunekit_hub.formats.raw import chunked, join_lines
from tunekit_hub.profiles.notes import note
from tunekit_hub.records import Note
from tunekit_hub.text import name_lines, quote

Batch = tuple[Sequence[dict[str, Any]], Sequence[int]]  # rows, and the line of each
# What Arrow raises for values without a common type, and for a number beyond 64 bits.
_REFUSED = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)
_MOST_COLUMNS = 2000
_MOST_KEYS = 200  # an object with more is a map, not a record: a column for each key would be nearly empty


class Built(NamedTuple):
    """A table, the line of each row, and what was noticed."""

    table: pa.Table
    lines: Sequence[int]
    notes: tuple[Note, ...]


def build(batches: Callable[[], Iterable[Batch]], name: str) -> Built:
    """One column per field that any row has.

    Args:
        batches: Gives the rows from the start; asked again when a column turns out to have no common type.
        name: The file.

    Raises:
        DataError: The rows have thousands of fields, so they are no table.
    """
    as_text: set[str] = set()
    while True:
        chunks: list[dict[str, pa.Array]] = []
        lines: list[np.ndarray] = []
        halves: list[int] = []
        late = set()
        for rows, where in batches():
            made, mixed = _arrays(rows, where, as_text, halves)
            late |= mixed if chunks else set()
            as_text |= mixed
            chunks.append(made)
            lines.append(np.asarray(where, np.int64))
            _check_fields(chunks, name)
        columns, clashing = _columns(chunks, [len(part) for part in lines])
        as_text |= clashing
        if not late and not clashing:
            return Built(pa.table(columns), join_lines(lines), _notes(halves))


def _arrays(
    rows: Sequence[dict[str, Any]], lines: Sequence[int], as_text: set[str], halves: list[int]
) -> tuple[dict[str, pa.Array], set[str]]:
    """The columns of a batch, and those of them that had to become text."""
    made: dict[str, pa.Array] = {}
    mixed: set[str] = set()
    fields = dict.fromkeys(field for row in rows for field in row)
    if any("\ud800" <= c <= "\udfff" for field in fields for c in field):
        rows = [_whole(row) for row in rows]
        fields = dict.fromkeys(field for row in rows for field in row)
    for field in fields:
        values = [row.get(field) for row in rows]
        try:
            made[field] = _array(values, field in as_text)
        except UnicodeEncodeError:
            halves += [line for line, value in zip(lines, values, strict=True) if _whole(value) != value]
            values = [_whole(value) for value in values]
            made[field] = _array(values, field in as_text)
        except _REFUSED:
            mixed.add(field)
        if field in mixed:
            made[field] = _as_text(values, lines, halves)
    return made, mixed


def _array(values: list[Any], as_text: bool) -> pa.Array:
    if as_text:
        return pa.array([text_of(value) for value in values], pa.string())
    if len(set().union(*(value for value in values if isinstance(value, dict)))) > _MOST_KEYS:
        raise pa.ArrowInvalid("a map")
    return pa.array(values)


def _as_text(values: list[Any], lines: Sequence[int], halves: list[int]) -> pa.Array:
    try:
        return _array(values, as_text=True)
    except UnicodeEncodeError:
        halves += [line for line, value in zip(lines, values, strict=True) if _whole(value) != value]
        return _array([_whole(value) for value in values], as_text=True)


def text_of(value: Any) -> str | None:
    """Text as it is, everything else as JSON; no value is no text."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _whole(value: Any) -> Any:
    """The value with every half of a surrogate pair joined to its other half, or replaced."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return value


def _notes(halves: list[int]) -> tuple[Note, ...]:
    if not halves:
        return ()
    lines = sorted(set(halves))
    message = f"half a character (a broken surrogate pair) is read as `\ufffd` on {name_lines(lines)}"
    return (note("half-characters", message, lines),)


def _check_fields(chunks: list[dict[str, pa.Array]], name: str) -> None:
    fields = dict.fromkeys(field for made in chunks[-2:] for field in made)
    if len(fields) > _MOST_COLUMNS:
        some = quote(list(fields)[:3])
        message = f"the rows of `{name}` have {len(fields):,} different fields ({some}, …), so they are no table"
        raise DataError(message, "give every row the same few fields")


def _columns(chunks: list[dict[str, pa.Array]], sizes: list[int]) -> tuple[dict[str, pa.ChunkedArray], set[str]]:
    """Each column over all batches, and the names of those that have no common type."""
    columns: dict[str, pa.ChunkedArray] = {}
    clashing: set[str] = set()
    for field in dict.fromkeys(field for made in chunks for field in made):
        kinds = dict.fromkeys(made[field].type for made in chunks if field in made)
        try:
            kind = next(iter(kinds)) if len(kinds) == 1 else _common(list(kinds))
            parts = (made.get(field, pa.nulls(size, kind)) for made, size in zip(chunks, sizes, strict=True))
            columns[field] = chunked(parts, kind)
        except _REFUSED:
            clashing.add(field)
    return columns, clashing


def _common(kinds: Sequence[pa.DataType]) -> pa.DataType:
    schemas = [pa.schema([("it", kind)]) for kind in kinds]
    return pa.unify_schemas(schemas, promote_options="permissive").field(0).type


def join(tables: Sequence[pa.Table]) -> pa.Table:
    """Tables after one another; columns without a common type become text."""
    made = [{name: table.column(name) for name in table.column_names} for table in tables]
    sizes = [table.num_rows for table in tables]
    columns, clashing = _columns(made, sizes)
    if clashing:
        for part in made:
            for name in clashing & part.keys():
                part[name] = pa.array([text_of(value) for value in part[name].to_pylist()], pa.string())
        columns, _ = _columns(made, sizes)
    return pa.table(columns)
