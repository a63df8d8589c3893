"""The frozen records that the stages hand on, in the order of the line.

    Profile → Recommendation → Selection → Plan → TrainResult → Evaluation → Publication

Each carries the one it was made from, so a stage takes one main argument and any record tells its whole
history. Records hold counts and reasons, never rows, never a secret. Sizes are bytes, times are seconds.
What they are made of (options, hardware, facts, findings) is in `facts.py`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tunekit_hub.facts import Architecture, Finding, Method, Record, Request, Verdict

Domain = Literal["clinical", "biomedical"]
Precision = Literal["bf16", "fp16", "fp32"]


class DataRef(Record):
    """Where rows come from, and which bytes they were."""

    source: str
    format: str
    sha256: str


class Note(Record):
    """Something about the data worth knowing: how many rows, and the line numbers of the first of them."""

    code: str
    message: str
    count: int
    lines: tuple[int, ...] = ()  # at most 20


class Lengths(Record):
    """Token lengths over rows. `estimated` until a real tokenizer has counted."""

    p50: int
    p95: int
    max: int
    total: int
    estimated: bool = True


class Profile(Record):
    """What the data holds, counted."""

    data: DataRef
    task: str
    why: str  # what in the data gave the task away
    shape: str  # the form the rows have, e.g. "messages" or "question/answer"
    columns: dict[str, str]  # role → column, as found or mapped
    max_rows: int | None = None
    num_rows: int  # well-formed rows of the file, before `max_rows`, de-duplication and split
    languages: tuple[str, ...]  # ISO 639-1, most frequent first
    tokens: Lengths
    domain: Domain | None = None
    labels: dict[str, int] = {}
    counts: dict[str, int] = {}  # what the task counts: multi-turn rows, system prompts, …
    notes: tuple[Note, ...] = ()

    @property
    def used_rows(self) -> int:
        """Rows left after `max_rows`."""
        return min(self.num_rows, self.max_rows or self.num_rows)

    @property
    def used_tokens(self) -> int:
        """Tokens left after `max_rows`, in proportion."""
        return self.tokens.total * self.used_rows // max(self.num_rows, 1)


class Recommendation(Record):
    """The model the rules pick, before anybody asked whether it may be used; and the ladder behind it."""

    profile: Profile
    description: str
    model: str
    method: Method
    reasoning: str
    ladder: tuple[str, ...]  # what to fall back to, in order


class Selection(Record):
    """The first usable model down the ladder, and every verdict on the way."""

    recommendation: Recommendation
    request: Request
    model: str
    method: Method
    named: bool = False  # the user named this model, so the ladder was not asked
    repo_id: str
    revision: str
    license: str | None
    weights_note: str = ""  # what the base model's card says was done to its weights; our card repeats it
    architecture: Architecture
    verdicts: tuple[Verdict, ...]  # in ladder order; the chosen one is among them


class Memory(Record):
    """Predicted peak, by component, in bytes."""

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    overhead: int

    @property
    def total(self) -> int:
        """The sum of all components."""
        return sum(getattr(self, name) for name in type(self).model_fields)


class Plan(Record):
    """Every setting of the training, each with its reason."""

    selection: Selection
    trainer: str
    method: Method
    precision: Precision
    tokens: Lengths  # by the model's own tokenizer, where it could be had
    max_tokens: int
    batch_size: int
    accumulation: int
    epochs: float
    learning_rate: float
    warmup: float  # share of the steps
    checkpointing: bool
    lora_rank: int | None
    lora_alpha: int | None
    seed: int
    eval_rows: int
    train_rows: int
    memory: Memory
    train_seconds: float  # predicted
    seconds: float  # predicted, with fetching and evaluation
    time_limit: float | None  # training stops here and keeps what it has
    reasons: dict[str, str]  # field → why this value


class Rehearsal(Record):
    """The publish, tried before training: who would write where."""

    repo_id: str
    user: str
    exists: bool
    private: bool
    findings: tuple[Finding, ...]


class Supervision(Record):
    """What carries loss. The rendered example is in `supervision.txt`."""

    rows: int
    dropped: dict[str, int]  # reason → rows
    truncated: int
    tokens: int
    trained_tokens: int
    lost_tokens: int  # cut off by truncation
    eos_rows: int  # rows whose last answer ends with a trained end-of-turn token
    how: str
    lengths: Lengths

    @property
    def share(self) -> float:
        """Share of the tokens that carries loss."""
        return self.trained_tokens / max(self.tokens, 1)


class LossPoint(Record):
    """One logged step."""

    step: int
    loss: float


class TrainResult(Record):
    """What training left in the run folder."""

    plan: Plan
    run_dir: str = Field("", exclude=True)  # where run.json lies; set on load, so a folder can move
    supervision: Supervision
    steps: int
    epochs: float
    stopped_early: str = ""  # why, if it did
    seconds: float
    tokens_per_second: float  # non-padding
    peak_memory: int
    losses: tuple[LossPoint, ...]  # at most 200
    versions: dict[str, str]


class Interval(Record):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


class ChatScore(Record):
    """How one model does on the held-out rows. Loss is nats per trained token."""

    loss: Interval
    perplexity: float
    answers: int  # generated
    stopped: int  # of these, ended by themselves


class Reload(Record):
    """The saved files, loaded in a fresh process, against the answers that were measured."""

    source: Literal["disk", "hub"]
    rows: int
    largest_difference: float  # of a row's loss
    answers_equal: bool
    passed: bool
    weights: dict[str, str]  # file → sha256 of what was loaded; nothing else is published


class Evaluation(Record):
    """Tuned against untuned on rows neither was trained on. Answers are in `answers.jsonl`."""

    training: TrainResult
    rows: int
    untuned: ChatScore
    tuned: ChatScore
    helped: bool
    gain: Interval  # untuned minus tuned loss, paired by row
    verdict: str  # in words
    reload: Reload


class Publication(Record):
    """What was published, where."""

    evaluation: Evaluation
    repo_id: str
    url: str
    commit: str
    private: bool
    changed: bool  # False: the repo held exactly this already
    files: tuple[str, ...]
