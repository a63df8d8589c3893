"""TRL's SFTTrainer with a loss that computes no logits for tokens without one.

A function makes the class, so that importing this module does not import trl.
"""

from __future__ import annotations

import functools
import inspect
from typing import Any

from tunekit_hub.supervision import IGNORED
from tunekit_hub.trainers._lasting import Lasting


@functools.cache
def answer_loss_trainer() -> type:
    """The trainer class."""
    import torch
    from trl import SFTTrainer

    class AnswerLossTrainer(Lasting, SFTTrainer):
        """Off CUDA, TRL scores every position and pads with a dense mask; here only answers are scored.

        Right padding needs no attention mask in a causal model: nothing looks ahead. On CUDA, TRL's fused kernel
        already skips positions without a label, and it is used as it is.
        """

        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__(*args, **kwargs)
            _train_in_float32(self.model)
            forward = inspect.signature(type(self._unwrapped()).forward).parameters
            self._skips_logits = "logits_to_keep" in forward and self.args.device.type != "cuda"

        def _unwrapped(self) -> Any:
            model = self.accelerator.unwrap_model(self.model)
            return model.get_base_model() if hasattr(model, "get_base_model") else model

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            if not self._skips_logits or return_outputs:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            targets = inputs["labels"][:, 1:]
            carried = targets != IGNORED
            keep = carried.any(dim=0).nonzero().squeeze(1)
            logits = model(input_ids=inputs["input_ids"], use_cache=False, logits_to_keep=keep).logits
            total = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1).float(),
                targets[:, keep].flatten(),
                ignore_index=IGNORED,
                reduction="sum",
            )
            if num_items_in_batch is None:
                return total / carried.sum()
            if self.args.average_tokens_across_devices:
                total = total * self.accelerator.num_processes  # the number is that of all processes
            return total / num_items_in_batch

    return AnswerLossTrainer


def _train_in_float32(model: Any) -> None:
    """Half precision loses small updates, and fp16's loss scaling takes float32 gradients only."""
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
