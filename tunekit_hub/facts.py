"""What the records are made of: the user's wishes, the machine, the Hub's facts, the checks' findings.

Sizes are bytes, times are seconds. Nothing here holds a secret.
"""

from __future__ import annotations

import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator

Status = Literal["pass", "warn", "block", "unknown"]
Method = Literal["full", "lora", "qlora"]
Use = Literal["commercial", "research"]
Weights = Literal["adapter", "merged", "full"]  # an adapter alone; one merged into its base; all that was trained
Access = Literal[
    "open",
    "granted",  # gated, and this token may read it
    "gated",  # gated, and this token's owner has not asked to be let in
    "gated-pending",  # … has asked, and nobody has answered yet
    "gated-refused",  # … has asked, and was turned down
    "gated-scope",  # … may be let in, but the token was made without the permission to read gated repos
    "gated-app",  # … the same, where the token comes from signing in to an app (OAuth)
    "gated-no-token",  # gated, and no token was given
    "invalid-token",
    "private-or-missing",
    "disabled",
    "unverified",  # offline: only recorded facts
]


class Record(BaseModel):
    """Frozen; unknown keys are refused; compares by value; round-trips through JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_computed(cls, values: Any) -> Any:
        """Computed fields are written to JSON for its readers; on load they are computed again."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if name not in cls.model_computed_fields}

    def but(self, **changes: object) -> Self:
        """A copy with some fields changed."""
        return self.model_copy(update=changes)


class Running(Record):
    """How a training runs. Nothing here changes what is trained."""

    checkpoint_every: float = Field(300.0, gt=0)  # seconds; and where a pass over the rows ends
    processes: int = Field(1, gt=0)
    accelerate_config: str | None = None  # a file of `accelerate config`: which processes, and where
    report_to: Literal["trackio", "tensorboard", "wandb"] | None = None
    max_dropped: float = Field(0.05, ge=0, le=1)  # share of the rows that may carry no loss


class Publishing(Record):
    """Where a model goes on the Hub, in which form, and how. Nothing here changes what is trained."""

    push_to: str | None = None  # `namespace/name`; None: nothing is published
    private: bool = True
    weights: Weights | None = None  # None: as `records.Plan.weights` says
    overwrite: bool = False  # replace a model that is not one of ours
    pull_request: bool = False  # propose the change instead of making it
    push_revision: str | None = None  # a branch, made if it is not there; None: `main`
    tags: tuple[str, ...] = ()  # git tags on the commit
    collection: str | None = None  # slug or title of one to add the model to; a title is made if it is not there
    on_mismatch: Literal["mark", "delete"] = "mark"  # where what was published predicts otherwise


class Options(Running, Publishing):
    """All a run was asked for. It is written to `run.json`, so it holds no secret."""

    source: str
    description: str = ""
    task: str | None = None
    columns: dict[str, str] = {}  # role → column, as the user mapped them
    test_file: str | None = None  # rows to evaluate on; without it, some of the source's are held out
    max_rows: int | None = Field(None, gt=0)
    seed: int = Field(42, ge=0, lt=2**32)
    use: Use = "commercial"
    model: str | None = None  # the user's own choice, instead of the ladder
    accepted_licenses: tuple[str, ...] = ()  # model ids whose license the user has read and accepts
    dataset_license: str | None = None  # of the data: a license id of the Hub, or several with commas
    explore: bool = False  # search the Hub for more candidates, and take one where the ladder has none
    max_time: float | None = Field(None, gt=0)  # for the whole run
    hardware: str | None = None  # the machine to plan for, by name; without it, this one
    settings: dict[str, float] = {}  # plan settings the user fixed

    @property
    def running(self) -> Running:
        """How the training runs, alone."""
        return Running(**{name: getattr(self, name) for name in Running.model_fields})

    @property
    def publishing(self) -> Publishing:
        """How the model is published, alone."""
        return Publishing(**{name: getattr(self, name) for name in Publishing.model_fields})


class Gpu(Record):
    """One accelerator."""

    name: str
    memory: int
    bf16: bool


