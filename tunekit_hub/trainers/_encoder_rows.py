"""Rows as an encoder trains on them, and the proof of what carries loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunekit_hub import supervision
from tunekit_hub.errors import SupervisionError
from tunekit_hub.records import Lengths, Plan, Profile, Supervision
from tunekit_hub.tasks._heads import IGNORED, MULTI, Encoded, Head, Labels, tokenize
from tunekit_hub.trainers._encoder_loss import label_weights

if TYPE_CHECKING:
    from tunekit_hub.splits import Split

_PART = 2000  # rows tokenized at a time


@dataclass(frozen=True)
class Prepared:
    """What `fit` takes."""

    head: Head
    labels: Labels
    tokenizer: Any
    train: list[Encoded]
    weights: list[float] | None
    validation: list[Encoded]
    validation_rows: Sequence[Any]


def head_of(task: str) -> Head:
    """The head of a task of encoders."""
    from tunekit_hub.tasks import TASKS

    head = TASKS[task].head
    assert head is not None, task
    return head


def lengths(folder: Path, profile: Profile, rows: Sequence[Any], limit: int) -> Lengths:
    """Token lengths of whole rows; `total` counts what the model reads, at most `limit` tokens of each."""
    head = head_of(profile.task)
    tokenizer = head.load_tokenizer(folder)
    counts: list[int] = []
    for start in range(0, len(rows), _PART):
        part = [head.inputs(row) for row in rows[start : start + _PART]]
        words = {"is_split_into_words": True} if not isinstance(part[0], str) else {}
        counts += map(len, tokenize(tokenizer, part, truncation=False, **words)["input_ids"])
    return supervision.lengths(counts).but(total=int(np.minimum(counts, limit).sum()))


def prepare(
    plan: Plan, base: Path, rows: Split, max_dropped: float = supervision.MAX_DROPPED
) -> tuple[Prepared, Supervision, str]:
    """Encoded rows, the record of what carries loss, and one rendered row.

    Raises:
        SupervisionError: fewer than two labels, or too many rows without anything to learn from.
    """
    head = head_of(plan.task)
    labels = head.labels(rows.train, plan.selection.recommendation.profile)
    tokenizer = head.load_tokenizer(base)
    encoded = head.encode(tokenizer, rows.train, labels, plan.max_tokens)
    kept = [row for row in encoded if row.trained]
    dropped = len(encoded) - len(kept)
    record = Supervision(
        rows=len(kept),
        dropped={head.unlabelled: dropped} if dropped else {},
        truncated=sum(row.lost > 0 for row in kept),
        tokens=sum(len(row.input_ids) for row in kept),
        trained_tokens=sum(row.trained for row in kept),
        lost_tokens=sum(row.lost for row in kept),
        eos_rows=None,
        how=head.how,
        lengths=supervision.lengths([len(row.input_ids) + row.lost for row in kept]),
    )
    _prove(record, dropped, head, max_dropped)
    weights = label_weights(kept, labels) if plan.class_weights else None
    validation = head.encode(tokenizer, rows.validation, labels, plan.max_tokens)
    done = Prepared(head, labels, tokenizer, kept, weights, validation, rows.validation)
    return done, record, proof(done)


def _prove(record: Supervision, dropped: int, head: Head, max_dropped: float) -> None:
    if not record.trained_tokens:
        raise SupervisionError(
            f"no row carries loss, so nothing would be learned ({dropped} rows: {head.unlabelled})",
            "look at the rows with `tunekit-hub profile`, or choose another model: `--model …`",
        )
    if dropped > max_dropped * (record.rows + dropped):
        raise SupervisionError(
            f"{dropped} of {record.rows + dropped} rows would carry no loss, and {100 * max_dropped:g} % may: "
            f"{head.unlabelled}",
            "choose a model made for this language: `--model …`; or train without them: "
            f"`--max-dropped {supervision.percent(dropped, record.rows + dropped)}`",
        )


def proof(done: Prepared) -> str:
    """The row of median length as the model sees it: its tokens, and the labels that carry loss."""
    order = sorted(range(len(done.train)), key=lambda i: len(done.train[i].input_ids))
    row = done.train[order[len(order) // 2]]
    pieces = done.tokenizer.convert_ids_to_tokens(row.input_ids)
    if not row.places:
        lines = [" ".join(pieces), "", f"label: {_names(row, done.labels)}"]
    else:
        width = max(map(len, pieces))
        named = [done.labels.names[t] if t != IGNORED else "·" for t in row.labels]
        lines = [f"{piece:<{width}}  {name}" for piece, name in zip(pieces, named, strict=True)]
        lines += ["", "· carries no loss"]
    if done.weights:
        pairs = zip(done.labels.names, done.weights, strict=True)
        lines += ["", "weights: " + ", ".join(f"{name} {weight:.2f}" for name, weight in pairs)]
    return "\n".join(lines) + "\n"


def _names(row: Encoded, labels: Labels) -> str:
    if labels.problem != MULTI:
        return labels.names[row.labels]
    return ", ".join(name for name, there in zip(labels.names, row.labels, strict=True) if there > 0) or "(none)"
