"""After each pass: the task's metric on the validation rows, a copy of the weights to keep, and when to stop.

Those that did best are kept, with one exception: the last ones of a whole schedule, where so few rows cannot tell
them from the best. By then the learning rate has come down to nothing, and which pass before was luckiest on a few
hundred rows says less about other rows than that.

The copy is kept in main memory, where an encoder takes less than a gigabyte, and goes with each checkpoint.
A function makes the callback, so that importing this module does not import transformers.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from tunekit_hub.records import ValidationPoint
from tunekit_hub.scores.metrics import measures
from tunekit_hub.tasks._encoder import logits
from tunekit_hub.trainers._encoder_loss import summed_loss
from tunekit_hub.trainers._encoder_model import put_back, trained
from tunekit_hub.trainers._encoder_rows import Prepared
from tunekit_hub.trainers._session import Session

BEST = "best.safetensors"


class Validation:
    """What was found on the validation rows, and the weights to keep.

    `keep` and `recall` take it over a stop, with the checkpoint in a folder; at the end, `restore` puts the kept
    weights back.
    """

    def __init__(self, done: Prepared, metric: str, session: Session):
        self._done, self._metric, self._session = done, metric, session
        self.points: list[ValidationPoint] = []
        self.best: tuple[float, float] = (-1.0, 0.0)
        self.kept: dict[str, Any] = {}
        self.kept_step: int | None = None
        self.worse, self.stopped = 0, ""

    def after_pass(self, model: Any, step: int, steps: int, epoch: float) -> bool:
        """Judge the weights as they are; whether it is time to stop."""
        if not self._done.validation or self._session.broken_off:
            return False
        plan, metric = self._session.plan, self._metric
        # Several processes have the same weights, but must not differ in the last digit over when to stop.
        loss, score = self._session.agree(*validate(model, self._done, metric, plan.precision))
        point = ValidationPoint(step=step, epoch=epoch, loss=loss, score=score)
        self.points.append(point)
        self._session.tell({"event": "validation", "metric": metric, **point.model_dump()})
        if (score, -loss) > self.best:
            self.best, self.worse = (score, -loss), 0
            self.kept, self.kept_step = trained(model), step
            return False
        if step >= steps and score >= self.best[0] - standard_error(self.best[0], len(self._done.validation)):
            self.kept, self.kept_step = trained(model), step
        self.worse += 1
        if not plan.patience or self.worse < plan.patience or step >= steps:
            return False
        passes = "a pass" if self.worse == 1 else f"{self.worse} passes"
        self.stopped = f"no better on the validation rows for {passes}"
        return True

    def keep(self, folder: Path) -> dict[str, Any]:
        """What `recall` takes; the weights to keep go to `folder`."""
        from safetensors.torch import save_file

        if self.kept:
            save_file(self.kept, folder / BEST)
        points = [point.model_dump() for point in self.points]
        kept = {"points": points, "best": self.best, "kept_step": self.kept_step, "worse": self.worse}
        return kept | {"stopped": self.stopped}

    def recall(self, folder: Path, kept: dict[str, Any]) -> None:
        """Go on from what was kept."""
        from safetensors.torch import load_file

        self.points = [ValidationPoint.model_validate(point) for point in kept["points"]]
        self.best, self.worse, self.kept_step = tuple(kept["best"]), kept["worse"], kept["kept_step"]
        self.stopped = kept["stopped"]
        self._session.finished |= bool(self.stopped)
        if (folder / BEST).exists():
            self.kept = load_file(folder / BEST)

    def restore(self, model: Any) -> None:
        """Put the kept weights into the model."""
        if self.kept:
            put_back(model, self.kept)
            self.kept = {}


def standard_error(score: float, rows: int) -> float:
    """That of a share of so many rows, which F1 is close to: sqrt(p (1 - p) / n).

    One of it is what is commonly allowed between the best model and the one that is taken (Breiman et al.,
    Classification and Regression Trees, 1984).
    """
    return math.sqrt(score * (1 - score) / rows)


def validation_callback(validation: Validation) -> Any:
    """A transformers callback that judges after each pass."""
    from transformers import TrainerCallback

    class AfterPass(TrainerCallback):
        def on_epoch_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:  # noqa: ARG002
            end = validation.after_pass(given["model"], state.global_step, state.max_steps, float(state.epoch))
            control.should_training_stop |= end

    return AfterPass()


def validate(model: Any, done: Prepared, metric: str, precision: str) -> tuple[float, float]:
    """Loss a label, weighted as in training, and the metric, on the validation rows."""
    import torch

    said = logits(model, done.validation, done.tokenizer.pad_token_id or 0, precision)
    weights = None if done.weights is None else torch.tensor(done.weights)
    total, number = 0.0, 0
    for out, row in zip(said, done.validation, strict=True):
        targets = torch.tensor(row.labels).reshape(out.shape[:-1] if done.labels.problem is None else (-1,))
        shaped = torch.from_numpy(np.atleast_2d(out))
        if targets.dtype.is_floating_point:
            targets = targets.reshape(1, -1)
        loss, labels = summed_loss(shaped, targets, done.labels.problem, weights)
        total, number = total + float(loss), number + int(labels)
    predicted = [done.head.decode(out, row, done.labels) for out, row in zip(said, done.validation, strict=True)]
    counts = done.head.count(done.validation_rows, predicted, done.labels)
    return total / max(number, 1), float(measures(counts.sums)[metric][0])
