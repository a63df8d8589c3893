"""Loss and answers of a chat model on held-out rows. Serves evaluation and the reload gate alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunekit_hub.dtypes import DTYPES
from tunekit_hub.supervision import IGNORED, load_tokenizer

BATCH = 4
LOGITS = 100_000_000  # numbers at a time: 0.4 GB, of which there are three in float32; training takes less at once


@dataclass(frozen=True)
class RowLoss:
    """Summed loss of one row, in nats, and how many tokens carried it."""

    total: float
    tokens: int


@dataclass(frozen=True)
class Answer:
    """A greedy answer; `stopped`: the model ended it by itself."""

    text: str
    stopped: bool


def load(base: Path, adapter: Path | None, precision: str) -> tuple[Any, Any]:
    """A model in evaluation mode, with the adapter on it if there is one, and its tokenizer.

    Args:
        base: folder of the full weights.
        adapter: folder with adapter weights, or None.
        precision: "bf16", "fp16" or "fp32".
    """
    import torch
    from transformers import AutoModelForCausalLM

    dtype = getattr(torch, DTYPES[precision])
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    model = AutoModelForCausalLM.from_pretrained(base, dtype=dtype).to(device)
    if adapter:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(adapter))
    return model.eval(), load_tokenizer(adapter or base)


def row_losses(model: Any, rows: Sequence[tuple[list[int], list[int]]]) -> list[RowLoss]:
    """The loss of each row of (ids, labels), over the tokens whose label is not -100."""
    import torch

    found: list[RowLoss] = [RowLoss(0.0, 0)] * len(rows)
    order = sorted(range(len(rows)), key=lambda i: -len(rows[i][0]))
    for part in _batches([len(rows[i][0]) * model.config.get_text_config().vocab_size for i in order], order):
        longest = max(len(rows[i][0]) for i in part)
        # Padded on the right: a causal model's earlier positions do not see it, so no mask is needed.
        ids = torch.tensor([rows[i][0] + [0] * (longest - len(rows[i][0])) for i in part], device=model.device)
        labels = torch.tensor(
            [rows[i][1] + [IGNORED] * (longest - len(rows[i][1])) for i in part], device=model.device
        )
        targets = labels[:, 1:]
        keep = (targets != IGNORED).any(dim=0).nonzero().squeeze(1)
        with torch.inference_mode():
            logits = model(input_ids=ids, use_cache=False, logits_to_keep=keep).logits.float()
        losses = torch.nn.functional.cross_entropy(
            logits.transpose(1, 2), targets[:, keep], ignore_index=IGNORED, reduction="none"
        )
        for i, loss, target in zip(part, losses, targets, strict=True):
            found[i] = RowLoss(float(loss.sum()), int((target != IGNORED).sum()))
    return found


def answers(model: Any, tokenizer: Any, prompts: Sequence[str], max_new_tokens: int) -> list[Answer]:
    """Greedy answers to rendered prompts, all in one batch."""
    import torch

    tokenizer.padding_side = "left"
    batch = tokenizer(list(prompts), return_tensors="pt", padding=True, add_special_tokens=False).to(model.device)
    stops = _stops(model, tokenizer)
    with torch.inference_mode():
        written = model.generate(
            **batch,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            eos_token_id=sorted(stops),
            pad_token_id=tokenizer.pad_token_id,
        )
    new = written[:, batch["input_ids"].shape[1] :].tolist()
    return [
        Answer(tokenizer.decode(tokens, skip_special_tokens=True).strip(), bool(stops & set(tokens)))
        for tokens in new
    ]


def _batches(logits: Sequence[int], order: Sequence[int]) -> list[list[int]]:
    """`order` in parts of up to `BATCH` rows, and of up to `LOGITS` of them; `logits` are each row's, falling."""
    parts: list[list[int]] = []
    start = 0
    while start < len(order):
        number = max(1, min(BATCH, LOGITS // max(logits[start], 1)))
        parts.append(list(order[start : start + number]))
        start += number
    return parts


def _stops(model: Any, tokenizer: Any) -> set[int]:
    """Tokens that end an answer: the model's own, and the tokenizer's end of turn."""
    own = model.generation_config.eos_token_id
    listed = own if isinstance(own, list) else [own]
    return {token for token in [*listed, tokenizer.eos_token_id] if token is not None}
