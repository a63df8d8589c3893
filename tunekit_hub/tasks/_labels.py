"""Labels of rows: one each, or several in a list, between separators, or as one column of 0 and 1 per label.

A label column is read once per different value, not once per row: a million rows have few of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.tasks._columns import as_text, is_list, is_scalar
from tunekit_hub.tasks._literal import read_list

if TYPE_CHECKING:
    from tunekit_hub.tasks import Match

LABEL, PER_LABEL = "label", "label:"  # roles; the second with the label's name behind it
MULTI, SINGLE = "multi-label", "single-label"
LISTS, JSON, NUMBERS = "lists", "lists as text", "numbers"  # values of details["labels"]
SEPARATORS = (";", "|", ",")
_IN_LIST = "\x1f"  # the unit separator: stands between the parts of a list that is text
_WHOLE = re.compile(r"([+-]?\d+)\.0+")
_TRUE, _FALSE = {"1", "1.0", "true", "True", "TRUE"}, {"0", "0.0", "false", "False", "FALSE"}
FLAGS = _TRUE | _FALSE


@dataclass(frozen=True)
class Labels:
    """Per row, which of `values` it has; -1: none was given."""

    codes: np.ndarray  # int64
    values: list[tuple[str, ...]]


def read(table: pa.Table, match: Match) -> Labels:
    """The labels of each row."""
    flags = {role.removeprefix(PER_LABEL): name for role, name in match.columns.items() if role != "text"}
    if LABEL not in flags:
        return _flags(table, flags)
    column = table.column(match.columns[LABEL])
    if is_list(column.type):
        encoded, split = encode_lists(column), parts_of_list
    elif is_scalar(column.type):
        encoded, split = _encode(as_text(column)), splitter(match.details)
    else:
        return Labels(np.full(len(column), -1), [])
    codes, distinct = encoded
    values = [split(text) for text in distinct]
    given = np.array([value is not None for value in values], bool)
    codes = np.where((codes >= 0) & given[codes], codes, -1) if len(given) else codes
    return _merged(codes, [_named(value or (), match.details) for value in values])


def splitter(details: Mapping[str, str]) -> Callable[[str], tuple[str, ...] | None]:
    """What makes labels of a value that is text; None of one that cannot be read."""
    if details.get("labels") == JSON:
        return _parts_of_json
    if "separator" in details:
        return lambda text: parts_of(text, details["separator"])
    if details.get("labels") == NUMBERS:
        return lambda text: (_WHOLE.sub(r"\1", text),)
    return lambda text: (text,)


def parts_of(text: str, separator: str) -> tuple[str, ...]:
    """The labels between separators, each once, without the space around them."""
    return tuple(dict.fromkeys(filter(None, map(str.strip, text.split(separator)))))


def parts_of_list(text: str) -> tuple[str, ...]:
    """The labels of a list that `encode_lists` has made text."""
    return parts_of(text, _IN_LIST)


def find_separator(values: Sequence[str]) -> str | None:
    """What separates the labels within these different values, if anything does.

    A separator counts where at least two values have it and parts recur: `a, b`, `b` and `b, c` are sets of
    labels, while in `Games, Toys` and `Home, Garden` the comma is part of a name. Commas are common in names, so
    half of the parts must stand in more than one value; for `;` and `|` one is enough. What splits most values
    wins.
    """
    found: list[tuple[int, str]] = []
    for separator in SEPARATORS:
        split = [parts_of(value, separator) for value in values]
        within = Counter(part for parts in split for part in parts)
        several = [parts for parts in split if len(parts) > 1]
        parts = {part for one in several for part in one}
        recur = sum(within[part] > 1 for part in parts)
        if len(several) >= 2 and recur >= (len(parts) / 2 if separator == "," else 1):
            found.append((len(several), separator))
    return max(found, key=lambda one: one[0])[1] if found else None


def count(labels: Labels, kept: np.ndarray) -> dict[str, int]:
    """Label → rows, most frequent first, of the rows that are kept."""
    rows = np.bincount(labels.codes[kept], minlength=len(labels.values))
    total: Counter[str] = Counter()
    for value, number in zip(labels.values, rows.tolist(), strict=True):
        if number:
            total.update(dict.fromkeys(value, number))
    return dict(sorted(total.items(), key=lambda item: (-item[1], item[0])))


def alike(names: Sequence[str]) -> list[list[str]]:
    """Groups of labels that differ in case or spacing only."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[re.sub(r"[\s_-]+", "", name.casefold())].append(name)
    return [sorted(group) for group in groups.values() if len(group) > 1]


