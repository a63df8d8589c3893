"""Counts, predictions and measurements that the stage records hold. Sizes are bytes, times are seconds."""

from __future__ import annotations

from typing import Literal

from tunekit_hub.facts import Finding, Record, Weights

Fits = Literal["fits", "tight", "no"]


class DataRef(Record):
    """Where rows come from, and which bytes they were."""

    source: str
    format: str
    sha256: str
    revision: str | None = None  # commit of a Hub dataset
    repo_id: str | None = None  # of a Hub dataset, as the Hub spells it
    public: bool = False  # anybody may see that there is such a dataset, so a card may name it


class Note(Record):
    """Something about the data worth knowing: how many rows, and the line numbers of the first of them."""

    code: str
    message: str
    count: int
    lines: tuple[int, ...] = ()  # at most 20


class Column(Record):
    """One column as it was found. Never a value of it."""

    name: str
    role: str | None  # what the task uses it for
    kind: str  # "text", "number", "true/false", "list", "object"
    empty: int  # rows without a value
    distinct: int


class Lengths(Record):
    """Token lengths over rows. `estimated` until a real tokenizer has counted."""

    p50: int
    p95: int
    max: int
    total: int
    estimated: bool = True


class Memory(Record):
    """Predicted peak, by component, in bytes."""

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    best: int = 0  # the copy of the weights that were best in validation
    activations: int
    logits: int
    overhead: int

    @property
    def total(self) -> int:
        """The sum of all components."""
        return sum(getattr(self, name) for name in type(self).model_fields)


class LossPoint(Record):
    """One logged step."""

    step: int
    loss: float


class ValidationPoint(Record):
    """The task's metric on the validation rows, after a pass over the training rows."""

    step: int
    epoch: float
    loss: float
    score: float


class Figure(Record):
    """A measured figure: its 95 % interval if one was computed, and of how many where it is a share of few."""

    value: float
    low: float | None = None
    high: float | None = None
    of: int | None = None


class Score(Record):
    """How one contender does on the held-out rows; the keys of `figures` are those of the task's measures."""

    name: str  # "tuned", "untuned", "majority", …
    figures: dict[str, Figure]


class LabelScore(Record):
    """How well one label is found."""

    precision: float
    recall: float
    f1: float
    rows: int  # held-out rows (NER: entities) that have it


class Reload(Record):
    """The saved files, loaded in a fresh process, against the predictions that were measured."""

    source: Literal["disk", "hub"]
    rows: int
    largest_difference: float  # of a number: a row's loss per token, or a logit
    answers_equal: bool
    passed: bool
    weights: dict[str, str]  # file → sha256 of what was loaded; nothing else is published


class PreviewFile(Record):
    """A file of the repository, and what publishing would do to it."""

    path: str
    size: int | None  # bytes; None: deleted, or not known before it is made
    state: Literal["new", "changed", "unchanged", "deleted"]
    predicted: bool = False  # it is not there yet: merging makes it


class Preview(Record):
    """A publish that was looked at and not done."""

    repo_id: str
    url: str
    exists: bool
    private: bool
    weights: Weights
    revision: str  # the branch that would be written to
    pull_request: bool
    message: str  # of the commit
    changes: bool  # False: the repository holds exactly this already, and there would be no commit
    to_send: int  # bytes
    files: tuple[PreviewFile, ...]
    tags: tuple[str, ...] = ()
    collection: str | None = None
    findings: tuple[Finding, ...]
    card: str
