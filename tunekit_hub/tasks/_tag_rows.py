"""The rows of tagged data: which are well-formed, and their tags in IOB2.

Profile and training see the same sentences because both come from `Reader`. Lists of words are worked on as whole
columns; spans, and lists that are text, row by row, since that is how they have to be read.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.scores.entities import OUTSIDE
from tunekit_hub.tasks import _schemes
from tunekit_hub.tasks._accepted import accepted
from tunekit_hub.tasks._columns import is_list, is_scalar
from tunekit_hub.tasks._literal import read_list
from tunekit_hub.tasks._schemes import POS
from tunekit_hub.tasks._span_columns import ANNOTATIONS
from tunekit_hub.tasks._span_columns import SHAPE as SPANS
from tunekit_hub.tasks._spans import BadSpans, spans_of, tag, text_of
from tunekit_hub.tasks._tag_columns import WORDS
from tunekit_hub.tasks._token_rows import SENTENCE, regroup

if TYPE_CHECKING:
    from tunekit_hub.data import Rows
    from tunekit_hub.tasks import Match

_BATCH = 20_000  # sentences at once
_NOTHING = r"^[\s\p{Z}\p{Cc}\p{Cf}]*$"  # a word of nothing that can be seen
_NONE = (None, "", [], "[]")
_STRINGS = pa.list_(pa.string())


@dataclass(frozen=True)
class Batch:
    """Well-formed sentences: lists of words and of tags."""

    lines: np.ndarray
    tokens: pa.ListArray
    tags: pa.ListArray


class Reader:
    """Reads all sentences once, batch by batch; afterwards knows what was wrong, and on which lines."""

    def __init__(self, rows: Rows, match: Match):
        self.rows, self.match = regroup(rows, match) if SENTENCE in match.columns else rows, match
        self.problems: defaultdict[str, list[int]] = defaultdict(list)  # of rows that are left out
        self.remarks: defaultdict[str, list[int]] = defaultdict(list)  # of rows that are used
        self.unknown: Counter[str] = Counter()  # tags that the scheme does not have
        self.number = self.rows.table.num_rows
        self._names: list[str] | None = json.loads(match.details["names"]) if "names" in match.details else None

    def batches(self) -> Iterator[Batch]:
        """The sentences, in the order of the data."""
        lines, use = np.asarray(self.rows.lines, np.int64), accepted(self.rows.table)
        self.problems["rejected"] += lines[~use].tolist()
        columns = [name for role, name in self.match.columns.items() if role != SENTENCE]
        table = self.rows.table.select(list(dict.fromkeys(columns)))
        for start in range(0, self.number, _BATCH):
            part = table.slice(start, _BATCH).filter(pa.array(use[start : start + _BATCH]))
            where = lines[start : start + _BATCH][use[start : start + _BATCH]]
            if self.match.details["scheme"] == SPANS:
                yield self._from_spans(part, where)
            else:
                yield self._from_lists(part, where)

    def _from_spans(self, table: pa.Table, lines: np.ndarray) -> Batch:
        texts, values = (table.column(self.match.columns[role]).to_pylist() for role in ("text", "spans"))
        tokens: list[list[str]] = []
        tags: list[list[str]] = []
        kept = []
        annotations = self.match.details.get("spans") == ANNOTATIONS
        for line, value, spans in zip(lines.tolist(), texts, values, strict=True):
            try:
                if annotations and spans in _NONE:
                    raise BadSpans("not-annotated")
                words, found, remarks = tag(text_of(value), spans_of(spans))
                if not words:
                    raise BadSpans("empty")
            except BadSpans as bad:
                self.problems[bad.code].append(line)
                continue
            tokens.append(words)
            tags.append(found)
            kept.append(line)
            for code in remarks:
                self.remarks[code].append(line)
        return Batch(np.array(kept, np.int64), pa.array(tokens, _STRINGS), pa.array(tags, _STRINGS))

    def _from_lists(self, table: pa.Table, lines: np.ndarray) -> Batch:
        tokens, tags = (self._column(table, role) for role in ("tokens", "tags"))
        lengths, tag_lengths = (pc.fill_null(pc.list_value_length(one), 0).to_numpy() for one in (tokens, tags))
        words = pc.utf8_trim_whitespace(tokens.flatten())
        codes, different = self._encode(tags.flatten())
        read = _schemes.read(different, self.match.details["scheme"])
        # A word of nothing gets no token from a tokenizer, so it goes, with its tag.
        seen = ~pc.fill_null(pc.match_substring_regex(words, _NOTHING), True).to_numpy(zero_copy_only=False)
        visible = _sums(seen, lengths)
        unknown = _sums(~read.known[codes], tag_lengths) > 0
        use = np.ones(len(lines), bool)
        for code, bad in (
            ("empty", visible == 0),
            ("lengths", lengths != tag_lengths),
            ("unknown-tags", unknown),
        ):
            self.problems[code] += lines[use & bad].tolist()
            if code == "unknown-tags":
                of_these = codes[np.repeat(use & bad, tag_lengths)]
                self.unknown.update(different[i] or "(none)" for i in of_these[~read.known[of_these]].tolist())
            use &= ~bad
        self.remarks["empty-words"] += lines[use & (visible < lengths)].tolist()
        used = seen[np.repeat(use, lengths)]
        words = words.filter(pa.array(np.repeat(use, lengths))).filter(pa.array(used))
        codes = codes[np.repeat(use, tag_lengths)][used]
        starts = np.concatenate([[0], np.cumsum(visible[use])])
        if self.match.details["scheme"] == POS:
            written = pa.array(different, pa.string()).take(pa.array(codes))
        else:
            written = self._iob2(read, codes, starts, lines[use])
        return Batch(lines[use], _list(starts, words), _list(starts, written))

    def _iob2(self, tags: _schemes.Tags, codes: np.ndarray, starts: np.ndarray, lines: np.ndarray) -> pa.Array:
        """The tags in IOB2. Notes where an entity begins with a tag that goes on, if others are for that."""
        places = _schemes.places(tags, codes, starts)
        if self.match.details["scheme"] in ("IOB2", "BIOES", "BILOU", "BMES"):
            odd = np.unique(np.searchsorted(starts, np.flatnonzero(places.odd), side="right") - 1)
            self.remarks["odd-tags"] += lines[odd].tolist()
        spelled = [OUTSIDE, *(f"{prefix}-{name}" for name in tags.names for prefix in "BI")]
        which = np.where(places.begins, 1 + 2 * places.types, np.where(places.goes_on, 2 + 2 * places.types, 0))
        return pa.array(spelled, pa.string()).take(pa.array(which))

    def _encode(self, tags: pa.Array) -> tuple[np.ndarray, list[str]]:
        """A code per tag, and what the codes stand for, by name where they are numbers; no tag is ''."""
        encoded = pc.fill_null(pc.utf8_trim_whitespace(tags), "").dictionary_encode()
        different = encoded.dictionary.to_pylist()
        if self._names is not None:
            names = self._names
            different = [
                names[int(one)] if one.isdecimal() and int(one) < len(names) else f"{one}?" for one in different
            ]
        return encoded.indices.to_numpy().astype(np.int64), different

    def _column(self, table: pa.Table, role: str) -> pa.ListArray:
        """A column as one array of lists of text."""
        column, written = table.column(self.match.columns[role]), self.match.details.get(role)
        if is_list(column.type):
            if not is_scalar(column.type.value_type):
                return pa.nulls(len(column), _STRINGS)
            whole = column.combine_chunks()
            whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) and whole.num_chunks else whole
            return whole.cast(_STRINGS) if len(whole) else pa.array([], _STRINGS)
        if not is_scalar(column.type):
            return pa.nulls(len(column), _STRINGS)
        texts = column.cast(pa.string()).to_pylist()
        if written == WORDS:
            return pa.array([text.split() if text else None for text in texts], _STRINGS)
        return pa.array([_texts(read_list(text)) if text else None for text in texts], _STRINGS)


def _texts(items: list[Any] | None) -> list[str | None] | None:
    return None if items is None else [None if item is None else str(item) for item in items]


def _list(starts: np.ndarray, values: pa.Array) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(starts.astype(np.int32)), values)


def _sums(marked: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """How many of each sentence's words are marked."""
    return np.diff(np.concatenate([[0], np.cumsum(marked)])[np.concatenate([[0], np.cumsum(lengths)])])
