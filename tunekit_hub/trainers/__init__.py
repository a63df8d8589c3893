"""The trainers: one file each, found by `TRAINERS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunekit_hub._discover import discover
from tunekit_hub.facts import Running
from tunekit_hub.records import Lengths, LossPoint, Method, Plan, Profile, Supervision, ValidationPoint
from tunekit_hub.settings import Steps

if TYPE_CHECKING:
    from tunekit_hub.splits import Split

OnEvent = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Recipe:
    """What a trainer starts from, before the machine and the data are weighed. Rates per kind of training."""

    full_rates: Steps  # parameters → learning rate
    lora_rates: Steps
    epochs: Steps  # training rows → passes
    step_rows: Steps  # training rows → rows a step
    batches: tuple[int, ...]  # to try, largest first
    cpu_batch: int  # larger ones are no faster on a CPU and pad more
    epochs_reason: str
    patience: Steps | None = None  # training rows → passes without a better validation score; None: no validation


@dataclass(frozen=True)
class Fitted:
    """What a trainer did, for the record."""

    steps: int
    epochs: float
    seconds: float
    tokens: int  # non-padding, over all steps
    peak_memory: int
    losses: tuple[LossPoint, ...]
    validation: tuple[ValidationPoint, ...] = ()
    kept_step: int | None = None
    stopped_early: str = ""
    processes: int = 1
    adjustments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trainer:
    """What the planning and training stages ask of a trainer.

    `lengths` counts tokens as the model will, from a folder with its tokenizer, for rows cut at a number of
    tokens. `prepare` turns rows into what `fit` takes, with the proof of what carries loss; at most a share of
    them (`Running.max_dropped`) may carry none. `fit` trains, on from the newest checkpoint in `run_dir` if there
    is one, and leaves in `run_dir/model` whole weights or, where `plan.adapter` says so, an adapter.
    """

    name: str
    kind: Literal["encoder", "decoder"]  # of the architectures it trains
    methods: tuple[Method, ...]
    recipe: Recipe
    lengths: Callable[[Path, Profile, Sequence[Any], int], Lengths]
    prepare: Callable[[Plan, Path, Split, float], tuple[Any, Supervision, str]]
    fit: Callable[[Plan, Path, Any, Path, OnEvent, Running], Fitted]


TRAINERS: dict[str, Trainer] = discover(__name__, Trainer)
