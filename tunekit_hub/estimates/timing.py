"""How long a training, a run and an answer take, from architecture numbers and what the hardware sustains.

Times are seconds. `docs/planning.md` has what was measured.
"""

from __future__ import annotations

from typing import Literal

from tunekit_hub.estimates.footprint import LIBRARIES, WORKING, precision, table
from tunekit_hub.facts import Architecture, Hardware, Method, Request

EVAL_SHARE = 0.15  # of the rows are held out …
MAX_EVAL_ROWS = {"encoder": 2000, "decoder": 200}  # … but no more than this; a chat takes longer to score
ANSWER_TOKENS = 96  # of a generated answer
ANSWERS = 3
CPU_READ = 8e9  # bytes a CPU reads per second; generation reads all weights for every token
GPU_READ = {  # by a word of the GPU's name: half of what its maker states
    "H200": 2400e9, "H100": 1600e9, "A100": 900e9, "L40S": 430e9, "RTX PRO 6000": 800e9, "RTX 4090": 500e9,
    "A10G": 300e9, "L4": 150e9, "T4": 150e9, "": 150e9,
}  # fmt: skip
MPS_READ = 80e9
GPU_LAYER = 0.0007  # seconds a layer takes on a GPU, however little there is to do in it
START_SECONDS = 40.0  # imports, loading, saving and the fresh process of the reload gate, on a small machine
BASELINE_SECONDS = 2.0  # TF-IDF with logistic regression for every thousand rows


def train_seconds(
    arch: Architecture, method: Method, hardware: Hardware, tokens: float, *, again: bool = False
) -> float:
    """Seconds to train on `tokens` tokens.

    Per weight and token: 2 operations forward, 2 to pass the gradient on, 2 more for the weights' own gradient
    in full training, 2 more where activations are computed `again`.
    """
    passes = (6 if method == "full" else 4) + (2 if again else 0)
    return passes * _active(arch) * tokens / (hardware.gflops * 1e9)


def reading_seconds(arch: Architecture, hardware: Hardware, tokens: float) -> float:
    """Seconds to pass `tokens` tokens through the model once: validation, scoring, an encoder's inference."""
    return 2 * _active(arch) * tokens / (hardware.gflops * 1e9)


def answer_seconds(arch: Architecture, hardware: Hardware) -> float:
    """Seconds to write one answer of `ANSWER_TOKENS` tokens: for each, all weights are read once."""
    read = CPU_READ
    if hardware.device == "cuda":
        name = hardware.gpus[0].name if hardware.gpus else ""
        read = next(value for word, value in GPU_READ.items() if word in name)
    elif hardware.device == "mps":
        read = MPS_READ
    return ANSWER_TOKENS * max(arch.parameters * _width(hardware) / read, _least(arch, hardware))


def evaluation_seconds(arch: Architecture, hardware: Hardware, tokens: float, rows: int = 0) -> float:
    """Seconds to score `tokens` held-out tokens, and what the tuned model is compared with.

    A decoder is scored and writes its answers twice, tuned and untuned; an encoder once, beside baselines learned
    from `rows` rows.
    """
    if arch.kind == "encoder":
        return reading_seconds(arch, hardware, tokens) + BASELINE_SECONDS * rows / 1000
    return 2 * (reading_seconds(arch, hardware, tokens) + ANSWERS * answer_seconds(arch, hardware))


def held_out(rows: int, kind: Literal["encoder", "decoder"]) -> int:
    """How many of `rows` are held out for a model of this kind."""
    return max(1, min(MAX_EVAL_ROWS[kind], round(rows * EVAL_SHARE)))


def run_seconds(download: int, arch: Architecture, method: Method, request: Request) -> float:
    """Seconds of a whole run with one pass over the data, before they are split. 0 where no data is known.

    Of an encoder's rows a second part, as large as the one held out, is validated on after each pass.
    """
    if not request.tokens or not request.rows:
        return 0.0
    share, hardware = held_out(request.rows, arch.kind) / request.rows, request.hardware
    validated = share if arch.kind == "encoder" else 0.0
    trained = request.tokens * max(0.0, 1 - share - validated)
    return (
        train_seconds(arch, method, hardware, trained)
        + reading_seconds(arch, hardware, request.tokens * validated)
        + around_seconds(arch, hardware, request.tokens * share, request.rows, download)
    )


def around_seconds(
    arch: Architecture, hardware: Hardware, tokens: float, rows: int, download: int | None = None
) -> float:
    """Seconds of all that is not training: start, download, evaluation on `tokens` tokens, reload."""
    weights = download or arch.parameters * (4 if arch.kind == "encoder" else 2)
    return START_SECONDS + weights / hardware.network + evaluation_seconds(arch, hardware, tokens, rows)


def inference(arch: Architecture, hardware: Hardware, tokens: int) -> tuple[int, float]:
    """What using the model takes: bytes, and seconds for one row of `tokens` tokens or one written answer.

    An encoder is loaded in float32, as pipelines do; a decoder in half precision where there are units for it,
    with keys and values of every token it has read and written.
    """
    overhead = LIBRARIES + WORKING if hardware.device != "cuda" else 0
    if arch.kind == "encoder":
        layer = tokens * (8 * arch.hidden + 2 * arch.intermediate) * 4
        scores = 2 * arch.heads * tokens * tokens * 4
        seconds = max(reading_seconds(arch, hardware, tokens), _least(arch, hardware))
        return overhead + arch.parameters * 4 + layer + scores, seconds
    kept = 2 * arch.layers * arch.hidden * arch.kv_heads // arch.heads * (tokens + ANSWER_TOKENS)
    width = _width(hardware)
    seconds = reading_seconds(arch, hardware, tokens) + answer_seconds(arch, hardware)
    return int(overhead + (arch.parameters + kept) * width), seconds


def _least(arch: Architecture, hardware: Hardware) -> float:
    return arch.layers * GPU_LAYER if hardware.device == "cuda" else 0.0


def _width(hardware: Hardware) -> int:
    return 4 if precision(hardware) == "fp32" else 2


def _active(arch: Architecture) -> int:
    """Weights that take part in a token's matrix products: all but an input embedding of its own."""
    return arch.parameters - (0 if arch.tied and arch.kind == "decoder" else table(arch))
