"""The loss of the trained tokens from their hidden states, a few of them at a time.

The logits of a token are as many as the vocabulary has entries; those of a whole batch, their softmax and their
gradients are most of what a small model needs memory for. Here a part's logits become its gradients in place,
before the next part's are computed. The sum is that of cross entropy over all of them.

A function makes the class, so that importing this module does not import torch.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from tunekit_hub.estimates.footprint import LOSS_PART as PART


@functools.cache
def answer_loss() -> Any:
    """The function `(hidden, weight, bias, targets, kind) → summed loss`.

    `hidden` is (tokens, width), `weight` (vocabulary, width) and `bias` (vocabulary) or None those of the output
    layer, `targets` (tokens) without ignored ones, `kind` the type that products of matrices are computed in; the
    softmax is in float32. Gradients that are wanted are worked out along with the loss.
    """
    import torch

    class AnswerLoss(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, hidden: Any, weight: Any, bias: Any, targets: Any, kind: Any) -> Any:
            with torch.autocast(hidden.device.type, enabled=False):
                given = (hidden.to(kind), weight.to(kind), None if bias is None else bias.to(kind))
                total, grads = _summed(*given, targets, ctx.needs_input_grad[:3])
            ctx.save_for_backward(*grads)
            ctx.kinds = (hidden.dtype, weight.dtype, None if bias is None else bias.dtype)
            return total

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, grad: Any) -> Any:
            pairs = zip(ctx.saved_tensors, ctx.kinds, strict=True)
            return *(None if one is None else (one * grad).to(kind) for one, kind in pairs), None, None

    return AnswerLoss.apply


def _summed(hidden: Any, weight: Any, bias: Any, targets: Any, wanted: Sequence[bool]) -> tuple[Any, list[Any]]:
    """The loss in float32 and the gradients of hidden states, weight and bias, each None if not wanted."""
    import torch

    total = torch.zeros((), device=hidden.device)
    of_hidden = torch.empty_like(hidden) if wanted[0] else None
    of_weight = torch.zeros_like(weight, dtype=torch.float32) if wanted[1] else None
    of_bias = torch.zeros_like(bias, dtype=torch.float32) if wanted[2] else None
    for start in range(0, len(hidden), PART):
        place = slice(start, start + PART)
        to = None if of_hidden is None else of_hidden[place]
        total += _of_part(hidden[place], weight, bias, targets[place], (to, of_weight, of_bias))
    return total, [of_hidden, of_weight, of_bias]


def _of_part(part: Any, weight: Any, bias: Any, targets: Any, grads: Sequence[Any]) -> Any:
    """The summed loss of a part; its gradients are written into the first of `grads`, and added to the others.

    A function of its own, so that its logits are gone before those of the next part are there.
    """
    import torch

    of_hidden, of_weight, of_bias = grads
    aims = targets[:, None]
    logs = torch.log_softmax(torch.nn.functional.linear(part, weight, bias), -1, dtype=torch.float32)
    total = -logs.gather(1, aims).sum()
    if all(one is None for one in grads):
        return total
    logs.exp_().scatter_add_(1, aims, torch.full_like(aims, -1, dtype=logs.dtype))
    if of_bias is not None:
        of_bias += logs.sum(0)
    steep = logs.to(weight.dtype)
    if of_hidden is not None:
        torch.mm(steep, weight, out=of_hidden)
    if of_weight is not None:
        of_weight += steep.T @ part
    return total
