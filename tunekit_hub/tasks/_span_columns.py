"""Which column holds texts, and which the spans in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tunekit_hub.errors import DataError
from tunekit_hub.tasks import Match
from tunekit_hub.tasks._columns import is_list, same
from tunekit_hub.tasks._spans import BadSpans, are_annotations, spans_of, tag, text_of
from tunekit_hub.tasks._text_columns import TEXT_NAMES

if TYPE_CHECKING:
    from tunekit_hub.data import Rows

SHAPE = "character spans"
ANNOTATIONS = "annotations"  # value of details["spans"]: lists of what annotators said, empty where none did
_SAMPLE = 200
_USUAL = ("spans", "entities", "annotations", "label", "labels", "ner", "completions")


def find_spans(rows: Rows, mapped: Mapping[str, str]) -> Match | None:
    """The columns of texts and of spans.

    Raises:
        DataError: several columns of spans are equally likely, or the mapped one holds none.
    """
    mapped = {"spans" if role == "entities" else role: name for role, name in mapped.items()}
    if not set(mapped) <= {"text", "spans"}:
        return None
    step = max(1, rows.table.num_rows // _SAMPLE)
    table = rows.table.take(pa.array(range(0, rows.table.num_rows, step)))
    names = [mapped["spans"]] if "spans" in mapped else [n for n in table.column_names if n not in mapped.values()]
    texts = _texts(table, mapped)
    found = [
        (name, text)
        for name in names
        if _may_hold(table.column(name).type)
        for text in [_text_for(table.column(name).to_pylist(), {t: v for t, v in texts.items() if t != name})]
        if text
    ]
    if not found:
        if "spans" in mapped:
            raise DataError(
                f"column `{mapped['spans']}` of `{rows.ref.source}` holds no spans of a text",
                'a span is `{"start": 0, "end": 5, "label": "ORG"}` or `[0, 5, "ORG"]`, in characters',
            )
        return None
    spans, text = next(((n, t) for usual in _USUAL for n, t in found if same(n) == usual), found[0])
    details = {"scheme": SHAPE}
    if any(map(are_annotations, table.column(spans).to_pylist())):
        details["spans"] = ANNOTATIONS
    return Match(SHAPE, {"text": text, "spans": spans}, f"column `{spans}` holds spans of `{text}`", details)


def _texts(table: pa.Table, mapped: Mapping[str, str]) -> dict[str, list[Any]]:
    """Columns that could be the text, the likeliest first."""
    if "text" in mapped:
        return {mapped["text"]: table.column(mapped["text"]).to_pylist()}
    place = {name: i for i, name in enumerate(("text", "data", *TEXT_NAMES[1:]))}
    names = [
        name
        for name, kind in zip(table.column_names, table.schema.types, strict=True)
        if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_struct(kind)
    ]
    return {name: table.column(name).to_pylist() for name in sorted(names, key=lambda n: place.get(same(n), 99))}


def _may_hold(kind: pa.DataType) -> bool:
    if is_list(kind):
        return pa.types.is_nested(kind.value_type) or pa.types.is_null(kind.value_type)
    return pa.types.is_struct(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _text_for(values: Sequence[Any], texts: Mapping[str, Sequence[Any]]) -> str | None:
    """The column whose texts most of these spans lie in; None where the values are no spans."""
    read = []
    for place, value in enumerate(values):
        try:
            read.append((place, spans_of(value)))
        except BadSpans as bad:
            if bad.code == "unreadable-spans":
                read.append((place, None))
    filled = [(place, spans) for place, spans in read if spans is None or spans]
    good = [(place, spans) for place, spans in filled if spans]
    if not good or len(good) * 10 < 8 * len(filled):
        return None
    for name, column in texts.items():
        if sum(_lie_in(text_of(column[place]), spans) for place, spans in good) * 2 >= len(good):
            return name
    return None


def _lie_in(text: str, spans: Sequence[Any]) -> bool:
    try:
        return bool(text) and bool(tag(text, spans)[0])
    except BadSpans:
        return False
