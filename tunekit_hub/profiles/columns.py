"""What the columns of a table are: their kind, how many of their values are missing, how many differ."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.profiles import fingerprints
from tunekit_hub.profiles.text_columns import blocks
from tunekit_hub.records import Column

_MOST = 20
_NUMBER = r"^\s*[+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?\s*$"
_TRUTH = r"(?i)^\s*(true|false)\s*$"
_LOOK = 1000  # values that tell most columns of text from numbers


def describe(table: pa.Table, roles: Mapping[str, str]) -> tuple[Column, ...]:
    """The columns of a table, those with a role first, at most 20 in all. `roles`: role → column."""
    role_of = {column: role for role, column in roles.items()}
    names = sorted(table.column_names, key=lambda name: name not in role_of)[:_MOST]
    return tuple(_column(name, role_of.get(name), table.column(name)) for name in names)


def _column(name: str, role: str | None, values: pa.ChunkedArray) -> Column:
    if pa.types.is_dictionary(values.type):
        values = pa.chunked_array([chunk.dictionary_decode() for chunk in values.chunks], values.type.value_type)
    empty = _empty(values)
    filled = fingerprints.of_column(values)[~empty]
    return Column(
        name=name,
        role=role,
        kind=_kind(values, bool(filled.size)),
        empty=int(np.count_nonzero(empty)),
        distinct=int(np.unique(filled).size),
    )


def _empty(values: pa.ChunkedArray) -> np.ndarray:
    """Whether each value is missing, blank text or an empty list; bool."""
    if _is_text(values.type):
        blank = [pc.equal(pc.binary_length(pc.utf8_trim_whitespace(b)), 0) for b in blocks(values)]
        return np.concatenate([b.to_numpy(zero_copy_only=False) for b in blank]) if blank else np.empty(0, bool)
    if _is_list(values.type):
        return pc.equal(pc.fill_null(pc.list_value_length(values), 0), 0).to_numpy()
    return values.is_null().to_numpy()


def _kind(values: pa.ChunkedArray, filled: bool) -> str:
    kind = values.type
    if _is_text(kind):
        for name, pattern in (("number", _NUMBER), ("true/false", _TRUTH)):
            if filled and _all_match(values.slice(0, _LOOK), pattern) and _all_match(values, pattern):
                return name
        return "text"
    if pa.types.is_boolean(kind):
        return "true/false"
    if _is_list(kind):
        return "list"
    if pa.types.is_nested(kind):
        return "object"
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return "number" if any(is_one(kind) for is_one in numbers) else "text"


def _all_match(values: pa.ChunkedArray, pattern: str) -> bool:
    """Whether every value that is not blank matches."""
    matched = (pc.match_substring_regex(block, rf"^\s*$|{pattern}") for block in blocks(values))
    return all(pc.all(one, min_count=0).as_py() for one in matched)


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_list(kind: pa.DataType) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
