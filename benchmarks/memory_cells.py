"""The cells of `memory.py`: which there are, and how one is measured in its own process."""

from __future__ import annotations

import gc
import re
import tempfile
import time
from pathlib import Path
from typing import Any

STEPS = 2  # the second one has the optimizer's state beside the activations
VALIDATION = 8  # rows
TRAINED = 0.6  # of a decoder's tokens carry loss: the last ones of each row
LLAMA = "HuggingFaceTB/SmolLM2-135M-Instruct"
MIDDLE = "HuggingFaceTB/SmolLM2-360M-Instruct"
TINY = "TinyLlama/TinyLlama-1.1B-Chat-v1.0"
MINI = "sentence-transformers/all-MiniLM-L6-v2"
# model, method, [(batch, tokens, accumulation, checkpointing, precision)]
BERT, DISTIL, ROBERTA = "bert-base-uncased", "distilbert-base-uncased", "roberta-base"
DEBERTA, LONG = "microsoft/deberta-v3-base", "allenai/longformer-base-4096"
# model, method, cells as BATCHxTOKENS[xACCUMULATION], c with checkpointing, h in half precision (bf16)
CPU_CELLS = (
    (LLAMA, "lora", "4x128 2x256c 1x256 1x128h 2x512 1x1024c 4x256x2"),
    (BERT, "full", "8x64 2x512 4x128x2 4x256c 4x64h"),
    (MINI, "full", "8x64 8x512 16x128 16x256x2c"),
    (LLAMA, "full", "1x128 2x256x2 2x256c 2x256 1x64h"),
    (DISTIL, "full", "8x128 2x512x2 8x256c"),
    (DEBERTA, "full", "4x128 2x384 4x128x2c 8x64"),
    (LONG, "full", "1x512 1x1024c 1x1024"),
    (MIDDLE, "lora", "2x128 2x256 2x256c"),
    (ROBERTA, "full", "8x128 2x256x2 2x512c"),
    (BERT, "lora", "8x128 2x512"),
    (TINY, "lora", "1x128c 1x512c"),
    (MIDDLE, "full", "1x128c"),
)
_CELL = re.compile(r"(\d+)x(\d+)(?:x(\d+))?(c?)(h?)")
KEYS = ("model", "method", "batch", "tokens", "accumulation", "checkpointing", "precision")
GPU_METHODS = {"encoder": ("full", "lora"), "decoder": ("qlora", "lora", "full")}
GPU_SHAPES = ((1, 512, 1, 1), (4, 256, 1, 1), (4, 512, 2, 0))


def grid() -> list[dict[str, Any]]:
    """The cells for this machine."""
    import torch

    if torch.cuda.is_available():
        return _gpu_grid()
    return [_cell(model, method, written) for model, method, cells in CPU_CELLS for written in cells.split()]


def _cell(model: str, method: str, written: str) -> dict[str, Any]:
    found = _CELL.fullmatch(written)
    assert found, written
    batch, tokens, accumulation, again, half = found.groups()
    return {
        "device": "cpu",
        "model": model,
        "method": method,
        "batch": int(batch),
        "tokens": int(tokens),
        "accumulation": int(accumulation or 1),
        "checkpointing": int(bool(again)),
        "precision": "bf16" if half else "fp32",
    }


def _gpu_grid() -> list[dict[str, Any]]:
    """Every model of the registry once per shape, with each method that its weights leave room for."""
    import torch

    from tunekit_hub import registry

    room = torch.cuda.get_device_properties(0).total_memory
    cells, seen = [], set()
    for entry in registry.load().models:
        if (entry.model_type, entry.parameters) in seen:
            continue
        seen.add((entry.model_type, entry.parameters))
        for method in GPU_METHODS[entry.architecture.kind]:
            if entry.parameters * {"full": 20, "lora": 3, "qlora": 1}[method] > 0.8 * room:
                continue
            cells += [
                {"model": entry.id, "device": "cuda", "method": method, "batch": batch, "tokens": tokens}
                | {"accumulation": accumulation, "checkpointing": again, "precision": "bf16"}
                for batch, tokens, accumulation, again in GPU_SHAPES
                if tokens <= entry.architecture.context
            ]
    return cells


