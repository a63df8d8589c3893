"""What the columns of a table look like, judged on a sample: text, labels, numbers, dates, ids, lists.

Values of CSV and TSV are all text, so numbers and dates are known by how they are written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLE = 10_000  # rows, evenly spaced: enough to tell text from labels in a million
_NEARLY_ALL = 0.95
_LONGEST_LABEL = 60  # characters, on average
_FEW = 10  # rows of which "half of them differ" says nothing

# In this order: the first that nearly all values match.
_WRITTEN = {
    "true/false": r"(?i)^(true|false)$",
    "number": r"^[+-]?\d+(\.0+)?$",
    "decimal": r"^[+-]?(\d+[.,]\d*|[.,]\d+|\d+)([eE][+-]?\d+)?$",
    "date": r"^\d{4}-\d\d?-\d\d?([T ][\d:.,]+\s*([zZ]|[+-][\d:]+)?)?$|^\d\d?[./]\d\d?[./]\d{2,4}( [\d:]+)?$"
    r"|^(?i:(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?(\d\d? )?"
    r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
    r"[a-z]*\.? \d{1,4}(,? [\d:]+)*( [A-Z]{3,4})?( \d{4})?$",
    "url": r"^(https?://|www\.)\S+$",
    "id": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$|^[0-9a-fA-F]{16,}$",
}
_WORDS = r"\S\s+\S"
_WIDE = "[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]"  # scripts that write no spaces, or few


@dataclass(frozen=True)
class Seen:
    """A column as its sample looks."""

    name: str
    kind: str  # text, number, decimal, true/false, date, url, id, list, object, empty
    filled: int
    distinct: int
    length: float  # characters of a value, on average
    words: float  # share of the values that are more than one word

    @property
    def reads_like_text(self) -> bool:
        """Mostly more than one word, or long."""
        return self.kind == "text" and (self.words >= 0.3 or self.length >= 25)

    @property
    def mostly_differs(self) -> bool:
        """Too many different values for labels."""
        if self.filled < _FEW:
            return self.distinct == self.filled > 2
        return self.distinct * 2 > self.filled

    @property
    def could_be_labels(self) -> bool:
        """Short values that repeat, or lists."""
        if self.kind == "list":
            return True
        if self.kind not in ("text", "number", "decimal", "true/false") or not self.filled:
            return False
        if self.kind == "decimal" and self.distinct > _FEW:
            return False
        return not self.mostly_differs and self.length <= _LONGEST_LABEL


def sample(table: pa.Table) -> pa.Table:
    """At most `SAMPLE` rows, evenly spaced."""
    if table.num_rows <= SAMPLE:
        return table
    return table.take(pa.array([i * table.num_rows // SAMPLE for i in range(SAMPLE)]))


def look(table: pa.Table) -> list[Seen]:
    """What each column of a (small) table looks like."""
    return [_look(name, column) for name, column in zip(table.column_names, table.columns, strict=True)]


def is_scalar(kind: pa.DataType) -> bool:
    """Whether a column of this type can be read as text."""
    return not pa.types.is_nested(kind) and not pa.types.is_null(kind) and not pa.types.is_binary(kind)


def is_list(kind: pa.DataType) -> bool:
    """Whether values of this type are lists."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A scalar column as text without the space around it; a value that is none, or empty, is null."""
    if not is_scalar(column.type):
        return pa.chunked_array([pa.nulls(len(column), pa.large_string())])
    text = pc.utf8_trim_whitespace(column.cast(pa.large_string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.large_string()), text)


def same(name: str) -> str:
    """A column name without what programs change in it: case, and how words are joined."""
    return "_".join(name_words(name))


def name_words(name: str) -> list[str]:
    """The words that a column name is made of, in lower case."""
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word for word in re.split(r"[^0-9a-zA-Z]+", split.lower()) if word]


def class_names(table: pa.Table, column: str) -> list[str] | None:
    """Names of the numbers in a column (or in its lists), where the file tells them.

    The `datasets` library writes them into the schema of a Parquet file, under the key `huggingface`.
    """
    written = (table.schema.metadata or {}).get(b"huggingface")
    if not written:
        return None
    try:
        feature = json.loads(written)["info"]["features"][column]
    except (ValueError, KeyError, TypeError):
        return None
    while isinstance(feature, (dict, list)):
        if isinstance(feature, dict) and isinstance(feature.get("names"), list):
            return [str(name) for name in feature["names"]]
        feature = feature[0] if isinstance(feature, list) and feature else _inner(feature)
    return None


def _inner(feature: Mapping[str, object] | list[object]) -> object:
    return feature.get("feature") if isinstance(feature, dict) else None


def _look(name: str, column: pa.ChunkedArray) -> Seen:
    if is_list(column.type):
        return Seen(name, "list", len(column) - column.null_count, 0, 0.0, 0.0)
    if not is_scalar(column.type):
        kind = "object" if pa.types.is_nested(column.type) else "empty"
        return Seen(name, kind, len(column) - column.null_count, 0, 0.0, 0.0)
    values = as_text(column).drop_null()
    if not len(values):
        return Seen(name, "empty", 0, 0, 0.0, 0.0)
    return Seen(
        name,
        _kind(values, column.type),
        len(values),
        pc.count_distinct(values).as_py(),
        pc.mean(pc.utf8_length(values)).as_py(),
        _share(values, f"{_WORDS}|{_WIDE}{{4}}"),
    )


def _kind(values: pa.ChunkedArray, kind: pa.DataType) -> str:
    if pa.types.is_temporal(kind):
        return "date"
    for name, pattern in _WRITTEN.items():
        if _share(values, pattern) >= _NEARLY_ALL:
            return name
    return "text"


def _share(values: pa.ChunkedArray, pattern: str) -> float:
    return pc.mean(pc.match_substring_regex(values, pattern).cast(pa.float64())).as_py()


def named(seen: Sequence[Seen], names: Sequence[str]) -> list[Seen]:
    """The columns that have one of these names, in the order of the names."""
    place = {name: i for i, name in enumerate(names)}
    return sorted((one for one in seen if same(one.name) in place), key=lambda one: place[same(one.name)])
