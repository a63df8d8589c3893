"""The loss of an encoder's labels, and the weights of rare ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tunekit_hub.tasks._heads import IGNORED, MULTI, Encoded, Labels

if TYPE_CHECKING:
    import torch

MOST = 10.0  # times the loss of a usual row; more makes a handful of rows decide


def label_weights(rows: Sequence[Encoded], labels: Labels) -> list[float]:
    """What a label weighs in the loss, from the rows that are trained on.

    One label a row or a word: inverse to its frequency, so that the rows of each label weigh the same together, up
    to `MOST` times what a usual row weighs; and 1 on average over the rows, so that a learning rate means the same
    with weights and without. Several labels a row: rows without the label for each row with it, from 1 to `MOST`;
    it multiplies the loss where the label is there.
    """
    if labels.problem == MULTI:
        targets = np.array([row.labels for row in rows if row.trained])
        there = targets.sum(axis=0)
        return np.clip((len(targets) - there) / np.maximum(there, 1), 1, MOST).tolist()
    flat = np.concatenate([np.atleast_1d(row.labels) for row in rows])
    counts = np.bincount(flat[flat != IGNORED], minlength=len(labels.names)).astype(float)
    present = counts > 0
    weights = np.ones(len(counts))
    weights[present] = np.minimum(counts.sum() / (present.sum() * counts[present]), MOST)
    return (weights * counts.sum() / (weights * counts).sum()).tolist()


def carried(rows: Sequence[Encoded]) -> int:
    """How many labels carry loss."""
    return sum(int((np.atleast_1d(row.labels) != IGNORED).sum()) for row in rows)


def summed_loss(
    logits: torch.Tensor, targets: torch.Tensor, problem: str | None, weights: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss of a batch, summed; and over how many labels.

    Args:
        logits: (rows, labels), or (rows, tokens, labels).
        targets: ids of shape (rows,) or (rows, tokens); or (rows, labels), each 0, 1 or IGNORED.
        problem: as in `Labels`.
        weights: of the labels, or None.
    """
    import torch.nn.functional as functional

    logits = logits.float()
    if problem != MULTI:
        flat, wanted = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
        loss = functional.cross_entropy(flat, wanted, weights, ignore_index=IGNORED, reduction="sum")
        return loss, (wanted != IGNORED).sum()
    carried = targets != IGNORED
    loss = functional.binary_cross_entropy_with_logits(
        logits, targets.clamp(min=0), weight=carried.float(), pos_weight=weights, reduction="sum"
    )
    return loss, carried.sum()
