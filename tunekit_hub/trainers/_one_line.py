"""The rows of a batch in one line, without padding: every layer sees real tokens only, each row attends to itself.

What all rows begin with, as a system prompt, stands in the line once. Attention takes the rows one by one, with
PyTorch's own causal kernel: there is no dense mask, and no pair of tokens of different rows is computed. It is for
models whose forward hands the sizes of the rows on to attention and in which nothing else mixes tokens; that is
tried out on two short rows before the training.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tunekit_hub.supervision import IGNORED

NAME = "tunekit_rows"  # of the attention, as transformers knows it


def one_line(inputs: dict[str, Any]) -> dict[str, Any]:
    """A batch padded on the right, (rows, tokens), as one row of its real tokens, and how attention is to read it.

    `shared` tokens come first that all rows begin with; `row_sizes` are the tokens that each has besides.
    A row's first token has no label: nothing in its own row is there to predict it.
    """
    import torch

    ids, real = inputs["input_ids"], inputs["attention_mask"].bool()
    labels = inputs["labels"].clone()
    labels[:, 0] = IGNORED
    shared = _shared(ids, labels, real)
    kept = real.clone()
    kept[1:, :shared] = False
    places = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
    flat = {"input_ids": ids, "labels": labels, "position_ids": places}
    sizes = (real.sum(1) - shared).tolist()
    return {name: value[kept][None] for name, value in flat.items()} | {"shared": shared, "row_sizes": sizes}


def _shared(ids: Any, labels: Any, real: Any) -> int:
    """How many tokens all rows begin with; in each row, one without loss comes after them."""
    if len(ids) == 1:
        return 0
    goes_on = real[:, 1:] & (labels[:, 1:] == IGNORED)
    same = (ids == ids[:1])[:, :-1] & goes_on
    return int(same.all(0).cumprod(0).sum())


@contextmanager
def each_row_alone(model: Any, longest: int) -> Generator[bool]:
    """In here `model` takes what `one_line` makes of rows of up to `longest` tokens; whether it can."""
    if not _exchangeable(model, longest):
        yield False
        return
    before = model.config._attn_implementation
    _register()
    try:
        model.set_attn_implementation(NAME)
        able = _isolates(model)
        if not able:
            model.set_attn_implementation(before)
        yield able
    finally:
        model.set_attn_implementation(before)


def _exchangeable(model: Any, longest: int) -> bool:
    """Whether the model uses the attention that ours builds on, and no window is shorter than a row."""
    config = model.config.get_text_config()
    windows = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
    return (
        getattr(model, "_supports_attention_backend", False)
        and model.config._attn_implementation == "sdpa"
        and all(window is None or longest <= window for window in windows)
    )


def _register() -> None:
    import torch
    from transformers import AttentionInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    def attend(module: Any, query: Any, key: Any, value: Any, mask: Any, **given: Any) -> tuple[Any, None]:
        """Tensors are (1, heads, tokens of the line, width)."""
        shared, sizes = given.pop("shared", 0), given.pop("row_sizes", None)
        if sizes is None or mask is not None:
            return sdpa_attention_forward(module, query, key, value, mask, **given)
        parts = [one.split([shared, *sizes], dim=2) for one in (query, key, value)]
        found = []
        for row in range(1, len(sizes) + 1):
            whole: Any = [torch.cat((part[0], part[row]), dim=2) if shared else part[row] for part in parts]
            out, _ = sdpa_attention_forward(module, *whole, None, **given)
            found.append(out[:, shared:] if found else out)
        return torch.cat(found, dim=1), None

    AttentionInterface.register(NAME, attend)


def _isolates(model: Any) -> bool:
    """Whether a row has the logits that it has alone, whatever stands before it in the line."""
    import torch

    training, device, words = model.training, next(model.parameters()).device, model.get_input_embeddings()
    ids = torch.arange(24, device=device) % words.num_embeddings
    begin, first, other, row = ids.reshape(4, 6)
    row = torch.cat((begin, row))
    try:
        with torch.no_grad():
            model.eval()
            seen = [_logits(model, torch.cat((begin, before)), row) for before in (first, other)]
            alone = model(input_ids=row[None], use_cache=False).logits[0, len(begin) :]
    except (TypeError, ValueError, RuntimeError):  # it has no place for the lengths, or no attention of this kind
        return False
    finally:
        model.train(training)
    most, eps = float(alone.abs().max()), torch.finfo(alone.dtype).eps
    moved, apart = (float((seen[0] - one).abs().max()) for one in (seen[1], alone))
    return moved <= 8 * eps * most and apart <= eps**0.5 * most


def _logits(model: Any, before: Any, row: Any) -> Any:
    """Those of what `row` has of its own, behind another row in one line."""
    import torch

    ids = torch.stack((before, row))
    rows = {"input_ids": ids, "labels": torch.full_like(ids, IGNORED), "attention_mask": torch.ones_like(ids)}
    line = one_line(rows)
    del line["labels"]
    return model(**line, use_cache=False).logits[0, len(before) :]
