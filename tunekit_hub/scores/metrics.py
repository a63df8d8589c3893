"""Scores of predicted labels, tags and entities, with intervals.

Every score here is a function of sums over rows: how many predictions were right, and per label how many it has,
how many were predicted and how many of those were right. So a bootstrap resamples rows of one sparse table of
counts, and 1000 resamples of some thousand rows with some hundred labels take about a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tunekit_hub.records import Figure, LabelScore
from tunekit_hub.scores.entities import entities

if TYPE_CHECKING:
    from scipy.sparse import csr_array

RESAMPLES = 1000
_CHUNK = 4_000_000  # numbers of a chunk of resampling weights
_HEAD = 2  # columns before those of the labels: predictions that are right, and predictions


@dataclass(frozen=True)
class Counts:
    """What each row adds to the sums.

    `table` has a row for each row of data and 2 + 3 × labels columns: right, all; then per label found (true and
    predicted), predicted, true.
    """

    table: csr_array
    labels: tuple[str, ...]

    @property
    def sums(self) -> np.ndarray:
        """Over all rows; shape (1, columns)."""
        return np.asarray(self.table.sum(axis=0), dtype=float).reshape(1, -1)


def count_labels(
    truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], labels: Sequence[str]
) -> Counts:
    """Counts of rows that have labels. A row is right where exactly its labels are predicted."""
    rows = (
        (set(true) == set(said), 1, set(true) & set(said), said, true)
        for true, said in zip(truth, predicted, strict=True)
    )
    return _counts(rows, labels)


def count_tags(
    truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], labels: Sequence[str]
) -> Counts:
    """Counts of words that have one tag each; a row is a sentence."""

    def row(true: Sequence[str], said: Sequence[str]) -> _Row:
        right = [a for a, b in zip(true, said, strict=True) if a == b]
        return len(right), len(true), right, said, true

    return _counts((row(true, said) for true, said in zip(truth, predicted, strict=True)), labels)


def count_entities(
    truth: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]], labels: Sequence[str]
) -> Counts:
    """Counts of entities by type, from the tags of sentences. Right and all are words, as for `count_tags`."""

    def row(true: Sequence[str], said: Sequence[str]) -> _Row:
        right = sum(a == b for a, b in zip(true, said, strict=True))
        gold, found = entities(true), entities(said)
        both = set(gold) & set(found)
        return right, len(true), [e.type for e in both], [e.type for e in found], [e.type for e in gold]

    return _counts((row(true, said) for true, said in zip(truth, predicted, strict=True)), labels)


_Row = tuple[int, int, Iterable[str], Iterable[str], Iterable[str]]


def _counts(rows: Iterable[_Row], labels: Sequence[str]) -> Counts:
    """`labels` may lack some that occur: those count in right and all only."""
    from scipy.sparse import coo_array

    at = {label: i for i, label in enumerate(labels)}
    places: list[tuple[int, int]] = []
    values: list[int] = []
    number = 0
    for i, (right, of, *groups) in enumerate(rows):
        number = i + 1
        places += [(i, 0), (i, 1)]
        values += [int(right), of]
        for block, group in enumerate(groups):
            found = [at[label] for label in group if label in at]
            places += [(i, _HEAD + block * len(labels) + place) for place in found]
            values += [1] * len(found)
    where = np.array(places, dtype=np.int64).reshape(-1, 2)
    shape = (number, _HEAD + 3 * len(labels))
    table = coo_array((np.array(values, dtype=float), (where[:, 0], where[:, 1])), shape=shape)
    return Counts(table.tocsr(), tuple(labels))


def measures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Every measure from sums of shape (k, columns); each of shape (k,).

    `accuracy`: predictions that are right. `macro_precision`, `macro_recall` and `macro_f1` are means over the
    labels that the rows have; the `micro_` forms pool all labels. Zero divided by zero is zero, as in
    scikit-learn. A label that no row has is in no mean: what was wrongly called so is missing elsewhere.
    The bare names are those of entities, where pooling is what is usual.
    """
    found, said, true = np.split(sums[:, _HEAD:], 3, axis=1)
    present = true > 0
    number = np.maximum(present.sum(axis=1), 1)
    pooled = [part.sum(axis=1) for part in (found, said, true)]
    per_label, overall = _shares(found, said, true), _shares(*pooled)
    means = {f"macro_{name}": (values * present).sum(axis=1) / number for name, values in per_label.items()}
    micro = {f"micro_{name}": values for name, values in overall.items()}
    return {"accuracy": _divide(sums[:, 0], sums[:, 1])} | means | micro | overall


def label_scores(counts: Counts) -> dict[str, LabelScore]:
    """How well each label is found, the most frequent first; labels that no row has are left out."""
    found, said, true = np.split(counts.sums[0, _HEAD:], 3)
    shares = _shares(found, said, true)
    order = sorted(np.flatnonzero(true), key=lambda i: (-true[i], counts.labels[i]))
    return {
        counts.labels[i]: LabelScore(
            **{name: float(values[i]) for name, values in shares.items()}, rows=int(true[i])
        )
        for i in order
    }


Measures = Callable[[np.ndarray], dict[str, np.ndarray]]


def figures(contenders: Sequence[Counts], seed: int) -> list[tuple[dict[str, Figure], dict[str, np.ndarray]]]:
    """Each contender's measures with 95 % intervals; and the values of the resamples, the same for all of them.

    Percentile bootstrap over rows (Efron & Tibshirani 1993, ch. 13).
    """
    resampled = _resample([counts.table for counts in contenders], seed)
    done = []
    for counts, sums in zip(contenders, resampled, strict=True):
        values, again = measures(counts.sums), measures(sums)
        done.append(({name: _figure(values[name][0], again[name]) for name in values}, again))
    return done


def gain(better: tuple[Any, Any], than: tuple[Any, Any], measure: str) -> Figure:
    """By how much the first of two entries of `figures` is above the second, paired by row."""
    return _figure(better[0][measure].value - than[0][measure].value, better[1][measure] - than[1][measure])


def _figure(value: float, resampled: np.ndarray) -> Figure:
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Figure(value=float(value), low=float(low), high=float(high))


def _resample(tables: Sequence[csr_array], seed: int) -> list[np.ndarray]:
    """Sums over rows drawn with replacement; per table an array of shape (RESAMPLES, columns)."""
    rows = tables[0].shape[0]
    random = np.random.default_rng(seed)
    a_chunk = max(1, min(RESAMPLES, _CHUNK // rows))
    done: list[list[np.ndarray]] = [[] for _ in tables]
    for start in range(0, RESAMPLES, a_chunk):
        number = min(a_chunk, RESAMPLES - start)
        times = np.stack([np.bincount(random.integers(0, rows, rows), minlength=rows) for _ in range(number)])
        for sums, table in zip(done, tables, strict=True):
            sums.append(np.asarray(times @ table))
    return [np.concatenate(sums) for sums in done]


def _shares(found: np.ndarray, said: np.ndarray, true: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "precision": _divide(found, said),
        "recall": _divide(found, true),
        "f1": _divide(2 * found, said + true),
    }


def _divide(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=float), where=whole > 0)