def make_base(model: str, folder: Path) -> None:
    """A model of the registered shape with random weights, saved as a repo of the Hub would hold it."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

    from tunekit_hub import registry

    entry = registry.load().entry(model)
    assert entry is not None
    config = AutoConfig.for_model(**entry.config)
    decoder = entry.architecture.kind == "decoder"
    torch.set_default_dtype(torch.bfloat16 if decoder else torch.float32)
    made = (AutoModelForCausalLM if decoder else AutoModel).from_config(config)
    made.save_pretrained(folder / model.replace("/", "--"))
    _tokenizer().save_pretrained(folder / model.replace("/", "--"))


def measure(cell: dict[str, Any], bases: Path) -> dict[str, Any]:
    """Train the cell in this process; the process's memory before, its peak, and the seconds."""
    from tunekit_hub import quiet
    from tunekit_hub.facts import Running
    from tunekit_hub.hardware import peak
    from tunekit_hub.trainers import TRAINERS

    plan = _plan(cell)
    base = bases / cell["model"].replace("/", "--")
    trainer = TRAINERS[plan.trainer]
    with quiet.libraries(), tempfile.TemporaryDirectory() as run_dir:
        prepared = _prepared(cell, plan, trainer.kind)
        gc.collect()
        before = peak.resident()
        peak.restart()
        began = time.monotonic()
        trainer.fit(plan, base, prepared, Path(run_dir), lambda _: None, Running())
    measured = peak.peak_memory()
    if cell["device"] == "cuda":
        before = 0
    return {"before": before, "peak": measured - before, "seconds": round(time.monotonic() - began, 1)}


def import_all() -> None:
    """What training imports on the way, so that it does not count as a cell's memory."""
    import datasets  # noqa: F401
    import peft  # noqa: F401
    import sklearn.metrics  # noqa: F401
    import torch
    from transformers.models.auto import modeling_auto  # noqa: F401

    from tunekit_hub.trainers._encoder_trainer import encoder_trainer
    from tunekit_hub.trainers._sft_loss import answer_loss_trainer

    torch.set_num_threads(1)
    answer_loss_trainer()
    encoder_trainer()
    gc.freeze()


def _plan(cell: dict[str, Any]) -> Any:
    """As planning would have it, with only what a trainer reads."""
    from tunekit_hub import hardware, registry
    from tunekit_hub.facts import Request
    from tunekit_hub.records import DataRef, Plan, Profile, Recommendation, Selection

    entry = registry.load().entry(cell["model"])
    assert entry is not None
    machine = hardware.detect().but(device=cell["device"], bf16=cell["precision"] == "bf16")
    lora, decoder = cell["method"] != "full", entry.architecture.kind == "decoder"
    task = "instruction_tuning" if decoder else "classification"
    data = DataRef(source="made up", format="none", sha256="")
    profile = Profile.model_construct(task=task, data=data, columns={}, max_rows=None, test=None)
    selection = Selection.model_construct(
        request=Request(hardware=machine),
        architecture=entry.architecture,
        method=cell["method"],
        repo_id=entry.canonical,
        revision="main",
        recommendation=Recommendation.model_construct(profile=profile),
    )
    return Plan.model_construct(
        selection=selection,
        trainer="sft" if decoder else "encoder",
        method=cell["method"],
        precision=cell["precision"],
        max_tokens=cell["tokens"],
        batch_size=cell["batch"],
        accumulation=cell["accumulation"],
        epochs=1.0 if decoder else float(STEPS),
        learning_rate=1e-5,
        warmup=0.1,
        checkpointing=bool(cell["checkpointing"]),
        lora_rank=16 if lora else None,
        lora_alpha=32 if lora else None,
        seed=42,
        train_rows=cell["batch"] * cell["accumulation"],
        validation_rows=0 if decoder else VALIDATION,
        eval_rows=0,
        patience=None if decoder else 2,
        class_weights=False,
        time_limit=None,
    )


