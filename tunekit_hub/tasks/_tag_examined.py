"""What there is to count and to say about tagged sentences."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.errors import DataError
from tunekit_hub.labelled import Tagged
from tunekit_hub.profiles import text_columns
from tunekit_hub.profiles.notes import note
from tunekit_hub.records import Note
from tunekit_hub.scores.entities import OUTSIDE
from tunekit_hub.tasks import Examined, Examples
from tunekit_hub.tasks._schemes import POS
from tunekit_hub.tasks._tag_rows import Batch, Reader
from tunekit_hub.text import count_rows, name_lines, quote

if TYPE_CHECKING:
    from tunekit_hub.data import Rows
    from tunekit_hub.tasks import Match

_LEFT_OUT = {
    "rejected": "marked as rejected or ignored by the annotator",
    "not-annotated": "nobody has annotated them",
    "cancelled": "their annotation was cancelled",
    "empty": "they have no words",
    "lengths": "they have another number of words than of tags",
    "unknown-tags": "their tags are none of the scheme",
    "unreadable-spans": "their spans cannot be read",
    "spans-out-of-range": "a span does not lie within the text, or ends before it begins",
}
_USED = {
    "empty-words": "words of nothing that can be seen, which were left out",
    "odd-tags": "an entity that begins without its `B-`; it is read as one all the same",
    "overlapping-spans": "spans that overlap, of which the longest is kept",
    "trimmed-spans": "spans that begin or end with a space, which was cut off",
}
_MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that powers of it never vanish; 2**64 over the golden ratio


class Tally:
    """Counts sentences as they come by."""

    def __init__(self, reader: Reader):
        self.reader = reader
        self.labels: Counter[str] = Counter()
        self.sentences = self.tokens = self.without = 0
        self.pos = reader.match.details["scheme"] == POS

    def add(self, batch: Batch) -> None:
        """One batch more."""
        tags = batch.tags.flatten()
        self.sentences += len(batch.lines)
        self.tokens += len(tags)
        counted = {one["values"]: one["counts"] for one in pc.value_counts(tags).to_pylist()}
        if self.pos:
            self.labels.update(counted)
            return
        self.labels.update({name[2:]: number for name, number in counted.items() if name.startswith("B-")})
        begins = pc.starts_with(tags, "B-").to_numpy(zero_copy_only=False)
        self.without += int((text_columns.counts(begins, batch.tags.offsets.to_numpy()) == 0).sum())

    def checked(self) -> list[Note]:
        """What there is to note, once all has been counted.

        Raises:
            DataError: no sentence is left, or none has an entity.
        """
        if not self.sentences:
            raise self._nothing_left()
        if not self.pos and not self.labels:
            raise DataError(
                f"no sentence of `{self.reader.rows.ref.source}` has an entity; every word is tagged `{OUTSIDE}`",
                "name the column that holds the tags or spans: `--column tags=NAME` or `--column spans=NAME`",
            )
        if len(self.labels) == 1 and self.pos:
            raise DataError(
                f"every word has the tag `{next(iter(self.labels))}`; nothing to tell apart",
                "name the column that holds the tags: `--column tags=NAME`",
            )
        return [*self._about_rows(), *self._about_labels()]

    def counts(self) -> dict[str, int]:
        """What the profile counts."""
        counts = {"sentences": self.sentences, "tokens": self.tokens}
        if self.pos:
            return counts
        return counts | {"entities": self.labels.total(), "sentences_without_entities": self.without}

    def _about_rows(self) -> list[Note]:
        found = [
            (self._left_out(code, lines), code, lines) for code, lines in self.reader.problems.items() if lines
        ]
        for code, lines in self.reader.remarks.items():
            if lines:
                have = "has" if len(lines) == 1 else "have"
                found.append((f"{count_rows(len(lines))} {have} {_USED[code]}", code, lines))
        return [note(code, message, lines) for message, code, lines in sorted(found, key=lambda one: -len(one[2]))]

    def _about_labels(self) -> list[Note]:
        notes = []
        rare = sorted(name for name, number in self.labels.items() if number == 1)
        if rare:
            what = "tag" if self.pos else "entity type"
            said = f"{what} {quote(rare)} occurs" if len(rare) == 1 else f"{what}s {quote(rare[:5])} occur"
            more = f" (and {len(rare) - 5:,} more)" if len(rare) > 5 else ""
            text = f"{said}{more} once each, too rarely to be both trained on and tested"
            notes.append(
                Note(code="rare-labels", message=text.replace("once each, too", "once, too"), count=len(rare))
            )
        if self.reader.match.details.get("named") == "no":
            notes.append(Note(code="unnamed-tags", message=self._unnamed(), count=len(self.labels)))
        return notes

    def _unnamed(self) -> str:
        if self.pos:
            return "the tags are numbers that nothing names; the model will answer with numbers"
        paired = any(name.startswith("B-") for name in self.reader.match.details["names"].split('"'))
        how = (
            "1 as the beginning and 2 as the rest of type `1`, and so on"
            if paired
            else "any other as its own type"
        )
        return f"the tags are numbers that nothing names: 0 is read as no entity, {how}"

    def _left_out(self, code: str, lines: list[int]) -> str:
        why = _LEFT_OUT[code]
        if len(lines) == 1:
            why = why.replace("they have", "it has").replace("them", "it").replace("their", "its")
        tags = (
            f" ({quote(tag for tag, _ in self.reader.unknown.most_common(5))})" if code == "unknown-tags" else ""
        )
        return f"{count_rows(len(lines))} not used: {why}{tags}"

    def _nothing_left(self) -> DataError:
        problems = sorted(self.reader.problems.items(), key=lambda item: -len(item[1]))
        said = "; ".join(
            f"{self._left_out(code, lines)} ({name_lines(lines)})" for code, lines in problems if lines
        )
        return DataError(
            f"no row of `{self.reader.rows.ref.source}` can be used: {said}",
            "every row needs its words and a tag for each, or a text and the spans in it",
        )


def examine(rows: Rows, match: Match) -> Examined:
    """What the profile counts."""
    reader = Reader(rows, match)
    tally = Tally(reader)
    texts, lines, keys, tokens = [], [], [], []
    for batch in reader.batches():
        tally.add(batch)
        joined = pc.binary_join(batch.tokens, " ").cast(pa.large_string())
        texts.append(joined)
        tokens.append(text_columns.estimate_tokens(joined))
        lines.append(batch.lines)
        keys.append(_keys(batch.tags))
    notes = tally.checked()
    return Examined(
        texts=pa.chunked_array(texts, pa.large_string()),
        lines=np.concatenate(lines),
        tokens=np.concatenate(tokens),
        notes=notes,
        labels=dict(sorted(tally.labels.items(), key=lambda item: (-item[1], item[0]))),
        counts=tally.counts(),
        keys=np.concatenate(keys),
    )


def parse(rows: Rows, match: Match) -> Examples:
    """What is trained on."""
    reader = Reader(rows, match)
    tally = Tally(reader)
    found: list[Tagged] = []
    lines: list[int] = []
    for batch in reader.batches():
        tally.add(batch)
        pairs = zip(batch.tokens.to_pylist(), batch.tags.to_pylist(), strict=True)
        found += [Tagged(tuple(tokens), tuple(tags)) for tokens, tags in pairs]
        lines += batch.lines.tolist()
    return Examples(found, lines, tally.checked())


def _keys(tags: pa.ListArray) -> np.ndarray:
    """A number per sentence that follows from its tags: the sum of their hashes, each times that of its place."""
    encoded = tags.flatten().dictionary_encode()
    hashes = [hashlib.blake2b(one.encode(), digest_size=8).digest() for one in encoded.dictionary.to_pylist()]
    values = np.frombuffer(b"".join(hashes), np.uint64)
    starts = tags.offsets.to_numpy().astype(np.int64)
    lengths = np.diff(starts)
    places = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
    powers = np.cumprod(np.full(int(lengths.max(initial=0)) + 1, _MIX))
    terms = values[encoded.indices.to_numpy()] * powers[places] if len(values) else np.empty(0, np.uint64)
    return text_columns.sums(terms, starts, np.uint64).view(np.int64)
