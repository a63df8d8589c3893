"""The trainers: one file each, found by `TRAINERS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunekit_hub._discover import discover
from tunekit_hub.records import LossPoint, Method, Plan, Supervision

OnEvent = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Fitted:
    """What a trainer did, for the record."""

    steps: int
    epochs: float
    seconds: float
    tokens: int  # non-padding, over all steps
    peak_memory: int
    losses: tuple[LossPoint, ...]
    stopped_early: str = ""


@dataclass(frozen=True)
class Trainer:
    """What the training stage asks of a trainer.

    `prepare` turns rows into what `fit` takes, with the proof of what carries loss; `fit` trains and leaves in
    `run_dir/model` all that a fresh process needs beside the base model.
    """

    name: str
    methods: tuple[Method, ...]
    prepare: Callable[[Plan, Path, Sequence[Any]], tuple[Any, Supervision, str]]
    fit: Callable[[Plan, Path, Any, Path, OnEvent], Fitted]


TRAINERS: dict[str, Trainer] = discover(__name__, Trainer)
