"""Parquet, and the names of labels that Hugging Face datasets keep beside the numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from tunekit_hub.errors import DataError
from tunekit_hub.formats.decoding import open_bytes

MAGIC = b"PAR1"


def read_parquet(path: Path) -> pa.Table:
    """The whole table. Categories are written out; numbered labels get the names that the file has for them."""
    import pyarrow.parquet as pq

    try:
        with path.open("rb") as file:
            plain = file.read(4) == MAGIC
        if plain:
            table = pq.read_table(path, partitioning=None)
        else:
            with open_bytes(path) as file:
                table = pq.read_table(pa.BufferReader(file.read()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        said = str(error).splitlines()[0].rsplit("': ", 1)[-1].rstrip(".")
        raise DataError(
            f"`{path.name}` cannot be read as Parquet: {said}", "fetch it or write it again"
        ) from error
    return named_labels(_without_categories(table), _features(table.schema.metadata or {}))


def named_labels(table: pa.Table, names: Mapping[str, Sequence[str]]) -> pa.Table:
    """The table with the numbers of some columns, or of the lists in them, replaced by the names they stand for.

    A number without a name (`-1` in test files without answers) becomes no value.
    """
    for field, known in names.items():
        if field in table.column_names:
            place = table.column_names.index(field)
            named = [_named(chunk, known) for chunk in table.column(field).chunks]
            if named and all(chunk is not None for chunk in named):
                table = table.set_column(place, field, pa.chunked_array(named))
    return table


def label_names(feature: Any) -> list[str] | None:
    """The names of a feature that is a numbered label, or a list of them; None for any other."""
    if isinstance(feature, list) and len(feature) == 1:
        feature = feature[0]
    if not isinstance(feature, Mapping):
        return None
    if feature.get("_type") == "ClassLabel":
        names = feature.get("names")
        return [str(name) for name in names] if isinstance(names, list) else None
    return (
        label_names(feature.get("feature")) if feature.get("_type") in ("Sequence", "List", "LargeList") else None
    )


def _features(metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """Column → names of its labels, as `datasets` writes them into a file."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        found = {field: label_names(feature) for field, feature in features.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {field: names for field, names in found.items() if names}


def _named(chunk: pa.Array, names: Sequence[str]) -> pa.Array | None:
    """None where the column does not hold numbers."""
    if pa.types.is_list(chunk.type) or pa.types.is_large_list(chunk.type):
        inner = _named(chunk.values, names)
        made = pa.ListArray if pa.types.is_list(chunk.type) else pa.LargeListArray
        return None if inner is None else made.from_arrays(chunk.offsets, inner, mask=chunk.is_null())
    if not pa.types.is_integer(chunk.type):
        return None
    codes = chunk.fill_null(-1).to_numpy(zero_copy_only=False)
    known = (codes >= 0) & (codes < len(names))
    return pa.array(names, pa.string()).take(pa.array(np.where(known, codes, 0), mask=~known))


def _without_categories(table: pa.Table) -> pa.Table:
    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(field.name).cast(field.type.value_type))
    return table
