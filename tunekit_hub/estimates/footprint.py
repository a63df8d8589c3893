"""How much memory a training takes at its peak, by component, from architecture numbers alone.

Sizes are bytes. The counts of what a layer keeps for its backward pass were taken from the models themselves, the
few allowances from measured peaks; `docs/memory.md` has both, and how far off the predictions are.
"""

from __future__ import annotations

from dataclasses import dataclass

from tunekit_hub.facts import Architecture, Hardware, Method
from tunekit_hub.records import Memory, Precision

LORA_RANK = 16
ASSUMED_TRAINED_SHARE = 0.9  # of a batch's positions carry loss in some row: 0.84 in the demo, 0.94 at most
NF4 = 0.5 + 1 / 64 + 4 / (64 * 256)  # 4 bits, and doubly quantised block constants: arXiv 2305.14314, section 3
LIBRARIES = 580_000_000  # resident with torch, transformers, trl and datasets imported, before a model is loaded
WORKING = 80_000_000  # a CPU process's own: buffers, the tokenizer, code that loads on first use
CUDA_OVERHEAD = 1_200_000_000  # context, cuBLAS workspaces, the dequantised matrix of a 4-bit layer
# Tokens whose logits are computed at a time: enough for a fast matrix product, few enough for a processor's cache.
LOSS_PART = 128
SCORE = 12  # bytes an attention score leaves behind where dropout keeps attention from being fused
TABLES = 1.75  # embedding tables' worth that the optimizer holds beside all else
ADDING = 180_000_000  # what adding up the gradients of several batches takes on a CPU
ALLOCATOR = 1.1  # blocks that are free but in the wrong place
# … on a CPU with adapters, whose thin outputs lie scattered in the holes of wide ones: as trainers/_adapters.py
# computes them, and as peft does, with more that is wide and soon gone.
LORA_HEAP, PEFT_HEAP = {"decoder": 1.4, "encoder": 1.3}, {"decoder": 1.8, "encoder": 2.0}
AGAIN = 1.5  # layers' worth in the backward pass where activations are computed again: them, and gradients
# … and, on a CPU, holes: so many layers' worth, up to so many bytes, in full and with adapters
AGAIN_HEAP, AGAIN_MOST = 3.5, 320_000_000
AGAIN_LORA_HEAP, AGAIN_LORA_MOST = 16.5, 700_000_000
CUDA_ALLOCATOR = 1.15


@dataclass(frozen=True)
class Shape:
    """What a batch asks for: rows of so many tokens, with the adapters' rank and the share that carries loss."""

    tokens: int
    batch: int = 1
    checkpointing: bool = False
    accumulation: int = 2  # batches in a step; beyond one, their gradients are added up
    rank: int = LORA_RANK
    trained_share: float = ASSUMED_TRAINED_SHARE


def precision(hardware: Hardware) -> Precision:
    """bf16 where the units are real, fp16 on older GPUs, else fp32."""
    if hardware.bf16:
        return "bf16"
    return "fp16" if hardware.device == "cuda" else "fp32"


def bytes_per_weight(arch: Architecture, method: Method, kind: Precision) -> float:
    """Bytes a base weight takes. What is trained is float32, and encoders always are; a frozen decoder is not."""
    if method == "qlora":
        return NF4
    return 4.0 if kind == "fp32" or method == "full" or arch.kind == "encoder" else 2.0


def lora_parameters(arch: Architecture, rank: int = LORA_RANK) -> int:
    """Parameters of LoRA on every linear layer of the blocks."""
    kv = _kv(arch)
    attention = arch.projections * 2 * arch.hidden - 2 * (arch.hidden - kv)
    mlp = (3 if arch.gated_mlp else 2) * (arch.hidden + arch.intermediate)
    return rank * arch.layers * (attention + mlp)


def memory(arch: Architecture, method: Method, hardware: Hardware, shape: Shape) -> Memory:
    """Predicted peak by component.

    Activations go while gradients come, but the holes they leave seldom suit gradients, so both are counted.
    """
    kind, gpu = precision(hardware), hardware.device == "cuda"
    trained = arch.parameters if method == "full" else lora_parameters(arch, shape.rank)
    activations = _activations(arch, method, kind, shape, gpu=gpu)
    logits = _logits_on_gpu(arch, shape) if gpu else _logits(arch, method, kind, shape)
    # AdamW's own: the root of every second moment at once on a GPU, when the activations are gone; of one matrix
    # at a time on a CPU, the embedding table's the largest of them.
    adding = shape.accumulation > 1 and not shape.checkpointing
    if gpu:
        step = max(0.0, trained * 4 - activations - logits)
    else:
        step = TABLES * 4 * min(trained, table(arch)) + (min(ADDING, trained * 4) if adding else 0)
    return Memory(
        weights=int(_weights(arch, method, kind, shape)),
        adapter=0 if method == "full" else trained * 4,
        gradients=int(trained * 4 + step),
        optimizer=trained * 8,
        best=0 if gpu or arch.kind == "decoder" else trained * 4,
        activations=int(activations),
        logits=int(logits),
        overhead=CUDA_OVERHEAD if gpu else LIBRARIES + WORKING,
    )


def table(arch: Architecture) -> int:
    """Weights of one embedding table, the largest matrix there is."""
    return arch.vocab * arch.hidden


