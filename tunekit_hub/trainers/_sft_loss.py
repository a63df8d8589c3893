"""TRL's SFTTrainer with a loss that computes no logits for tokens without one, and a schedule that ends in time.

A function makes the class, so that importing this module does not import trl.
"""

from __future__ import annotations

import functools
import inspect
import math
import time
from typing import Any

from tunekit_hub.supervision import IGNORED


@functools.cache
def answer_loss_trainer() -> type:
    """The trainer class."""
    import torch
    from trl import SFTTrainer

    class AnswerLossTrainer(SFTTrainer):
        """Off CUDA, TRL scores every position and pads with a dense mask; here only answers are scored.

        Right padding needs no attention mask in a causal model: nothing looks ahead. On CUDA, TRL's fused kernel
        already skips positions without a label, and it is used as it is.
        """

        def __init__(self, *args: Any, time_limit: float | None, **kwargs: Any):
            super().__init__(*args, **kwargs)
            self.time_limit = time_limit
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
            return total / (carried.sum() if num_items_in_batch is None else num_items_in_batch)

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            """Warm-up, then a cosine to zero at the last step or at the time limit, whichever is nearer."""
            if self.lr_scheduler is None:
                warmup = self.args.get_warmup_steps(num_training_steps)
                optimizer: Any = optimizer or self.optimizer
                factor = functools.partial(self._factor, warmup, num_training_steps, time.monotonic())
                self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
            return self.lr_scheduler

        def _factor(self, warmup: int, steps: int, began: float, step: int) -> float:
            if step < warmup:
                return (step + 1) / warmup
            done = (step - warmup) / max(steps - warmup, 1)
            if self.time_limit:
                done = max(done, min((time.monotonic() - began) / self.time_limit, 1.0))
            return 0.5 * (1 + math.cos(math.pi * done))

    return AnswerLossTrainer


def _train_in_float32(model: Any) -> None:
    """Half precision loses small updates, and fp16's loss scaling takes float32 gradients only."""
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
