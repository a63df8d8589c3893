"""Rows of any shape → an Arrow table, or the line that does not fit the others; and Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tunekit_hub.errors import DataError
from tunekit_hub.formats.raw import RawRows

_KINDS = {str: "text", bool: "true/false", int: "a number", float: "a number", list: "a list", dict: "an object"}
# What Arrow raises for values without a common type, a number beyond 64 bits, and invalid Unicode.
_REFUSED = (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError)


def to_table(rows: RawRows, name: str) -> pa.Table:
    """One column per field that any row has.

    Raises:
        DataError: A column's values have no common type; the message names the column and the line.
    """
    fields = dict.fromkeys(field for row in rows.values for field in row)
    columns = {field: [row.get(field) for row in rows.values] for field in fields}
    return pa.table({field: _array(field, values, rows.lines, name) for field, values in columns.items()})


def _array(field: str, values: list[Any], lines: Sequence[int], name: str) -> pa.Array:
    try:
        return pa.array(values)
    except _REFUSED as error:
        bad = _first_refused(values)
        problem = _conflict(field, values[: bad + 1], lines) or f"line {lines[bad]} has {_oddity(error)}"
        raise DataError(
            f"column `{field}` of `{name}` cannot be read: {problem}",
            "give the column the same type in every row",
        ) from error


def _first_refused(values: list[Any]) -> int:
    """Index of the first value that Arrow does not accept after those before it."""
    accepted, refused = 0, len(values)
    while refused - accepted > 1:
        middle = (accepted + refused) // 2
        try:
            pa.array(values[:middle])
            accepted = middle
        except _REFUSED:
            refused = middle
    return refused - 1


def _conflict(field: str, values: list[Any], lines: Sequence[int]) -> str:
    """Where the last of these values is of another kind than one before it, in words."""
    first: dict[str, tuple[str, int]] = {}
    for value, line in zip(values, lines, strict=False):
        for place, kind in _kinds(value, field):
            seen, earlier = first.setdefault(place, (kind, line))
            if seen != kind:
                where = f" in `{place}`" if place != field else ""
                return f"line {line} has {kind}{where} where line {earlier} has {seen}"
    return ""


def _kinds(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """The kind of a value and of all that is in it, each with its place."""
    if value is None:
        return
    yield place, _KINDS[type(value)]
    if isinstance(value, list):
        for item in value:
            yield from _kinds(item, f"{place}[]")
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _kinds(item, f"{place}.{key}")


def _oddity(error: Exception) -> str:
    if isinstance(error, OverflowError):
        return "a number beyond 64 bits"
    if isinstance(error, UnicodeEncodeError):
        return "text that is not valid Unicode (half of a surrogate pair)"
    return "a value that a table cannot hold"


def read_parquet(path: Path) -> pa.Table:
    """The whole table."""
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise DataError(f"`{path.name}` cannot be read as Parquet: {error}", "write it again") from error