def encode_lists(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """Lists of scalars as text that `parts_of_list` reads: a code per row, and the different texts."""
    chunks = [_joined(chunk) for chunk in column.chunks]
    return _encode(pa.chunked_array(chunks, pa.string()))


def _joined(lists: pa.Array) -> pa.Array:
    lists = lists.cast(pa.list_(lists.type.value_type))
    words = lists.flatten()
    if not is_scalar(words.type):
        return pc.if_else(pc.equal(pc.list_value_length(lists), 0), "", pa.scalar(None, pa.string()))
    words = pc.fill_null(words.cast(pa.string()), "")
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets), words), _IN_LIST)
    return pc.if_else(lists.is_valid(), joined, pa.scalar(None, pa.string()))


def _encode(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """A code per row (-1: null), and what the codes stand for."""
    encoded = column.dictionary_encode().unify_dictionaries()
    if not encoded.num_chunks:
        return np.empty(0, np.int64), []
    codes = [pc.fill_null(chunk.indices.cast(pa.int64()), -1).to_numpy() for chunk in encoded.chunks]
    return np.concatenate(codes), encoded.chunk(0).dictionary.to_pylist()


def _flags(table: pa.Table, flags: Mapping[str, str]) -> Labels:
    """One column per label; a row in which a column is neither 0 nor 1 has no labels given."""
    on = np.zeros((table.num_rows, len(flags)), bool)
    known = np.ones(table.num_rows, bool)
    for place, column in enumerate(flags.values()):
        text = as_text(table.column(column))
        on[:, place] = _is_in(text, _TRUE)
        known &= on[:, place] | _is_in(text, _FALSE)
    rows, codes = np.unique(on, axis=0, return_inverse=True)
    values = [tuple(name for name, has in zip(flags, row, strict=True) if has) for row in rows.tolist()]
    return Labels(np.where(known, codes.reshape(-1), -1), values)


def _is_in(text: pa.ChunkedArray, values: set[str]) -> np.ndarray:
    return pc.is_in(text, value_set=pa.array(sorted(values), pa.large_string())).to_numpy()


def _parts_of_json(text: str) -> tuple[str, ...] | None:
    value = read_list(text)
    if value is None or any(isinstance(part, list | dict) for part in value):
        return None
    return tuple(dict.fromkeys(str(part).strip() for part in value if part is not None and str(part).strip()))


def _named(value: tuple[str, ...], details: Mapping[str, str]) -> tuple[str, ...]:
    """Numbers by the names that the file gives them; there -1 is no label, as the `datasets` library has it."""
    if "names" not in details:
        return value
    names: list[str] = json.loads(details["names"])
    given = [one for one in value if one != "-1"]
    return tuple(names[int(one)] if one.isdecimal() and int(one) < len(names) else one for one in given)


def _merged(codes: np.ndarray, values: list[tuple[str, ...]]) -> Labels:
    """Values that read the same, such as `1` and `1.0`, under one code."""
    place = {value: i for i, value in enumerate(dict.fromkeys(values))}
    if len(place) == len(values):
        return Labels(codes, values)
    merged = np.array([place[value] for value in values])
    return Labels(np.where(codes >= 0, merged[codes], -1), list(place))
