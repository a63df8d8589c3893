"""Which column of a table holds labels: by their names first, then by what they hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.errors import DataError
from tunekit_hub.tasks import _labels
from tunekit_hub.tasks._columns import Seen, as_text, class_names, is_list, name_words, same, sample
from tunekit_hub.tasks._labels import JSON, LABEL, LISTS, MULTI, NUMBERS, PER_LABEL, SINGLE
from tunekit_hub.tasks._text_columns import ambiguous
from tunekit_hub.text import quote

if TYPE_CHECKING:
    from tunekit_hub.data import Rows

# The body of something comes before its title.
EXACT = ("label", "labels")
# Names of labels, tier by tier: the first tier that has one decides.
_TIERS = (
    EXACT,
    ("label_text", "label_name", "class", "class_name", "target", "category", "categories", "intent", "y", "gold"),
    (
        *(
            "sentiment",
            "topic",
            "topics",
            "tag",
            "tags",
            "emotion",
            "emotions",
            "genre",
            "genres",
            "accept",  # Prodigy
            "spam",
            "class",
        ),
        *("label", "labels", "category", "intent", "classification", "polarity", "toxicity", "stance", "domain"),
    ),
    ("stars", "star", "rating", "score", "type", "priority", "department", "queue", "severity", "status"),
)
_ALL_NAMES = {name for names in _TIERS for name in names}
_NEVER_LABELS = {
    *("id", "idx", "index", "uuid", "source", "split", "lang", "language", "date", "year", "time", "timestamp"),
    *("user", "author", "username", "name", "url", "link", "dataset", "annotator", "country", "unnamed", "file"),
    *("confidence", "count", "answer"),
}


@dataclass(frozen=True)
class Found:
    """The label column, or one column per label; what else is needed to read it; and why it is the one."""

    columns: Mapping[str, str]  # role → column
    why: str
    shape: str = SINGLE
    details: Mapping[str, str] = field(default_factory=dict)


def find_label(rows: Rows, seen: Sequence[Seen], mapped: Mapping[str, str]) -> Found | None:
    """Where the labels are, if anywhere.

    Raises:
        DataError: several columns could be the one; or the mapped one, or one called `label`, holds none.
    """
    per_label = {role: name for role, name in mapped.items() if role.startswith(PER_LABEL)}
    if per_label:
        return _one_hot(rows, per_label)
    if LABEL in mapped:
        chosen = next(one for one in seen if one.name == mapped[LABEL])
        _refuse(rows, chosen)
        return _described(rows, chosen)
    free = [one for one in seen if one.name not in mapped.values()]
    chosen = _by_name(rows, free)
    if chosen is None:
        flags = [one for one in free if _is_flag(rows, one)]
        if len(flags) > 2:
            return _one_hot(rows, {PER_LABEL + one.name: one.name for one in flags})
        chosen = _by_content(rows, free)
    if chosen is None:
        for one in free:
            if one.kind == "decimal" and set(name_words(one.name)) & _ALL_NAMES:
                _refuse(rows, one)
        return None
    return _described(rows, chosen)


def _by_name(rows: Rows, seen: Sequence[Seen]) -> Seen | None:
    for place, names in enumerate(_TIERS):
        wanted = {same(name) for name in names}
        called = [one for one in seen if same(one.name) in wanted]
        if place >= 2:
            called += [one for one in seen if one not in called and set(name_words(one.name)) & wanted]
            called = [one for one in called if not set(name_words(one.name)) & _NEVER_LABELS]
        fit = [one for one in called if one.could_be_labels or _separated(rows, one)]
        if fit:
            return _only(rows, fit, seen)
        for one in called:
            if place == 0 and one.kind in ("text", "number", "decimal"):
                _refuse(rows, one)
    return None


def _only(rows: Rows, fit: list[Seen], seen: Sequence[Seen]) -> Seen:
    """The one of several columns that says the most: names rather than the numbers they stand for."""
    if len(fit) == 1:
        wordy = [one for one in seen if one.kind == "text" and name_words(one.name)[:1] == ["label"]]
        spelled = [one for one in wordy if fit[0].kind == "number" and _same_partition(rows, fit[0], one)]
        return spelled[0] if len(spelled) == 1 else fit[0]
    first = fit[0]
    if all(_same_partition(rows, first, other) for other in fit[1:]):
        return next((one for one in fit if one.kind == "text"), first)
    raise ambiguous("label", [one.name for one in fit])


def _same_partition(rows: Rows, one: Seen, other: Seen) -> bool:
    """Whether two columns tell the same rows apart."""
    if one.kind == "list" or other.kind == "list" or one.distinct != other.distinct:
        return False
    table = sample(rows.table.select([one.name, other.name]))
    texts = [pc.fill_null(as_text(column), "") for column in table.columns]
    pair = pc.binary_join_element_wise(*texts, pa.scalar("\x1f", pa.large_string()))
    return pc.count_distinct(pair).as_py() == one.distinct


def _by_content(rows: Rows, seen: Sequence[Seen]) -> Seen | None:
    """The one column whose few, short values repeat."""
    fit = [
        one
        for one in seen
        if one.kind in ("text", "true/false", "number")
        and one.could_be_labels
        and 2 <= one.distinct <= one.filled / 2
        and (one.kind != "number" or one.distinct <= 20)
        and one.words < 0.9
        and not set(name_words(one.name)) & _NEVER_LABELS
    ]
    if len(fit) > 1 and not all(_same_partition(rows, fit[0], other) for other in fit[1:]):
        raise ambiguous("label", [one.name for one in fit])
    return fit[0] if fit else None


def _described(rows: Rows, one: Seen) -> Found | None:
    """How the labels in this column are written."""
    column, columns = rows.table.column(one.name), {LABEL: one.name}
    names = class_names(rows.table, one.name)
    details = {"names": json.dumps(names)} if names else {}
    if is_list(column.type):
        if pa.types.is_nested(column.type.value_type):
            return None
        longest = pc.max(pc.list_value_length(column)).as_py() or 0
        shape = MULTI if longest > 1 or pc.min(pc.list_value_length(column)).as_py() == 0 else SINGLE
        return Found(columns, f"column `{one.name}` holds lists of labels", shape, details | {"labels": LISTS})
    values = pc.unique(as_text(column)).drop_null().to_pylist()
    if _mostly_lists(values):
        split = [_labels.splitter({"labels": JSON})(value) for value in values]
        if any(parts is None for parts in split[:100]):
            return None
        shape = SINGLE if all(parts is None or len(parts) == 1 for parts in split) else MULTI
        return Found(columns, f"column `{one.name}` holds lists of labels, as text", shape, {"labels": JSON})
    separator = _labels.find_separator(values) if one.kind == "text" else None
    if separator:
        parts = {part for value in values for part in _labels.parts_of(value, separator)}
        why = f"column `{one.name}` holds {len(parts):,} labels, several of them separated by `{separator}`"
        return Found(columns, why, MULTI, {"separator": separator})
    if one.kind == "number":
        details["labels"] = NUMBERS
    why = f"column `{one.name}` holds {len(values):,} values that repeat"
    return Found(columns, why if len(values) > 1 else f"column `{one.name}` holds one value", SINGLE, details)


def _separated(rows: Rows, one: Seen) -> bool:
    """Whether the values differ only because several labels stand in each."""
    if one.kind != "text":
        return False
    values = pc.unique(as_text(sample(rows.table.select([one.name])).column(0))).drop_null().to_pylist()
    if _mostly_lists(values):
        return True
    separator = _labels.find_separator(values)
    if not separator:
        return False
    split = [_labels.parts_of(value, separator) for value in values]
    distinct = len({part for parts in split for part in parts})
    lengths = [len(part) for parts in split for part in parts]
    recur = distinct * 2 <= len(lengths) or (len(values) < 10 and distinct < len(lengths))
    return recur and float(np.mean(lengths)) <= 30


def _mostly_lists(values: Sequence[str]) -> bool:
    return bool(values) and sum(value.startswith("[") and value.endswith("]") for value in values) * 10 >= 9 * len(
        values
    )


def _is_flag(rows: Rows, one: Seen) -> bool:
    if one.kind not in ("number", "true/false") or not 1 <= one.distinct <= 2:
        return False
    return set(pc.unique(as_text(rows.table.column(one.name))).drop_null().to_pylist()) <= _labels.FLAGS


def _one_hot(rows: Rows, columns: Mapping[str, str]) -> Found:
    for name in columns.values():
        values = set(pc.unique(as_text(rows.table.column(name))).drop_null().to_pylist())
        if not values <= _labels.FLAGS:
            raise DataError(
                f"column `{name}` of `{rows.ref.source}` holds more than 0 and 1, so it is not one label",
                "leave it out of the `label:` columns",
            )
    why = f"columns {quote(list(columns.values())[:5])} say with 0 and 1 which labels a row has"
    return Found(columns, why, MULTI)


def _refuse(rows: Rows, one: Seen) -> None:
    """Raise if this column, which is said to hold labels, holds none."""
    hint = "name another column with `--column label=NAME`"
    where = f"column `{one.name}` of `{rows.ref.source}`"
    if one.could_be_labels or _separated(rows, one):
        return
    if one.kind in ("decimal", "number"):
        raise DataError(
            f"{where} holds {one.distinct:,} different numbers: a quantity, which no task here predicts",
            f"{hint}, or put the numbers into a few classes",
        )
    found = (
        f"{one.distinct:,} different values in {one.filled:,} rows"
        if one.distinct
        else f"values of kind {one.kind}"
    )
    raise DataError(f"{where} holds {found}; labels are few, short, and repeat", hint)
