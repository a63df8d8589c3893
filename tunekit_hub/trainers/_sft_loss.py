"""TRL's SFTTrainer with a loss that computes no logits for tokens without one.

A function makes the class, so that importing this module does not import trl.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tunekit_hub.supervision import IGNORED
from tunekit_hub.trainers._answer_loss import answer_loss
from tunekit_hub.trainers._four_bit import keep_gradients
from tunekit_hub.trainers._lasting import Lasting
from tunekit_hub.trainers._one_line import each_row_alone, one_line


@functools.cache
def answer_loss_trainer() -> type:
    """The trainer class."""
    import torch
    from trl import SFTTrainer

    class AnswerLossTrainer(Lasting, SFTTrainer):
        """Off CUDA, TRL computes each logit twice, entropy and hits besides, and pads with a dense mask.

        Here only answers are scored, once, and padding is left out. A model that cannot do without gets it on the
        right, where it needs no attention mask: nothing looks ahead. On CUDA, TRL's fused kernel already skips
        positions without a label, and it is used as it is.
        """

        def __init__(self, *args: Any, **kwargs: Any):
            super().__init__(*args, **kwargs)
            _train_in_float32(self.model)
            keep_gradients(self.model)
            model = _bare(self)
            forward = inspect.signature(type(model).forward).parameters
            self._scores_answers = "logits_to_keep" in forward and self.args.device.type != "cuda"
            self._in_parts = self._scores_answers and not _divided(self, model) and _plain_head(model)
            self._in_one_line = False

        def train(self, *args: Any, **kwargs: Any) -> Any:
            """Without padding, where the model keeps rows apart."""
            with without_padding(self):
                return super().train(*args, **kwargs)

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            if not self._scores_answers or return_outputs:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            given = one_line(inputs) if self._in_one_line else inputs
            shown = {name: value for name, value in given.items() if name not in ("labels", "attention_mask")}
            targets = given["labels"][:, 1:]
            carried = targets != IGNORED
            head = _bare(self).get_output_embeddings()
            with _given(head, carried, through=not self._in_parts):
                found = model(**shown, use_cache=False).logits
            if self._in_parts:
                kind = torch.bfloat16 if self.args.bf16 else head.weight.dtype
                total = answer_loss()(found, head.weight, head.bias, targets[carried], kind)
            else:
                total = torch.nn.functional.cross_entropy(found.float(), targets[carried], reduction="sum")
            return _mean(self, total, carried, num_items_in_batch)

    return AnswerLossTrainer


@contextmanager
def without_padding(trainer: Any) -> Generator[bool]:
    """The trainer takes batches in one line in here, where its model keeps their rows apart; whether it does."""
    if not trainer._scores_answers:
        yield False
        return
    with each_row_alone(_bare(trainer), max(trainer._lengths)) as trainer._in_one_line:
        try:
            yield trainer._in_one_line
        finally:
            trainer._in_one_line = False


def _bare(trainer: Any) -> Any:
    """The model without what wraps it for several processes or adapters."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _divided(trainer: Any, model: Any) -> bool:
    """Whether the output layer's weights have to be used inside of the model, by what wraps it."""
    several = trainer.args.world_size > 1 and any(w.requires_grad for w in _weights(model))
    return trainer.is_fsdp_enabled or trainer.is_deepspeed_enabled or several


def _mean(trainer: Any, total: Any, carried: Any, number: Any) -> Any:
    """The loss a trained token, of a whole step's where their `number` is known."""
    if number is None:
        return total / carried.sum()
    if trainer.args.average_tokens_across_devices:
        total = total * trainer.accelerator.num_processes  # the number is that of all processes
    return total / number


@contextmanager
def _given(head: Any, carried: Any, *, through: bool) -> Generator[None]:
    """The output layer gets the hidden states before trained tokens, (tokens, width), and hands on their logits.

    With `through` off it hands on the hidden states themselves.
    """
    if through:
        hook = head.register_forward_pre_hook(lambda _, given: (given[0][:, :-1][carried],))
        try:
            yield
        finally:
            hook.remove()
        return
    head.forward = lambda hidden: hidden[:, :-1][carried]
    try:
        yield
    finally:
        del head.forward


def _weights(model: Any) -> list[Any]:
    head = model.get_output_embeddings()
    return [] if head is None else list(head.parameters())


def _plain_head(model: Any) -> bool:
    """Whether the model's logits are what a linear output layer gives; some scale or bound them afterwards."""
    import torch

    head, seen = model.get_output_embeddings(), []
    if type(head) is not torch.nn.Linear or "forward" in vars(head):  # somebody else's hook
        return False
    hook = head.register_forward_hook(lambda _, __, out: seen.append(out))
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):  # dropout must not move the order of what follows
            token = torch.zeros((1, 2), dtype=torch.long, device=head.weight.device)
            logits = model(input_ids=token, use_cache=False).logits
    finally:
        hook.remove()
    return len(seen) == 1 and logits is seen[0]


def _train_in_float32(model: Any) -> None:
    """Half precision loses small updates, and fp16's loss scaling takes float32 gradients only."""
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