def _weights(arch: Architecture, method: Method, kind: Precision, shape: Shape) -> float:
    """The base model; with it, in mixed precision, the half-precision copies of weights held in float32."""
    tables = table(arch) * (1 if arch.tied or arch.kind == "encoder" else 2)
    wide = bytes_per_weight(arch, method, kind)
    if method == "qlora":  # embeddings and the output layer stay in half precision
        return (arch.parameters - tables) * wide + tables * 2
    copies = 2 * (arch.parameters - tables) if kind != "fp32" and wide == 4 else 0
    return arch.parameters * wide + (copies / arch.layers if shape.checkpointing else copies)


def _activations(arch: Architecture, method: Method, kind: Precision, shape: Shape, *, gpu: bool) -> float:
    half, thin = kind != "fp32", method != "full"
    tokens = _padded(arch, shape.tokens) * shape.batch
    dense = tokens * _dense(arch, shape.rank if thin else 0, half)
    scores = tokens * _scores(arch, half, shape, fused=gpu)
    if not shape.checkpointing:
        slack = CUDA_ALLOCATOR if gpu else ALLOCATOR
        return arch.layers * (dense * (_heap(arch, method, half) if thin and not gpu else slack) + scores * slack)
    stream = 2 if half and thin and arch.kind == "decoder" else 4
    layer = dense + scores
    kept = arch.layers * shape.batch * shape.tokens * arch.hidden * stream + AGAIN * layer
    if gpu:
        return CUDA_ALLOCATOR * kept
    holes, most = (AGAIN_LORA_HEAP, AGAIN_LORA_MOST) if thin else (AGAIN_HEAP, AGAIN_MOST)
    return kept + min(holes * layer, most)


def _heap(arch: Architecture, method: Method, half: bool) -> float:
    """Adapters are in one piece on a base that is held in the type it is computed with."""
    ours = method == "lora" and (arch.kind == "decoder" or not half)
    return (LORA_HEAP if ours else PEFT_HEAP)[arch.kind]


def _dense(arch: Architecture, rank: int, half: bool) -> float:
    """Bytes a layer keeps per token, but for attention scores; `rank` of its adapters, 0 where all is trained."""
    h, inner, wide = arch.hidden, arch.intermediate, 2 if half else 4
    if arch.kind == "decoder":  # frozen norms keep one copy less
        return (24 if rank else 30 if half else 32) * h + (4 * inner + 2 * _kv(arch) + 7 * rank) * wide
    return (34 if half else 40) * h + (4 if arch.gated_mlp else 2) * inner * wide


def _scores(arch: Architecture, half: bool, shape: Shape, *, fused: bool) -> float:
    """Bytes of attention scores a layer keeps per token. A decoder's attention is one kernel, which keeps none."""
    scores = arch.heads * shape.tokens
    if arch.attention == "disentangled":
        # Two more sets of scores, towards 512 relative distances, and the tables they are made with.
        return (44 if half else 68) * arch.hidden + scores * (7 if half else 13) + _positions(arch, half, shape)
    if arch.attention == "window":  # scores of overlapping chunks, in several stages
        return (arch.window + 1) * arch.heads * (10.5 if half else 19)
    return 0 if fused or not arch.attention_dropout else scores * SCORE


def _positions(arch: Architecture, half: bool, shape: Shape) -> float:
    """DeBERTa's projected tables of relative distances, one for a batch: spread over its tokens."""
    return 512 * arch.hidden * (16 if half else 24) / (shape.tokens * shape.batch)


def _padded(arch: Architecture, tokens: int) -> int:
    """Windows are filled up."""
    return -(-tokens // arch.window) * arch.window if arch.attention == "window" else tokens


def _logits(arch: Architecture, method: Method, kind: Precision, shape: Shape) -> float:
    """What a decoder's loss takes on a CPU, beside what its layers keep; an encoder's is next to nothing.

    Only tokens with loss have logits, `LOSS_PART` of them at a time (`trainers/_answer_loss.py`). Of a part there
    are two tensors a vocabulary wide: logits and their log-softmax, 4 bytes each, which becomes the gradient in
    place. In half precision the logits take 2, and their softmax in float32 needs a copy of them: 2 + 4 + 4. Of
    all tokens with loss there are three vectors a hidden state wide: the state, its gradient as it was found, and
    as it is passed on. Nothing of this is computed again in the backward pass.

    Where the output layer is trained, its gradient is found with the loss, before all others, and lies beside what
    earlier batches of the step left until the others are there: one more table.

    Models that change their logits after the output layer have all of them at once: logits, log-softmax and
    gradient, 4 + 4 + 4, or 2 + 4 + 4 + 4 in half precision. So has each of several processes that train the output
    layer (`_sft_loss.py`), of which a plan does not know.
    """
    if arch.kind == "encoder":
        return 0.0
    carried = shape.trained_share * shape.batch * shape.tokens
    if arch.bounded_logits:
        return carried * arch.vocab * (12 if kind == "fp32" else 14)
    part = min(LOSS_PART, carried) * arch.vocab * (8 if kind == "fp32" else 10)
    beside = 4 * table(arch) if method == "full" and shape.accumulation > 1 else 0
    return part + 3 * carried * arch.hidden * 4 + beside


def _logits_on_gpu(arch: Architecture, shape: Shape) -> float:
    """TRL's output layer works in chunks; what stays is the hidden state of every token with loss, twice."""
    if arch.kind == "encoder":
        return 0.0
    chunk = min(1024, shape.batch * shape.tokens)
    return chunk * arch.vocab * 6 + shape.batch * shape.tokens * arch.hidden * 4


def _kv(arch: Architecture) -> int:
    return arch.hidden * arch.kv_heads // arch.heads