class Hardware(Record):
    """What can be used for training, after cgroup limits."""

    name: str
    device: Literal["cuda", "mps", "cpu"]
    cores: int
    gpus: tuple[Gpu, ...] = ()
    memory: int  # of the device that trains: one GPU's, or the RAM that is free
    ram: int | None = None  # beside a GPU, free; None: not known, or the same as `memory`
    disk: int  # free where the Hub cache lies
    bf16: bool  # real bf16 units, not emulation
    gflops: float  # sustained matrix products per second, in 1e9, at the precision used
    network: float = 25e6  # assumed download rate, bytes per second
    asked_as: str | None = None  # the name the user gave for a machine that is not this one
    price: float | None = None  # US dollars an hour, where it is rented and the price is known
    price_date: str | None = None  # when that price was written down


class Architecture(Record):
    """The numbers that memory and time follow from."""

    kind: Literal["encoder", "decoder"]
    parameters: int
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    intermediate: int
    vocab: int
    context: int
    tied: bool  # input and output embeddings are one matrix
    gated_mlp: bool  # three MLP matrices (SwiGLU) instead of two
    projections: int = 4  # attention matrices a layer
    attention: Literal["plain", "disentangled", "window"] = "plain"
    attention_dropout: bool = False  # in training, which CPUs cannot do in one kernel
    window: int = 0  # tokens that one attends to, where attention is a window
    bounded_logits: bool = False  # they are scaled or bounded after the output layer


class BaseFacts(Record):
    """What a model that another was made from declares."""

    repo_id: str
    license: tuple[str, ...] = ()  # declared ids; empty: none declared
    seen: bool = True  # False: there is no such model, or this token may not see it


class ModelFacts(Record):
    """What the Hub says of one model; the only input of a check, with the request."""

    repo_id: str  # canonical: as the Hub answers it, after renames
    asked: str | None = None  # the id it was asked for by, where that is an older one
    revision: str | None = None  # commit
    access: Access
    private: bool = False
    gated: Literal["auto", "manual"] | None = None
    license: tuple[str, ...] = ()  # declared ids; empty: none declared
    license_name: str | None = None
    license_link: str | None = None
    files: tuple[str, ...] = ()
    weight_bytes: int | None = None
    remote_code: bool = False  # it does not load as it is meant to without Python code of its own
    code: tuple[str, ...] = ()  # the files with that code, or the repository that has them
    weights_note: str = ""  # what the model's own card says was done to its weights, such as a conversion
    quantized: str | None = None  # how, as config.json says: "gptq", "awq", "bitsandbytes", …
    adapter_of: str | None = None  # the base model of an adapter, as its config names it
    bases: tuple[BaseFacts, ...] = ()  # what its card says it was made from; not asked for registry models
    languages: tuple[str, ...] = ()
    architecture: Architecture | None = None
    url: str
    recorded: str | None = None  # a date: facts of the registry, because the Hub was offline


class Request(Record):
    """What a model is wanted for. Everything is optional: `check ID` knows no data."""

    use: Use = Options.model_fields["use"].default
    accepted_licenses: tuple[str, ...] = ()  # models, or the dataset, whose terms the user has accepted
    accepted_on: datetime.date | None = None  # when that was said
    dataset: str | None = None  # the data, as the user names it
    dataset_license: tuple[str, ...] = ()  # declared ids; empty: nothing is known, as of one's own files
    dataset_license_said: bool = False  # by the user, not read from the card of a Hub dataset
    hardware: Hardware
    task: str | None = None
    languages: tuple[str, ...] = ()
    methods: tuple[Method, ...] = ("lora", "full")  # acceptable, best first
    rows: int | None = None
    tokens: int | None = None  # in all rows together
    p95_tokens: int | None = None
    max_time: float | None = None


class Finding(Record):
    """One check's answer."""

    check: str
    status: Status
    message: str
    fix: str = ""


class Verdict(Record):
    """All findings about one candidate."""

    model: str  # the id as asked for
    repo_id: str
    revision: str | None = None
    license: str | None = None
    license_name: str | None = None
    license_link: str | None = None
    method: Method | None = None  # the one that fits, if any does
    findings: tuple[Finding, ...]

    @computed_field
    @property
    def usable(self) -> bool:
        """No block, and access and license are known."""
        unknown = {f.check for f in self.findings if f.status == "unknown"}
        return all(f.status != "block" for f in self.findings) and not unknown & {"access", "license"}
