"""Stops a training that trains nothing, and says why: a ruined loss, a still one, a gradient of no use."""

from __future__ import annotations

import math
from typing import Any

from tunekit_hub.errors import TrainingFailed
from tunekit_hub.records import Plan

DEAD_STEPS = 5  # steps in a row whose gradient is exactly zero; a batch or two can be learned by heart
SKIPPED_STEPS = 30  # steps in a row whose gradient is too large; each halves the scale, and 17 bring it to 1
STILL_STEPS = 25  # first steps whose losses are all alike …
STILL = 1e-5  # … to this share; batches of different rows differ by far more, even if nothing is learned
SAME = 2e-6  # share by which the losses of two whole passes over the same rows differ at least; rounding is less
LEARNED = 1e-3  # below this loss, neither a small gradient nor a still loss is a fault


class Watch:
    """Looks at each step's loss, its gradient's norm and how many tokens or labels carry loss in it."""

    def __init__(self, plan: Plan):
        self._plan = plan
        self.dead = 0  # steps without a gradient up to now
        self.skipped = 0  # steps up to now whose gradient was too large for fp16, so that they changed nothing
        self.moved = True  # no step was skipped so far
        self.first: list[float] = []  # the first losses
        self.passes: list[list[float]] = []  # of each pass: sum of the losses of all items, items

    def step(self, number: int, loss: float, norm: float | None, items: float, epoch: float) -> None:
        """Take in one step; `epoch` is how many passes are done after it.

        Raises:
            TrainingFailed: something in the steps so far shows that nothing is learned.
        """
        if not math.isfinite(loss):
            raise TrainingFailed(
                f"the loss is {loss} at step {number}, so the weights are ruined", self._lower_rate()
            )
        self._overflow(number, norm)
        self._gradient(number, loss, norm)
        self._still(loss)
        self._pass(loss, items, epoch)

    def end(self, steps: int, loss: float) -> None:
        """The last step is done.

        Raises:
            TrainingFailed: not one step had a gradient.
        """
        if steps and self.dead >= steps and loss > LEARNED:
            self._no_gradient(steps, loss)
        if steps and self.skipped >= steps:
            self._too_large(steps)

    def state(self) -> dict[str, Any]:
        """What goes on after a stop."""
        kept = {"dead": self.dead, "first": self.first, "passes": self.passes}
        return kept | {"skipped": self.skipped, "moved": self.moved}

    def recall(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        self.dead, self.first, self.passes = state["dead"], state["first"], state["passes"]
        self.skipped, self.moved = state.get("skipped", 0), state.get("moved", True)

    def _overflow(self, number: int, norm: float | None) -> None:
        """A step with such a gradient ruins the weights; in fp16 it is skipped, and the loss scaled down."""
        if norm is None or math.isfinite(norm):
            self.skipped = 0
            return
        if self._plan.precision != "fp16":
            raise TrainingFailed(
                f"the gradient is {norm} at step {number}, so the weights are ruined", self._lower_rate()
            )
        self.skipped, self.moved = self.skipped + 1, False
        if self.skipped >= SKIPPED_STEPS:
            self._too_large(number)

    def _too_large(self, number: int) -> None:
        raise TrainingFailed(
            f"the gradient at step {number} and the {self.skipped - 1} before it is too large for fp16, "
            "so nothing is being trained",
            "the base model's weights may be broken, or made for bf16; try another one: `--model …`",
        )

    def _gradient(self, number: int, loss: float, norm: float | None) -> None:
        self.dead = self.dead + 1 if norm == 0 and loss > LEARNED else 0
        if self.dead >= DEAD_STEPS:
            self._no_gradient(number, loss)

    def _no_gradient(self, number: int, loss: float) -> None:
        raise TrainingFailed(
            f"the gradient is zero at step {number} and was for {self.dead} steps, while the loss is {loss:.3f}: "
            "nothing is being trained",
            "the base model's weights may be broken; try another one: `--model …`",
        )

    def _still(self, loss: float) -> None:
        if len(self.first) >= STILL_STEPS or not self.moved:
            return
        self.first.append(loss)
        least, most = min(self.first), max(self.first)
        if len(self.first) == STILL_STEPS and most > LEARNED and most - least <= STILL * most:
            raise TrainingFailed(
                f"the loss never moved: {loss:.4f} in each of the first {STILL_STEPS} steps",
                self._higher_rate(),
            )

    def _pass(self, loss: float, items: float, epoch: float) -> None:
        number = math.ceil(epoch - 1e-9)
        while len(self.passes) < number:
            self.passes.append([0.0, 0.0])
        self.passes[-1][0] += loss * items
        self.passes[-1][1] += items
        whole = abs(epoch - round(epoch)) < 1e-9
        if not whole or number != 2 or not self.moved or not all(count for _, count in self.passes):
            return
        one, two = (total / count for total, count in self.passes)
        if one > LEARNED and abs(one - two) <= SAME * one:
            raise TrainingFailed(
                f"the loss never moved: {two:.6f} over the first pass and over the second", self._higher_rate()
            )

    def _lower_rate(self) -> str:
        return f"lower the learning rate: `--set learning_rate={self._plan.learning_rate / 4:g}`"

    def _higher_rate(self) -> str:
        rate = self._plan.learning_rate
        return f"raise the learning rate: `--set learning_rate={rate * 10:g}`, or try another model: `--model …`"
