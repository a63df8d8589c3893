"""The frozen records that the stages hand on, in the order of the line.

    Profile → Recommendation → Selection → Plan → TrainResult → Evaluation → Publication

Each carries the one it was made from, so a stage takes one main argument and any record tells its whole
history. Records hold counts and reasons, never rows, never a secret. Sizes are bytes, times are seconds.
What they are made of is in `facts.py` (options, hardware, facts, findings) and `figures.py` (what was counted,
predicted and measured).
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tunekit_hub.facts import Architecture, Finding, Method, Record, Request, Verdict, Weights
from tunekit_hub.figures import Column as Column
from tunekit_hub.figures import DataRef as DataRef
from tunekit_hub.figures import Figure as Figure
from tunekit_hub.figures import Fits as Fits
from tunekit_hub.figures import LabelScore as LabelScore
from tunekit_hub.figures import Lengths as Lengths
from tunekit_hub.figures import LossPoint as LossPoint
from tunekit_hub.figures import Memory as Memory
from tunekit_hub.figures import Note as Note
from tunekit_hub.figures import Preview as Preview
from tunekit_hub.figures import PreviewFile as PreviewFile
from tunekit_hub.figures import Reload as Reload
from tunekit_hub.figures import Score as Score
from tunekit_hub.figures import ValidationPoint as ValidationPoint

Domain = Literal["clinical", "biomedical"]
Precision = Literal["bf16", "fp16", "fp32"]


class Profile(Record):
    """What the data holds, counted."""

    data: DataRef
    test: DataRef | None = None  # the user's own test file; without one, rows are held out
    task: str
    why: str  # what in the data gave the task away
    shape: str  # the form the rows have, e.g. "messages", "question/answer", "single-label" or "BIO tags"
    columns: dict[str, str]  # role → column, as found or mapped
    details: dict[str, str] = {}  # how they are read, where more must be known: the separator of labels, …
    found: tuple[Column, ...] = ()  # the columns of the data, at most 20
    max_rows: int | None = None
    num_rows: int  # well-formed rows of the file, before `max_rows`, de-duplication and split
    test_rows: int = 0  # well-formed rows of the test file
    languages: tuple[str, ...]  # ISO 639-1, most frequent first
    tokens: Lengths
    domain: Domain | None = None
    domain_words: tuple[str, ...] = ()  # the words that gave it away, most frequent first
    labels: dict[str, int] = {}  # label (NER: entity type) → rows (entities), most frequent first
    counts: dict[str, int] = {}  # what the task counts: multi-turn rows, system prompts, entities, …
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
    train_rows: int
    validation_rows: int = 0  # choose the checkpoint; neither trained on nor part of the evaluation
    eval_rows: int
    patience: int | None = None  # passes without a better validation score before training stops
    class_weights: bool | None = None  # rare labels weigh more in the loss; None: there are no classes
    memory: Memory
    fit: Fits = "fits"
    advice: str = ""  # where it is tight or does not fit: the cheapest change that would help
    train_seconds: float  # predicted
    seconds: float  # predicted, with fetching and evaluation
    cost: float | None = None  # US dollars for the whole run, where the machine's price is known
    inference_memory: int = 0  # predicted, of using the model
    inference_seconds: float = 0.0  # predicted, for one row, or one written answer
    time_limit: float | None  # training stops here and keeps what it has
    reasons: dict[str, str]  # field → why this value

    @property
    def task(self) -> str:
        """The task's name."""
        return self.selection.recommendation.profile.task

    @property
    def adapter(self) -> bool:
        """Whether an adapter is what is left and published; an encoder's is merged into its weights."""
        return self.method != "full" and self.selection.architecture.kind == "decoder"

    @property
    def weights(self) -> Weights:
        """What is published unless something else is asked for: the adapter where there is one."""
        return "adapter" if self.adapter else "full"


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
    adapted: dict[str, int] = {}  # what is not as in the data, or not trained → rows it is so in
    truncated: int
    tokens: int
    trained_tokens: int
    lost_tokens: int  # cut off by truncation
    eos_rows: int | None  # rows whose last answer ends with a trained end-of-turn token; None: no turns
    how: str
    lengths: Lengths

    @property
    def share(self) -> float:
        """Share of the tokens that carries loss."""
        return self.trained_tokens / max(self.tokens, 1)


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
    validation: tuple[ValidationPoint, ...] = ()
    kept_step: int | None = None  # the checkpoint that validation chose; None: the last
    processes: int = 1
    adjustments: tuple[str, ...] = ()  # what had to be changed on the way, such as a smaller batch
    versions: dict[str, str]


class Evaluation(Record):
    """Tuned against baselines on rows that no contender was trained on. Tables and pictures are files."""

    training: TrainResult
    rows: int
    metric: str  # the measure that decides
    tuned: Score
    baselines: tuple[Score, ...]
    against: str  # name of the baseline that is hardest to beat
    gain: Figure  # of the tuned model over it, paired by row; above zero is better, whatever the measure
    helped: bool
    verdict: str  # in words
    labels: dict[str, LabelScore] = {}
    files: tuple[str, ...] = ()  # written beside run.json: answers, confusion matrix, mistakes
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
    weights: Weights | None = None
    revision: str = "main"  # the branch, or `refs/pr/N`
    pull_request: str | None = None  # its address
    created: Literal["", "repository", "branch", "pull request"] = ""  # what this publish made to hold it
    verified: Reload | None = None  # loaded again from the Hub; None: not yet, or not as it should
    mismatch: str = ""  # how what was loaded from the Hub is not what was measured; empty: it is
    after_mismatch: Literal["", "marked", "deleted"] = ""  # what was done about it
    tags: tuple[str, ...] = ()
    collection: str | None = None  # slug
