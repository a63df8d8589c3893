"""One label, or any number of labels, for a whole text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tunekit_hub.labelled import Labelled
from tunekit_hub.records import Profile
from tunekit_hub.scores import baselines
from tunekit_hub.scores.metrics import Counts, count_labels
from tunekit_hub.tasks._heads import IGNORED, MULTI, SINGLE, Encoded, Head, Labels, cut, load_tokenizer

if TYPE_CHECKING:
    import torch


def _label_names(rows: Sequence[Labelled], _: Profile) -> list[str]:
    return sorted({label for row in rows for label in row.labels})


def _problem(profile: Profile) -> str:
    return MULTI if "multi" in profile.shape else SINGLE


def _encode(tokenizer: Any, rows: Sequence[Labelled], labels: Labels, max_tokens: int) -> list[Encoded]:
    if not rows:
        return []
    batch, lost = cut(tokenizer, [row.text for row in rows], max_tokens)
    bare = tokenizer.num_special_tokens_to_add(pair=False)
    done = []
    for row, ids, over in zip(rows, batch["input_ids"], lost, strict=True):
        target = _target(row, labels)
        carries = len(ids) > bare and target != IGNORED
        done.append(Encoded(ids, target if carries else _nothing(labels), int(carries), over))
    return done


def _target(row: Labelled, labels: Labels) -> int | list[float]:
    """Labels the model does not know cannot carry loss."""
    if labels.problem == MULTI:
        return [float(name in row.labels) for name in labels.names]
    return labels.ids.get(row.labels[0], IGNORED) if row.labels else IGNORED


def _nothing(labels: Labels) -> int | list[float]:
    return [float(IGNORED)] * len(labels.names) if labels.problem == MULTI else IGNORED


def _pad(targets: Sequence[Any], _: int) -> torch.Tensor:
    import torch

    return torch.tensor(list(targets))


def _decode(logits: np.ndarray, _: Encoded, labels: Labels) -> tuple[str, ...]:
    """The likeliest label; of several, those that are likelier than not."""
    if labels.problem == MULTI:
        return tuple(labels.names[i] for i in np.flatnonzero(logits > 0))
    return (labels.names[int(logits.argmax())],)


def _count(rows: Sequence[Labelled], predicted: Sequence[tuple[str, ...]], labels: Labels) -> Counts:
    truth = [row.labels for row in rows]
    return count_labels(truth, predicted, sorted({*labels.names, *(name for true in truth for name in true)}))


def _baselines(train: Sequence[Labelled], held_out: Sequence[Labelled]) -> dict[str, Sequence[tuple[str, ...]]]:
    learned = baselines.tfidf(train, held_out)
    most = {baselines.MAJORITY: baselines.majority(train, held_out)}
    return most if learned is None else most | {baselines.TFIDF: learned}


def _shown(labels: Labels) -> tuple[str, ...]:
    """Of one label a text, pooled F1 is accuracy, and is not told twice."""
    every = ("macro_f1", "accuracy", "macro_precision", "macro_recall")
    return (*every, "micro_f1") if labels.problem == MULTI else every


HEAD = Head(
    model_class="AutoModelForSequenceClassification",
    peft_type="SEQ_CLS",
    how="loss on the label of each text",
    unlabelled="the model's tokenizer finds nothing to read in the text",
    label_names=_label_names,
    problem=_problem,
    load_tokenizer=load_tokenizer,
    inputs=lambda row: row.text,
    row=lambda text: Labelled(text, ()),
    encode=_encode,
    pad=_pad,
    decode=_decode,
    truth=lambda row: row.labels,
    count=_count,
    shown=_shown,
    baselines=_baselines,
)
