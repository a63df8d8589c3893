"""What is seen of a training while it runs: events, the time limit, and a stop when the loss is not a number.

A function makes the callback, so that importing this module does not import transformers.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from typing import Any

from tunekit_hub.errors import TrainingFailed
from tunekit_hub.records import LossPoint, Plan
from tunekit_hub.trainers import Fitted, OnEvent
from tunekit_hub.units import duration

KEPT_LOSSES = 200


def progress_callback(plan: Plan, on_event: OnEvent, *, tokens: int) -> Any:
    """A transformers callback; its `fitted(seconds)` tells what was done. `tokens` is one epoch's, unpadded."""
    from transformers import TrainerCallback

    class Progress(TrainerCallback):
        def __init__(self) -> None:
            self.losses: list[LossPoint] = []
            self.stopped, self.steps, self.epochs, self.began = "", 0, 0.0, 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.began = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.steps, self.epochs = state.global_step, float(state.epoch or 0)
            elapsed = time.monotonic() - self.began
            if plan.time_limit and elapsed > plan.time_limit and self.steps < state.max_steps:
                self.stopped = f"the time limit of {duration(plan.time_limit)} was reached"
                control.should_training_stop = True

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if not logs or "loss" not in logs:
                return
            loss = float(logs["loss"])
            if not math.isfinite(loss):
                raise TrainingFailed(
                    f"the loss is {loss} at step {state.global_step}, so the weights are ruined",
                    f"lower the learning rate: `--set learning_rate={plan.learning_rate / 4:g}`",
                )
            self.losses.append(LossPoint(step=state.global_step, loss=loss))
            elapsed = time.monotonic() - self.began
            left = elapsed / state.global_step * (state.max_steps - state.global_step)
            on_event(
                {
                    "event": "step",
                    "step": state.global_step,
                    "steps": state.max_steps,
                    "loss": loss,
                    "tokens_per_second": tokens * float(state.epoch or 0) / elapsed,
                    "seconds_left": min(left, max(plan.time_limit - elapsed, 0)) if plan.time_limit else left,
                }
            )

        def fitted(self, seconds: float) -> Fitted:
            every = max(1, math.ceil(len(self.losses) / KEPT_LOSSES))
            return Fitted(
                steps=self.steps,
                epochs=self.epochs,
                seconds=seconds,
                tokens=round(tokens * self.epochs),
                peak_memory=peak_memory(),
                losses=tuple(self.losses[::every]),
                stopped_early=self.stopped,
            )

    return Progress()


def peak_memory() -> int:
    """The most memory this process has held, in bytes: on the GPU where there is one, else resident."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
