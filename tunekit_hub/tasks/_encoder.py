"""What an encoder says of encoded rows: in validation, in evaluation and in the reload gate.

Batches hold rows of like length, up to a number of tokens: little is padded, and memory is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from tunekit_hub.tasks._heads import MULTI, Encoded, Head, Labels

BATCH_TOKENS = {"cpu": 4096, "cuda": 65_536, "mps": 8192}
HALF = {"bf16": "bfloat16", "fp16": "float16"}


def load(folder: Path, head: Head) -> tuple[Any, Any, Labels]:
    """A trained model in float32 and evaluation mode, as a pipeline loads it; its tokenizer; its labels."""
    import torch
    import transformers

    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    model: Any = getattr(transformers, head.model_class).from_pretrained(folder, dtype=torch.float32)
    return model.to(device).eval(), head.load_tokenizer(folder), Labels.of(model.config)


def inputs(rows: Sequence[Encoded], pad_id: int) -> dict[str, Any]:
    """Ids padded on the right to the longest row, and which of them are tokens."""
    import torch

    longest = max(len(row.input_ids) for row in rows)
    ids = torch.full((len(rows), longest), pad_id)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row.input_ids)] = torch.tensor(row.input_ids)
        mask[i, : len(row.input_ids)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def logits(model: Any, rows: Sequence[Encoded], pad_id: int, precision: str = "fp32") -> list[np.ndarray]:
    """The model's output for each row: one number a label, or that for each of its tokens; in evaluation mode.

    With `precision` other than "fp32" matrix products are done in half precision.
    """
    import torch

    training, device = model.training, model.device
    model.eval()
    found: list[np.ndarray] = [np.empty(0)] * len(rows)
    with torch.inference_mode(), _autocast(device.type, precision):
        for part in _batches(rows, BATCH_TOKENS.get(device.type, 4096)):
            batch = {k: v.to(device) for k, v in inputs([rows[i] for i in part], pad_id).items()}
            out = model(**batch).logits.float().cpu().numpy()
            for i, said in zip(part, out, strict=True):
                found[i] = said if said.ndim == 1 else said[: len(rows[i].input_ids)].copy()
    model.train(training)
    return found


def probabilities(logits: np.ndarray, problem: str | None) -> np.ndarray:
    """Softmax over labels; for several labels a text, each on its own."""
    if problem == MULTI:
        return 1 / (1 + np.exp(-logits.astype(float)))
    powers = np.exp(logits.astype(float) - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _batches(rows: Sequence[Encoded], tokens: int) -> list[list[int]]:
    """Indices of the rows, longest first."""
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i].input_ids))
    parts: list[list[int]] = []
    start = 0
    while start < len(order):
        number = max(1, tokens // max(len(rows[order[start]].input_ids), 1))
        parts.append(order[start : start + number])
        start += number
    return parts


def _autocast(device: str, precision: str) -> AbstractContextManager[Any]:
    import torch

    if precision not in HALF:
        return nullcontext()
    return torch.autocast(device, dtype=getattr(torch, HALF[precision]))
