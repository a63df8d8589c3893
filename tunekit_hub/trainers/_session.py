"""One training as it goes: what is told of it, what is kept with a checkpoint, what is decided after each step.

Between the two trainers and transformers' loop.
"""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tunekit_hub.errors import TrainingFailed
from tunekit_hub.facts import Running
from tunekit_hub.hardware import peak
from tunekit_hub.records import LossPoint, Plan
from tunekit_hub.trainers import Fitted, OnEvent, _checkpoints
from tunekit_hub.trainers._stop import Stop
from tunekit_hub.trainers._watch import Watch
from tunekit_hub.units import duration

KEPT_LOSSES = 200
SOONEST = 0.1  # of the time between checkpoints passes before the end of a pass is worth one


class Session:
    """The state of one training."""

    def __init__(
        self, plan: Plan, run_dir: Path, tell: OnEvent, running: Running, *, tokens: int, stop: Stop | None = None
    ):
        """`tokens` is those of one pass, unpadded."""
        self.plan, self.run_dir, self.tell, self.running, self.tokens = plan, run_dir, tell, running, tokens
        self.stop, self.watch = stop or Stop(), Watch(plan)
        self.steps, self.epochs = 0, 0.0
        self.stopping = False  # a signal came; the training ends as soon as this step or pass is saved
        self._most = 0  # steps there are to do
        self.losses: list[LossPoint] = []
        self.stopped_early, self.adjustments, self.pieces = "", [], 1
        self.items: Any = 1  # tokens or labels with a loss in the step at work
        self.extra: list[tuple[Callable[[Path], dict[str, Any]], Callable[[Path, dict[str, Any]], None]]] = []
        self._before, self._began, self._saved, self._since = 0.0, time.monotonic(), 0.0, 0.0
        self.finished = False  # a stop came after the last step; there is only the model to be saved
        self._peak = 0
        self.now = 0.0  # seconds after the last step, the same in all processes
        self.agree: Callable[..., tuple[float, ...]] = lambda *mine: mine
        self.found = _checkpoints.newest(run_dir, plan)

    @property
    def broken_off(self) -> bool:
        """Whether a signal ends the training in the middle of a pass, which is therefore not to be judged."""
        return self.stopping and not self._at_edge(self._most)

    @property
    def seconds(self) -> float:
        """Of training, counted on after a stop."""
        return self._before + time.monotonic() - self._began

    def begin(self) -> str | None:
        """The clock starts here; the checkpoint to go on from, if there is one."""
        self._began = time.monotonic()
        if self.found is None:
            return None
        folder, state = self.found
        self.steps, self.epochs = state["steps"], state["epochs"]
        self.losses = [LossPoint(step=step, loss=loss) for step, loss in state["losses"]]
        self.adjustments, self.pieces = state["adjustments"], state["pieces"]
        self._before = self._saved = self.now = state["seconds"]
        self._peak = state["peak_memory"]
        self.stopped_early = state["stopped_early"]
        self.finished = bool(self.stopped_early)
        self.watch.recall(state["watch"])
        for (_, recall), kept in zip(self.extra, state["extra"], strict=True):
            recall(folder, kept)
        self.tell({"event": "resumed", "step": self.steps})
        self.tell({"event": "note", "message": f"going on after step {self.steps}"})
        return str(folder)

    def after_step(self, step: int, steps: int, epoch: float) -> tuple[bool, bool]:
        """Whether to save now, and whether to end the training."""
        self.steps, self._most, self.epochs = step, steps, epoch
        self._agree()
        limit = self.plan.time_limit
        if limit and self.now > limit and step < steps:
            self.stopped_early = f"the time limit of {duration(limit)} was reached"
        due = self._since >= self.running.checkpoint_every
        end = self.stopping or bool(self.stopped_early)
        return not self._at_edge(steps) and (self.stopping or (due and not end)), end

    def after_pass(self, steps: int, over: bool) -> bool:
        """Whether to save; `over`: the training ends here. A pass that was broken off has nothing new to save."""
        self._agree()
        if not self._at_edge(steps):
            return False
        far = self._since >= self.running.checkpoint_every * SOONEST
        return self.stopping or (far and not over and self.steps < steps)

    def save(self) -> None:
        """Complete what the Trainer has written for this step, and make it the newest checkpoint."""
        half = _checkpoints.half_written(self.run_dir, self.steps)
        state = {
            "made_for": _checkpoints.made_for(self.plan),
            "steps": self.steps,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "peak_memory": self._highest(),
            "losses": [(point.step, point.loss) for point in self.losses],
            "stopped_early": self.stopped_early,
            "adjustments": self.adjustments,
            "pieces": self.pieces,
            "watch": self.watch.state(),
            "extra": [keep(half) for keep, _ in self.extra],
        }
        _checkpoints.seal(self.run_dir, self.steps, state)
        self.saved()
        self.tell({"event": "checkpoint", "step": self.steps})

    def saved(self) -> None:
        """The time to the next checkpoint runs from here."""
        self._saved = self.seconds

    def logged(self, step: int, steps: int, epoch: float, logs: dict[str, Any]) -> None:
        """A step's figures, as the Trainer logs them.

        Raises:
            TrainingFailed: they show that nothing is learned.
        """
        loss, norm = float(logs["loss"]), logs.get("grad_norm")
        self.watch.step(step, loss, None if norm is None else float(norm), float(self.items), epoch)
        self.losses.append(LossPoint(step=step, loss=loss))
        seconds, limit = self.seconds, self.plan.time_limit
        left = seconds / step * (steps - step)
        self.tell(
            {
                "event": "step",
                "step": step,
                "steps": steps,
                "epoch": epoch,
                "loss": loss,
                "learning_rate": logs.get("learning_rate"),
                "tokens_per_second": self.tokens * epoch / seconds,
                "memory": _memory(),
                "seconds_left": min(left, max(limit - seconds, 0)) if limit else left,
            }
        )

    def halve(self, rows: int) -> None:
        """A batch of `rows` rows did not fit the memory: from now on it is taken in twice as many pieces.

        Raises:
            TrainingFailed: a piece is one row already.
        """
        if self.pieces >= rows:
            raise out_of_memory(self.plan, rows=1)
        before = self._batch()
        self.pieces *= 2
        what = f"out of memory at step {self.steps + 1}: {before} → {self._batch()}"
        self.adjustments.append(what)
        self.tell({"event": "adjusted", "message": what, "step": self.steps + 1})
        self.tell({"event": "note", "message": what})

    def end(self) -> None:
        """The loop is done: go on to save the model, or obey the signal.

        Raises:
            KeyboardInterrupt, SystemExit: it was stopped, and the checkpoint is written.
            TrainingFailed: not one step had a gradient.
        """
        if self.stopping or self.stop.wanted:
            self.stop.obey()
        if self.losses:
            self.watch.end(self.steps, self.losses[-1].loss)

    def fitted(self, **more: Any) -> Fitted:
        """What was done, for the record."""
        every = max(1, math.ceil(len(self.losses) / KEPT_LOSSES))
        kept = self.losses[::every]
        if self.losses and kept[-1] != self.losses[-1]:
            kept = [*kept[: KEPT_LOSSES - 1], self.losses[-1]]
        return Fitted(
            steps=self.steps,
            epochs=self.epochs,
            seconds=self.seconds,
            tokens=round(self.tokens * self.epochs),
            peak_memory=self._highest(),
            losses=tuple(kept),
            stopped_early=more.pop("stopped_early", "") or self.stopped_early,
            adjustments=tuple(self.adjustments),
            processes=self.running.processes,
            **more,
        )

    def _agree(self) -> None:
        """Look at the clock and for a signal; of several processes the first one decides."""
        now = self.seconds
        stop, self.now, self._since = self.agree(float(self.stop.wanted), now, now - self._saved)
        self.stopping = bool(stop)
        if self.stopping and not self.stop.wanted:
            self.stop.signal = signal.SIGTERM

    def _at_edge(self, steps: int) -> bool:
        return self.steps >= steps or abs(self.epochs - round(self.epochs)) < 1e-9

    def _highest(self) -> int:
        return max(self._peak, peak.peak_memory())

    def _batch(self) -> str:
        batch = -(-self.plan.batch_size // self.pieces)
        return f"{batch} rows at a time, {self.plan.accumulation * self.pieces} times a step"


def out_of_memory(plan: Plan, rows: int) -> TrainingFailed:
    """What to say where memory ends and no smaller batch helps."""
    what = "one row" if rows == 1 else f"{rows} rows"
    return TrainingFailed(
        f"{what} of up to {plan.max_tokens} tokens did not fit the memory",
        f"cut rows: `--set max_tokens={max(plan.max_tokens // 2, 1)}`, or take a smaller model: `--model …`",
    )


def _memory() -> int:
    """Bytes in use now: on the GPU where there is one, else resident."""
    torch = sys.modules.get("torch")
    return torch.cuda.memory_reserved() if torch and torch.cuda.is_available() else peak.resident()
