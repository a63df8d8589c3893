"""The settings of a plan: which ones a user may fix, and how each comes by its value and its reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunekit_hub.errors import PlanError

WHOLE = ("max_tokens", "batch_size", "accumulation", "lora_rank", "lora_alpha", "patience")
SWITCHES = ("class_weights",)
Steps = tuple[tuple[float, Any], ...]  # (up to this value, take that), ascending, the last bound infinite
BY_USER = "set by you; "  # how the reason of a setting begins that the user fixed
SETTABLE = ("learning_rate", "epochs", "warmup", *WHOLE, *SWITCHES)


@dataclass
class Draft:
    """Settings on their way to a plan, each with a reason."""

    values: dict[str, Any]
    reasons: dict[str, str]

    def set(self, name: str, value: Any, reason: str) -> Any:
        """Keep the user's value if there is one, else this one."""
        if name in self.values:
            self.reasons[name] = f"{BY_USER}would have been {value}: {reason}"
            return self.values[name]
        self.values[name], self.reasons[name] = value, reason
        return value

    def omit(self, name: str, reason: str) -> None:
        """A setting that does not apply here.

        Raises:
            PlanError: the user set it, and it would have no effect.
        """
        if name in self.values:
            raise PlanError(f"`{name}` has no effect here: {reason}", f"leave `--set {name}=…` out")
        self.values[name] = None


def check_settings(overrides: Mapping[str, Any]) -> None:
    """Refuse settings that do not exist or cannot be, before anything is asked of the Hub.

    Raises:
        PlanError: naming all of them.
    """
    unknown = sorted(set(overrides) - set(SETTABLE))
    if unknown:
        raise PlanError(f"no such setting: {', '.join(unknown)}", f"settings are: {', '.join(SETTABLE)}")
    wrong = {name: value for name, value in overrides.items() if not _possible(name, value)}
    if wrong:
        raise PlanError(
            f"not a positive number: {', '.join(f'{name}={value!r}' for name, value in wrong.items())}",
            f"whole numbers are: {', '.join(WHOLE)}; 0 or 1: {', '.join(SWITCHES)}",
        )


def _possible(name: str, value: Any) -> bool:
    if name in SWITCHES:
        return value in (0, 1)
    if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        return False
    return name not in WHOLE or value == int(value)


def step(table: Steps, value: float) -> Any:
    """The entry of the first bound that `value` does not exceed."""
    return next(entry for bound, entry in table if value <= bound)
