"""Confidence intervals by resampling rows: the percentile bootstrap (Efron & Tibshirani 1993, chapter 13)."""

from __future__ import annotations

from collections.abc import Sequence

from tunekit_hub.records import Figure

RESAMPLES = 1000


def ratio(totals: Sequence[float], counts: Sequence[float], seed: int) -> Figure:
    """Sum of totals over sum of counts, such as loss per token, and its 95 % interval over rows."""
    import numpy as np

    sums, sizes = np.array(totals), np.array(counts)
    picks = np.random.default_rng(seed).integers(0, len(sums), (RESAMPLES, len(sums)))
    low, high = np.percentile(sums[picks].sum(1) / sizes[picks].sum(1), [2.5, 97.5])
    return Figure(value=float(sums.sum() / sizes.sum()), low=float(low), high=float(high))
