"""LoRA layers in one piece while they train: the same numbers, with fewer passes over the activations.

peft computes `base(x) + B(A(x)) * scale` as five operations, three of which read and write a tensor of the layer's
whole output; the backward pass has as many again. Here the adapter's product is added into the layer's own output,
and its gradient into that of the input. Nothing is approximated: only the order of some roundings differs.

Functions make what needs torch, so that importing this module does not import it.
"""

from __future__ import annotations

import functools
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any


@contextmanager
def in_one_piece(model: Any) -> Generator[int]:
    """Plain LoRA layers of `model` compute in one piece in here; how many there are. Others stay as they are.

    A plain layer has one adapter on an ordinary linear layer: no dropout, no bias of its own, no variant.
    """
    layers = [module for module in model.modules() if _plain(module)]
    for layer in layers:
        layer.forward = functools.partial(_forward, layer)
    try:
        yield len(layers)
    finally:
        for layer in layers:
            del layer.forward


def _plain(module: Any) -> bool:
    import torch
    from peft.tuners.lora import Linear

    if type(module) is not Linear or type(module.base_layer) is not torch.nn.Linear or "forward" in vars(module):
        return False
    names = module.active_adapters
    return (
        len(names) == 1
        and names[0] in module.lora_A
        and isinstance(module.lora_dropout[names[0]], torch.nn.Identity)
        and module.lora_B[names[0]].bias is None
        and names[0] not in module.lora_variant
        and not module.fan_in_fan_out
        and not module.base_layer.weight.requires_grad
    )


def _forward(layer: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
    import torch

    weight, kind = layer.base_layer.weight, x.device.type
    computed = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
    if args or kwargs or layer.disable_adapters or layer.merged or weight.dtype != computed:
        return type(layer).forward(layer, x, *args, **kwargs)
    (name,) = layer.active_adapters
    low, high = layer.lora_A[name].weight, layer.lora_B[name].weight
    return _adapted()(x, weight, layer.base_layer.bias, low, high, layer.scaling[name])


@functools.cache
def _adapted() -> Any:
    import torch

    class Adapted(torch.autograd.Function):
        """`x W' + b + s (x A') B'`, computed in the type of the frozen W; A and B may be of a wider one."""

        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any, bias: Any, low: Any, high: Any, scale: float) -> Any:
            flat = x.reshape(-1, x.shape[-1]).to(weight.dtype)
            inner = flat @ low.to(weight.dtype).T
            out = torch.nn.functional.linear(flat, weight, bias)
            out.addmm_(inner, high.to(weight.dtype).T, alpha=scale)
            ctx.save_for_backward(flat, inner, weight, low, high)
            ctx.scale, ctx.shape, ctx.kind = scale, x.shape, x.dtype
            return out.view(*x.shape[:-1], out.shape[-1])

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx: Any, grad: Any) -> Any:
            flat, inner, weight, low, high = ctx.saved_tensors
            grad = grad.reshape(-1, grad.shape[-1])
            outer = (grad @ high.to(weight.dtype)).mul_(ctx.scale)
            of_x = None
            if ctx.needs_input_grad[0]:
                of_x = (grad @ weight).addmm_(outer, low.to(weight.dtype)).view(ctx.shape).to(ctx.kind)
            of_low = (outer.T @ flat).to(low.dtype)
            of_high = (inner.T @ grad).T.to(high.dtype).mul_(ctx.scale)
            return of_x, None, None, of_low, of_high, None

    return Adapted.apply
