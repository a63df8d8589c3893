"""Memory and time of a training, from architecture numbers alone. Serves checks/size and planning alike.

Sizes are bytes, times are seconds. The model of memory: weights once; for what is trained, a gradient and two
AdamW moments in float32; activations per token and layer; logits for the tokens that carry loss.
"""

from __future__ import annotations

from tunekit_hub.facts import Architecture, Hardware, Method, ModelFacts, Record, Request
from tunekit_hub.records import Memory, Precision

LORA_RANK = 16
ASSUMED_TOKENS = 512  # a row's length where no data is known
ASSUMED_TRAINED_SHARE = 0.6  # of the tokens carry loss, before the data has been supervised
EVAL_SHARE = 0.15  # of the rows are held out …
MAX_EVAL_ROWS = 200  # … but no more than this
ANSWER_TOKENS = 96  # of a generated answer
ANSWERS = 3
CPU_READ = 8e9  # bytes a CPU reads per second; generation reads all weights for every token
GPU_READ = 250e9
START_SECONDS = 40.0  # imports, loading, saving and the fresh process of the reload gate, on a small machine
SAFETY = 0.92  # of the memory that is free may be planned with


class Fit(Record):
    """The best method that fits, if one does; otherwise what is in the way."""

    method: Method | None
    tried: Method  # the one the figures are for
    memory: Memory
    seconds: float  # the whole run with one pass over the data; 0 without data
    tokens: int  # length of a row that was planned with
    problem: str = ""  # "memory", "disk" or "time"


def bytes_per_weight(method: Method, precision: str) -> float:
    """Bytes a base weight takes: NF4 with double quantisation for QLoRA, else by precision."""
    if method == "qlora":
        return 0.5 + 0.016  # 4 bits, and 8-bit block constants: QLoRA, arXiv 2305.14314, section 3
    return 4.0 if precision == "fp32" or method == "full" else 2.0


def precision(hardware: Hardware) -> Precision:
    """bf16 where the units are real, fp16 on older GPUs, else fp32."""
    if hardware.bf16:
        return "bf16"
    return "fp16" if hardware.device == "cuda" else "fp32"


def lora_parameters(arch: Architecture, rank: int = LORA_RANK) -> int:
    """Parameters of LoRA on every linear layer of the blocks."""
    kv = arch.hidden * arch.kv_heads // arch.heads
    attention = 2 * (arch.hidden + arch.hidden) + 2 * (arch.hidden + kv)
    mlp = (3 if arch.gated_mlp else 2) * (arch.hidden + arch.intermediate)
    return rank * arch.layers * (attention + mlp)


def memory(
    arch: Architecture,
    method: Method,
    hardware: Hardware,
    *,
    tokens: int,
    batch: int = 1,
    checkpointing: bool = False,
) -> Memory:
    """Predicted peak by component, for a batch of `batch` rows of `tokens` tokens."""
    kind = precision(hardware)
    wide = 4 if kind == "fp32" else 2
    on_gpu = hardware.device == "cuda"
    weights = arch.parameters * bytes_per_weight(method, kind)
    if method == "qlora":  # embeddings and head stay in half precision
        embeddings = arch.vocab * arch.hidden * (1 if arch.tied else 2)
        weights += embeddings * (2 - bytes_per_weight(method, kind))
    trained = arch.parameters if method == "full" else lora_parameters(arch)
    adapter = 0 if method == "full" else trained * 4
    # Per token and layer: norms, projections and residuals (about 18 × hidden with LoRA's extra inputs) and
    # the MLP's inner width (6 ×). Fitted to measured peaks: `docs/planning.md`.
    per_layer = (18 * arch.hidden + 6 * arch.intermediate) * wide
    kept = arch.layers * arch.hidden * wide + per_layer if checkpointing else arch.layers * per_layer
    # Logits, their float32 copy, log-softmax and gradient, for the tokens that carry loss.
    logits = ASSUMED_TRAINED_SHARE * batch * tokens * arch.vocab * 4 * 3
    return Memory(
        weights=int(weights),
        adapter=int(adapter),
        gradients=int(trained * 4),
        optimizer=int(trained * 8),
        activations=int(batch * tokens * kept),
        logits=int(logits),
        overhead=int(1.4e9 if on_gpu else 0.9e9),
    )


def train_seconds(
    arch: Architecture, method: Method, hardware: Hardware, tokens: float, *, again: bool = False
) -> float:
    """Seconds to train on `tokens` tokens.

    Per weight and token: 2 operations forward, 2 to pass the gradient on, 2 more for the weights' own gradient
    in full training, 2 more where activations are computed `again`.
    """
    passes = (6 if method == "full" else 4) + (2 if again else 0)
    return passes * _active(arch) * tokens / (hardware.gflops * 1e9)


def evaluation_seconds(arch: Architecture, hardware: Hardware, tokens: float) -> float:
    """Seconds to score `tokens` held-out tokens and write the answers, tuned and untuned."""
    scoring = 2 * 2 * _active(arch) * tokens / (hardware.gflops * 1e9)
    read = GPU_READ if hardware.device == "cuda" else CPU_READ
    width = 4 if precision(hardware) == "fp32" else 2
    return scoring + 2 * ANSWERS * ANSWER_TOKENS * arch.parameters * width / read


def held_out(rows: int) -> int:
    """How many of `rows` are held out."""
    return max(1, min(MAX_EVAL_ROWS, round(rows * EVAL_SHARE)))


def run_seconds(
    facts_bytes: int, arch: Architecture, method: Method, request: Request, *, epochs: float = 1.0
) -> float:
    """Seconds of a whole run: fetch, train, evaluate, reload. 0 where no data is known."""
    if not request.tokens or not request.rows:
        return 0.0
    share = held_out(request.rows) / request.rows
    hardware = request.hardware
    return (
        START_SECONDS
        + facts_bytes / hardware.network
        + train_seconds(arch, method, hardware, request.tokens * (1 - share) * epochs)
        + evaluation_seconds(arch, hardware, request.tokens * share)
    )


def fit(facts: ModelFacts, request: Request) -> Fit | None:
    """The best of the request's methods that fits memory, disk and time; None where no architecture is known.

    Methods are tried in the request's order with a batch of one and activations computed again, which is the
    least a training can do with. Where none fits, the answer is about the one that comes nearest.
    """
    arch = facts.architecture
    if arch is None:
        return None
    tokens = min(request.p95_tokens or ASSUMED_TOKENS, arch.context)
    download = facts.weight_bytes or arch.parameters * 4
    nearest: Fit | None = None
    for method in request.methods:
        need = memory(arch, method, request.hardware, tokens=tokens, checkpointing=True)
        seconds = run_seconds(download, arch, method, request)
        problem = ""
        if need.total > request.hardware.memory * SAFETY:
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
        )
        if not problem:
            return found
        if nearest is None or found.memory.total < nearest.memory.total:
            nearest = found
    return nearest


def _active(arch: Architecture) -> int:
    """Weights that take part in a token's matrix products: all but an input embedding of its own."""
    return arch.parameters - (0 if arch.tied else arch.vocab * arch.hidden)
