"""The checks: one file each, found by `CHECKS`; pure functions over what the Hub and the user said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tunekit_hub._discover import discover
from tunekit_hub.facts import Finding, ModelFacts, Request


@dataclass(frozen=True)
class Check:
    """One question about a model, answered from facts alone; None where it does not arise, as without data."""

    name: str
    run: Callable[[ModelFacts, Request], Finding | None]


CHECKS: dict[str, Check] = discover(__name__, Check)