def _prepared(cell: dict[str, Any], plan: Any, kind: str) -> Any:
    """Rows that are all as long as a batch can be wide, and begin with nothing in common."""
    rows = cell["batch"] * cell["accumulation"]
    ids = [5 + n % 200 for n in range(cell["tokens"])]
    if kind == "decoder":
        from tunekit_hub.supervision import IGNORED, Encoded, Supervised

        cut = round(cell["tokens"] * (1 - TRAINED))
        turned = [ids[row:] + ids[:row] for row in range(rows * STEPS)]
        return Supervised(rows=[Encoded(row, [IGNORED] * cut + row[cut:]) for row in turned])
    from tunekit_hub.labelled import Labelled
    from tunekit_hub.tasks import _heads
    from tunekit_hub.trainers import _encoder_rows

    encoded, texts = _heads.Encoded(ids, 0, 1), [Labelled("a text", ("a",))] * VALIDATION
    return _encoder_rows.Prepared(
        head=_encoder_rows.head_of(plan.task),
        labels=_heads.Labels(("a", "b"), _heads.SINGLE),
        tokenizer=_tokenizer(),
        train=[encoded] * rows,  # a step a pass, and a validation after each
        weights=None,
        validation=[encoded] * VALIDATION,
        validation_rows=texts,
    )


def _tokenizer() -> Any:
    """A byte-level tokenizer: ids below 300, which every vocabulary has."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    specials = ["<pad>", "<s>", "</s>", "<unk>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate([*specials, *alphabet])}, merges=[]))
    core.add_special_tokens(specials)
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>",
        cls_token="<s>", sep_token="</s>",
    )  # fmt: skip


def table(cells: list[dict[str, Any]]) -> str:
    """Predicted beside measured, a Markdown row per cell; mean and worst error of fitted cells and the others."""
    head = (*KEYS, "measured", "predicted", "error")
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    errors: dict[bool, list[float]] = {True: [], False: []}
    for cell in cells:
        predicted, fitted = predicted_peak(cell), bool(cell.get("fitted"))
        error = predicted / cell["peak"] - 1
        errors[fitted].append(error)
        sizes = [f"{cell['peak'] / 1e9:.2f} GB", f"{predicted / 1e9:.2f} GB"]
        lines.append(f"| {' | '.join([*(str(cell[key]) for key in KEYS), *sizes])} | {error * 100:+.1f} % "
                     f"{'' if fitted else '(held out) '}|")  # fmt: skip
    for fitted, found in errors.items():
        if found:
            mean, name = sum(map(abs, found)) / len(found), "fitted" if fitted else "held out"
            spread = f"from {min(found) * 100:+.1f} % to {max(found) * 100:+.1f} %"
            lines.append(f"\n{name}: {len(found)} cells, mean error {mean * 100:.1f} %, {spread}")
    return "\n".join(lines)


def predicted_peak(cell: dict[str, Any]) -> int:
    """What the product predicts for a cell, above what the process holds before."""
    from tunekit_hub.estimates import footprint

    plan = _plan(cell)
    shape = footprint.Shape(
        tokens=cell["tokens"],
        batch=cell["batch"],
        checkpointing=bool(cell["checkpointing"]),
        accumulation=cell["accumulation"],
        trained_share=TRAINED,
    )
    hardware = plan.selection.request.hardware
    need = footprint.memory(plan.selection.architecture, cell["method"], hardware, shape)
    return need.total - (footprint.LIBRARIES if cell["device"] == "cpu" else 0)
