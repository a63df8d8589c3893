"""Will it fit, with which method, and what would make it fit? Serves checks/size and planning alike.

What a training takes is in `estimates/footprint.py` (memory) and `estimates/timing.py`.
"""

from __future__ import annotations

from tunekit_hub.estimates.footprint import LORA_RANK as LORA_RANK
from tunekit_hub.estimates.footprint import Shape as Shape
from tunekit_hub.estimates.footprint import lora_parameters as lora_parameters
from tunekit_hub.estimates.footprint import memory as memory
from tunekit_hub.estimates.footprint import precision as precision
from tunekit_hub.estimates.timing import around_seconds as around_seconds
from tunekit_hub.estimates.timing import held_out as held_out
from tunekit_hub.estimates.timing import inference as inference
from tunekit_hub.estimates.timing import reading_seconds as reading_seconds
from tunekit_hub.estimates.timing import run_seconds as run_seconds
from tunekit_hub.estimates.timing import train_seconds as train_seconds
from tunekit_hub.facts import Architecture, Hardware, Method, ModelFacts, Record, Request
from tunekit_hub.figures import Fits
from tunekit_hub.hardware import SAFETY as SAFETY
from tunekit_hub.hardware import named as named_hardware
from tunekit_hub.records import Memory

ASSUMED_TOKENS = 512  # a row's length where no data is known
CLASS_WEIGHTS_FROM = 4.0  # times as many rows of the most frequent label as of the rarest
ROOMY = 0.8  # of the memory: up to here it fits, from here to `SAFETY` it is tight
SMALL_LM = 1_000_000_000  # parameters; below, 4-bit weights would save less than they cost
FULL_FROM_ROWS = 5000  # on less data LoRA is as good (Schulman et al., "LoRA Without Regret", 2025)
FULL_ROOM = 0.5  # of the memory is what full training of a small LM may take
LENGTH_STEP = 64
SHORTEST = 128  # tokens a row may be cut to before it is another task
METHODS = {"full": "full fine-tuning", "lora": "LoRA", "qlora": "QLoRA"}


class Fit(Record):
    """The best method that fits, if one does; otherwise what is in the way."""

    method: Method | None
    tried: Method  # the one the figures are for
    memory: Memory
    seconds: float  # the whole run with one pass over the data; 0 without data
    tokens: int  # length of a row that was planned with
    problem: str = ""  # "memory", "disk" or "time"
    answer: Fits = "fits"  # as to memory


def fit(facts: ModelFacts, request: Request) -> Fit | None:
    """The best of the request's methods that fits memory, disk and time; None where no architecture is known.

    Methods are tried in order with a batch of one and activations computed again, which is the least a training
    can do with. Where none fits, the answer is about the one that comes nearest.
    """
    arch = facts.architecture
    if arch is None:
        return None
    tokens = min(request.p95_tokens or ASSUMED_TOKENS, arch.context)
    download = facts.weight_bytes or arch.parameters * 4
    nearest: Fit | None = None
    for method in in_order(request, arch, tokens):
        need = memory(arch, method, request.hardware, least(tokens))
        seconds = run_seconds(download, arch, method, request)
        answer, problem = verdict(need, request.hardware), ""
        if answer == "no":
            problem = "memory"
        elif download > request.hardware.disk:
            problem = "disk"
        elif request.max_time and seconds > request.max_time:
            problem = "time"
        found = Fit(
            method=None if problem else method,
            tried=method,
            memory=need,
            seconds=seconds,
            tokens=tokens,
            problem=problem,
            answer=answer,
        )
        if not problem:
            return found
        if nearest is None or found.memory.total < nearest.memory.total:
            nearest = found
    return nearest


def least(tokens: int) -> Shape:
    """The smallest training there is on rows of so many tokens."""
    return Shape(tokens=tokens, checkpointing=True)


def verdict(need: Memory, hardware: Hardware) -> Fits:
    """FITS, TIGHT or NO: how the predicted peak stands to the memory that is free."""
    if need.total > hardware.memory * SAFETY:
        return "no"
    return "tight" if need.total > hardware.memory * ROOMY else "fits"


def in_order(request: Request, arch: Architecture, tokens: int) -> tuple[Method, ...]:
    """The request's methods, best first for this model.

    A large decoder keeps the order it was asked for in. A small one gains nothing from 4-bit weights: it is
    trained in full where the rows are many and it fits with ease, else with LoRA.
    """
    asked = request.methods
    if "qlora" not in asked or arch.kind == "encoder" or arch.parameters > SMALL_LM:
        return asked
    rest = tuple(method for method in ("lora", "qlora") if method in asked)
    return ("full", *rest) if "full" in asked and full_is_better(request, arch, tokens) else (*rest, "full")


def full_is_better(request: Request, arch: Architecture, tokens: int) -> bool:
    """Whether a small language model is better trained in full: many rows, a GPU, and room to spare."""
    need = memory(arch, "full", request.hardware, least(tokens)).total
    roomy = need <= FULL_ROOM * request.hardware.memory
    return roomy and request.hardware.device == "cuda" and (request.rows or 0) >= FULL_FROM_ROWS


def remedy(arch: Architecture, methods: tuple[Method, ...], hardware: Hardware, tokens: int) -> str:
    """The cheapest change with which the training would fit: another method, shorter rows, another machine."""
    for method in methods:
        if _fits(arch, method, hardware, tokens):
            return f"train with {METHODS[method]}, which would fit"
    smallest = min(methods, key=lambda method: memory(arch, method, hardware, least(tokens)).total)
    for shorter in range((tokens - 1) // LENGTH_STEP * LENGTH_STEP, SHORTEST - 1, -LENGTH_STEP):
        if _fits(arch, smallest, hardware, shorter):
            return f"cut rows to {shorter} tokens: `--set max_tokens={shorter}`"
    rented = cheapest_machine(arch, tokens)
    return f"plan for a larger machine: `--hardware {rented.asked_as}`{_price(rented)}" if rented else (
        "take a smaller model: no single GPU in the list is large enough"
    )  # fmt: skip


def cheapest_machine(arch: Architecture, tokens: int) -> Hardware | None:
    """The cheapest rented machine with a price on which some method fits."""
    found = []
    for name in named_hardware.table()["machines"]:
        machine = named_hardware.named(name)
        methods: tuple[Method, ...] = ("full", "lora")
        if arch.kind == "decoder" and machine.device == "cuda":
            methods = ("qlora", "lora", "full")
        if machine.price and any(_fits(arch, method, machine, tokens) for method in methods):
            found.append(machine)
    return min(found, key=lambda machine: machine.price or 0, default=None)


def _fits(arch: Architecture, method: Method, hardware: Hardware, tokens: int) -> bool:
    return verdict(memory(arch, method, hardware, least(tokens)), hardware) != "no"


def _price(machine: Hardware) -> str:
    return f" ({machine.name}, ${machine.price:.2f} an hour on {machine.price_date})"
