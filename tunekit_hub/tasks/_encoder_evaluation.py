"""How a tuned encoder does on the held-out rows, against what can be had without a neural network.

The model is loaded from the files that would be published, in float32, as a pipeline loads it, and reads as many
tokens as a pipeline lets it. So what is measured is what a user gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tunekit_hub.records import Score
from tunekit_hub.scores import reload
from tunekit_hub.scores.metrics import Counts, figures, gain, label_scores
from tunekit_hub.tasks import Measured, Trial
from tunekit_hub.tasks._encoder import load, logits
from tunekit_hub.tasks._encoder_files import Scored, write_files
from tunekit_hub.tasks._heads import Encoded, Head, Labels
from tunekit_hub.text import count_rows

RELOADED_ROWS = 32
_DIGITS = 5  # of a logit, in the gate
Predictions = Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class _Said:
    """A model's output for rows."""

    encoded: list[Encoded]
    logits: list[np.ndarray]
    predicted: list[tuple[str, ...]]


def evaluate(trial: Trial) -> Measured:
    """Score the tuned model and the baselines on the held-out rows; write tables, pictures and mistakes."""
    plan, rows, folder = trial.plan, trial.split.held_out, trial.run_dir / "model"
    head = _head(plan.task)
    model, tokenizer, labels = load(folder, head)
    trial.tell({"event": "note", "message": f"scoring {count_rows(len(rows))} that were held out"})
    said = _say(model, tokenizer, head, labels, rows)
    _tell_of_limits(trial, said, rows, labels, head)
    trial.tell({"event": "note", "message": "baselines, trained on the same rows"})
    others = head.baselines(trial.split.train, rows)
    counts = [head.count(rows, predicted, labels) for predicted in (said.predicted, *others.values())]
    shown = head.shown(labels)
    scores, against, gained = _compare(counts, list(others), shown, plan.seed)
    tuned, *baselines = scores
    by_label = label_scores(counts[0])
    scored = Scored(head, labels, rows, said.predicted, said.logits, said.encoded, by_label)
    return Measured(
        rows=len(rows),
        tuned=tuned,
        baselines=tuple(baselines),
        against=against,
        gain=gained,
        metric=shown[0],
        job=_job(plan.task, folder, head, rows),
        outputs=_outputs(said, RELOADED_ROWS),
        labels=by_label,
        files=write_files(scored, trial.run_dir),
    )


def replay(job: reload.Job) -> reload.Outputs:
    """The logits and labels of a job, by the files alone."""
    head = _head(job.task)
    model, tokenizer, labels = load(Path(job.model), head)
    rows = [head.row(one) for one in job.payload["inputs"]]
    return _outputs(_say(model, tokenizer, head, labels, rows), len(rows))


def _head(task: str) -> Head:
    from tunekit_hub.tasks import TASKS

    head = TASKS[task].head
    assert head is not None, task
    return head


def _say(model: Any, tokenizer: Any, head: Head, labels: Labels, rows: Sequence[Any]) -> _Said:
    encoded = head.encode(tokenizer, rows, labels, tokenizer.model_max_length)
    out = logits(model, encoded, tokenizer.pad_token_id or 0)
    return _Said(encoded, out, [head.decode(one, row, labels) for one, row in zip(out, encoded, strict=True)])


def _compare(
    counts: Sequence[Counts], names: list[str], measures: Sequence[str], seed: int
) -> tuple[list[Score], str, Any]:
    """Scores, the tuned model's first; the hardest baseline by the first measure; the gain over it."""
    found, decides = figures(counts, seed), measures[0]
    scores = [
        Score(name=name, figures={key: one[0][key] for key in measures})
        for name, one in zip(["tuned", *names], found, strict=True)
    ]
    hardest = max(range(1, len(found)), key=lambda i: found[i][0][decides].value)
    return scores, names[hardest - 1], gain(found[0], found[hardest], decides)


def _tell_of_limits(trial: Trial, said: _Said, rows: Sequence[Any], labels: Labels, head: Head) -> None:
    """What counts as a mistake whatever the model learned."""
    cut = sum(row.lost > 0 for row in said.encoded)
    if cut:
        words = sum(place is None for row in said.encoded for place in row.places)
        what = f"; {words:,} words have no prediction and count as such" if words else ""
        trial.tell(
            {
                "event": "note",
                "message": f"{count_rows(cut)} longer than the model reads, judged by their beginning{what}",
            }
        )
    never = sorted({name for row in rows for name in head.truth(row)} - set(labels.names))
    if never:
        with_it = sum(bool(set(head.truth(row)) & set(never)) for row in rows)
        named = ", ".join(f"`{name}`" for name in never[:5]) + (" …" if len(never) > 5 else "")
        trial.tell(
            {
                "event": "note",
                "message": f"{count_rows(with_it)} held out with labels that no row to train on has ({named}), "
                "which no model can know",
            }
        )


def _job(task: str, folder: Path, head: Head, rows: Sequence[Any]) -> reload.Job:
    payload = {"inputs": [head.inputs(row) for row in rows[:RELOADED_ROWS]]}
    return reload.Job(task, str(folder), None, "fp32", payload)


def _outputs(said: _Said, number: int) -> reload.Outputs:
    """Logits of texts; of sentences, those of each word."""
    numbers, texts = [], []
    for out, row, predicted in list(zip(said.logits, said.encoded, said.predicted, strict=True))[:number]:
        seen = out if out.ndim == 1 else out[[place for place in row.places if place is not None]]
        numbers.append(np.round(seen.astype(float), _DIGITS).ravel().tolist())
        texts.append(" ".join(predicted))
    return reload.Outputs(numbers, texts)
