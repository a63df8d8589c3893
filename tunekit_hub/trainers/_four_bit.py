"""What 4-bit layers need to be trained right on a CPU."""

from __future__ import annotations

from typing import Any


def keep_gradients(model: Any) -> None:
    """Turn off a short cut of bitsandbytes that loses gradients without an error.

    On CPUs with AVX512-BF16 the first forward pass in evaluation mode packs the weights anew, for a kernel without
    a backward pass; from then on nothing flows through these layers in training either (bitsandbytes 0.50). So it
    has to be off before anything is evaluated. It makes no difference elsewhere.
    """
    for layer in model.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False
