"""Rows that repeat others: in the data, under other labels, and in the test file too.

Texts are equal after `fold`; every row is compared. Texts are near as `similarity` says; where there are more than
`MOST` rows or `_MOST_BYTES` of text, an even sample is compared, and the note says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tunekit_hub.profiles import fingerprints
from tunekit_hub.profiles.notes import note
from tunekit_hub.profiles.similarity import NEAR, band_keys, near_earlier
from tunekit_hub.records import Note
from tunekit_hub.text import count_rows

if TYPE_CHECKING:
    from tunekit_hub.tasks import Examined

MOST = 200_000  # rows that are compared for nearness
_MOST_BYTES = 64e6  # of their text
_MEASURE = f"at least {NEAR:.0%} of their three-word sequences are the same".replace("%", " %")


@dataclass(frozen=True)
class _Equal:
    """Which rows of some data have equal texts."""

    prints: np.ndarray  # uint64, one per row
    first: np.ndarray  # of each row the first one that is equal to it

    @classmethod
    def of(cls, texts: pa.ChunkedArray) -> _Equal:
        prints = fingerprints.of_folded(texts)
        _, first, groups = np.unique(prints, return_index=True, return_inverse=True)
        return cls(prints, first[groups])

    @property
    def again(self) -> np.ndarray:
        """Whether an earlier row is equal; bool."""
        return self.first != np.arange(len(self.first))


def find(train: Examined, test: Examined | None) -> list[Note]:
    """Notes on rows that repeat an earlier one, and on rows of the test file that repeat one of the data."""
    equal = _Equal.of(train.texts)
    found = [_repeated(train, equal), _contradicted(train, equal)]
    rows = _evenly(np.flatnonzero(~equal.again), train.texts)
    some = _said(len(rows), int(np.count_nonzero(~equal.again)))
    texts = _take(train.texts, rows)
    keys = band_keys(texts)
    near = near_earlier(texts, keys) >= 0
    found.append(_nearly_repeated(train.lines[rows[near]], some))
    if test is not None:
        leaked = np.isin(fingerprints.of_folded(test.texts), equal.prints)
        found.append(_leaked(test.lines[leaked]))
        found.append(_nearly_leaked(test, np.flatnonzero(~leaked), (texts, keys), some))
    return [one for one in found if one is not None]


def _evenly(rows: np.ndarray, texts: pa.ChunkedArray) -> np.ndarray:
    """As many of these rows as may be compared, evenly spaced."""
    most = min(MOST, int(len(texts) * _MOST_BYTES / max(texts.nbytes, 1)))
    return rows if len(rows) <= most else rows[np.arange(most) * len(rows) // most]


def _take(texts: pa.ChunkedArray, rows: np.ndarray) -> pa.ChunkedArray:
    return texts if len(rows) == len(texts) else texts.take(pa.array(rows))


def _said(compared: int, total: int) -> str:
    return f"; compared was an even sample of {compared:,} of {total:,} rows" if compared < total else ""


def _repeated(train: Examined, equal: _Equal) -> Note | None:
    lines = train.lines[equal.again]
    message = f"{count_rows(len(lines))} equal to an earlier one; equal rows stay on one side of the split"
    return note("duplicates", message, lines) if len(lines) else None


def _contradicted(train: Examined, equal: _Equal) -> Note | None:
    if train.keys is None:
        return None
    lines = train.lines[train.keys != train.keys[equal.first]]
    message = f"{count_rows(len(lines))} equal to an earlier one but labelled otherwise; one of the two is wrong"
    return note("label-conflicts", message, lines) if len(lines) else None


def _nearly_repeated(lines: np.ndarray, some: str) -> Note | None:
    message = (
        f"{count_rows(len(lines))} nearly equal to an earlier one ({_MEASURE}); they may stand on both sides of "
        f"the split, where the score flatters{some}"
    )
    return note("near-duplicates", message, lines) if len(lines) or some else None


def _leaked(lines: np.ndarray) -> Note | None:
    message = (
        f"{count_rows(len(lines))} of the test file also in the training data, whose rows of that text are left "
        "out of training"
    )
    return note("leakage", message, lines) if len(lines) else None


def _nearly_leaked(
    test: Examined, rows: np.ndarray, train: tuple[pa.ChunkedArray, np.ndarray], some: str
) -> Note | None:
    """Rows of the test file that are not in the training data, but nearly."""
    rows = _evenly(rows, test.texts)
    texts, keys = train
    asked = _take(test.texts, rows)
    both = pa.chunked_array([*texts.chunks, *asked.chunks], texts.type)
    near = near_earlier(both, np.concatenate([keys, band_keys(asked)]), start=len(texts))[len(texts) :] >= 0
    lines = test.lines[rows[near]]
    message = (
        f"{count_rows(len(lines))} of the test file nearly equal to one of the training data ({_MEASURE}); "
        f"they stay in both, so the score may flatter{some}"
    )
    return note("near-leakage", message, lines) if len(lines) else None
