"""transformers' Trainer with the encoder's loss.

A function makes the class, so that importing this module does not import transformers.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

from tunekit_hub.tasks._heads import IGNORED, MULTI, Encoded, Head, Labels
from tunekit_hub.trainers._encoder_loss import summed_loss
from tunekit_hub.trainers._lasting import Lasting


@functools.cache
def encoder_trainer() -> type:
    """The trainer class."""
    import torch
    from transformers import Trainer

    class EncoderTrainer(Lasting, Trainer):
        """The loss is summed over a step's labels and divided by their number, however many batches it has.

        The models' own losses are means over a batch, so that in a step of several batches the words of a batch
        with few of them would weigh more than those of another. The rows of a step are of like length, so between
        steps it is the same: the gradient of a step counts by its labels, in proportion to the usual step's.
        """

        def __init__(
            self, *args: Any, labels: Labels, weights: list[float] | None, labels_a_step: float, **kwargs: Any
        ):
            super().__init__(*args, **kwargs)
            self.labels_a_step = labels_a_step
            self.labels_known = labels
            self.label_weights = None if weights is None else torch.tensor(weights, device=self.args.device)
            # How the Trainer learns that this loss is already divided for the whole step, in any version.
            self.model_accepts_loss_kwargs = self.loss_is_scaled_for_ga = True

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            outputs = model(**{name: value for name, value in inputs.items() if name != "labels"})
            total, number = summed_loss(
                outputs.logits, inputs["labels"], self.labels_known.problem, self.label_weights
            )
            number = number if num_items_in_batch is None else num_items_in_batch
            loss = total / number
            # The value stays the mean of the step, for who looks at it; only its gradient is weighted.
            loss = loss.detach() + (loss - loss.detach()) * (number / self.labels_a_step)
            if num_items_in_batch is not None and self.args.average_tokens_across_devices:
                loss = loss * self.accelerator.num_processes  # the number is that of all processes
            return (loss, outputs) if return_outputs else loss

    return EncoderTrainer


def collator(head: Head, pad_id: int) -> Any:
    """Makes a batch of rows `{"row": Encoded, …}`."""
    from tunekit_hub.tasks._encoder import inputs

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        encoded = [row["row"] for row in rows]
        batch = inputs(encoded, pad_id)
        return batch | {"labels": head.pad([row.labels for row in encoded], batch["input_ids"].shape[1])}

    return collate


def blank(row: Encoded, labels: Labels) -> Encoded:
    """A row like `row` that carries no loss."""
    many = [float(IGNORED)] * len(labels.names) if labels.problem == MULTI else [IGNORED]
    nothing = many if isinstance(row.labels, list) else IGNORED
    return replace(row, input_ids=row.input_ids[:1], labels=nothing, trained=0)
