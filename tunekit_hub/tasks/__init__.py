"""The tasks: one file each, found by `TASKS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunekit_hub._discover import discover
from tunekit_hub.facts import Weights
from tunekit_hub.records import Figure, LabelScore, Note, Plan, Profile, Score

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from tunekit_hub.data import Rows
    from tunekit_hub.replies import Ask
    from tunekit_hub.scores.reload import Job, Outputs
    from tunekit_hub.settings import Steps
    from tunekit_hub.splits import Split
    from tunekit_hub.tasks._heads import Head


@dataclass(frozen=True)
class Match:
    """How a task recognised the columns of some data."""

    shape: str  # the form the rows have, e.g. "messages", "single-label" or "BIO tags"
    columns: Mapping[str, str]  # role → column
    why: str
    details: Mapping[str, str] = field(default_factory=dict)  # what else is needed to read them


@dataclass(frozen=True)
class Examples:
    """Well-formed rows in the task's own form, and what was wrong with the others."""

    rows: Sequence[Any]
    lines: Sequence[int]  # the line (or row number, from 1) each row came from
    notes: Sequence[Note]


@dataclass(frozen=True)
class Examined:
    """What the profile counts, a column each; one entry per well-formed row, in the order of the data."""

    texts: pa.ChunkedArray  # of large_string: what a reader would read
    lines: np.ndarray  # int64
    tokens: np.ndarray  # int64, estimated (`text_columns.estimate_tokens`), before a tokenizer is chosen
    notes: Sequence[Note]
    labels: Mapping[str, int] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    keys: np.ndarray | None = None  # any integer per row, equal where the labels (NER: all tags) are equal


@dataclass(frozen=True)
class Measure:
    """A figure of a score, as people read it."""

    label: str
    form: Literal["share", "number"]  # a share is shown in per cent


@dataclass(frozen=True)
class Trial:
    """What there is to evaluate. `run_dir/model` holds what was trained; tables and pictures go to `run_dir`."""

    plan: Plan
    base: Path  # folder of the base model
    run_dir: Path
    split: Split
    tell: Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Measured:
    """How the tuned model and the baselines did; and what a fresh process must give again."""

    rows: int
    tuned: Score
    baselines: tuple[Score, ...]
    against: str
    gain: Figure
    metric: str  # the measure that decides; a key of the task's `measures`
    job: Job
    outputs: Outputs
    labels: Mapping[str, LabelScore] = field(default_factory=dict)
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Task:
    """What the stages ask of a task.

    `detect` answers None when the columns are not its own; with mapped columns (role → column) it uses those.
    `examine` and `parse` see the same rows as well-formed and drop none without a note; `examine` works on whole
    columns, so that a million rows are profiled in little memory, `parse` gives what is trained on. `text` is what
    a reader would read of one row. `stratum`: the split keeps the shares of its values alike.
    """

    name: str
    pipeline_tag: str
    trainer: str
    accepts: str  # the forms it reads, in one sentence, for error messages
    detect: Callable[[Rows, Mapping[str, str]], Match | None]
    examine: Callable[[Rows, Match], Examined]
    parse: Callable[[Rows, Match], Examples]
    text: Callable[[Any], str]
    measures: Mapping[str, Measure]
    evaluate: Callable[[Trial], Measured]
    replay: Callable[[Job], Outputs]  # the predictions of a job, in a fresh process
    snippet: Callable[[Plan, str, Weights | None], str]  # Python that uses what was published as this repo id
    purpose: Callable[[Profile], str]  # what such a model does, after "This model"
    use: Callable[[Plan, Path, Path], Ask]  # the base's folder, the trained one's → the model, to be asked
    stratum: Callable[[Any], str] = lambda _: ""
    head: Head | None = None  # of encoders: labels and their loss
    weighs_labels: bool = False  # rare labels may weigh more in the loss
    epochs: Steps | None = None  # training rows → passes, where its trainer's are not right for it


TASKS: dict[str, Task] = discover(__name__, Task)
