"""What an encoder gets on top for a task, and how rows become its input and its output becomes labels.

Training, validation, evaluation and the reload gate all go through the same head, so that what is measured is what
was trained, and what a published pipeline gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunekit_hub.errors import SupervisionError
from tunekit_hub.records import Profile
from tunekit_hub.scores.metrics import Counts
from tunekit_hub.supervision import IGNORED as IGNORED

if TYPE_CHECKING:
    import torch

SINGLE = "single_label_classification"
MULTI = "multi_label_classification"


@dataclass(frozen=True)
class Labels:
    """The labels of a model, in the order of its outputs."""

    names: tuple[str, ...]
    problem: str | None = None  # `problem_type` of its config; None for labels of tokens
    ids: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", {name: i for i, name in enumerate(self.names)})

    @classmethod
    def of(cls, config: Any) -> Labels:
        """As a saved model's config has them."""
        return cls(tuple(config.id2label[i] for i in range(config.num_labels)), config.problem_type)


@dataclass(frozen=True)
class Encoded:
    """One row as a model takes it.

    `labels`: an id; a number for each label; or an id for each token. `IGNORED` carries no loss. `places`: of a
    sentence, the token each word begins with, None where it has none or was cut off.
    """

    input_ids: list[int]
    labels: Any
    trained: int  # labels that carry loss: 1 for a text, labelled words for a sentence
    lost: int = 0  # tokens cut off
    places: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class Head:
    """What the trainer and the evaluation ask of a task. A prediction is a tuple of labels, or of tags."""

    model_class: str  # of transformers
    peft_type: str
    how: str  # what carries loss, in words
    unlabelled: str  # why a row would carry none
    label_names: Callable[[Sequence[Any], Profile], list[str]]
    problem: Callable[[Profile], str | None]
    load_tokenizer: Callable[[Path], Any]
    inputs: Callable[[Any], Any]  # of a row: what the tokenizer takes, as JSON values
    row: Callable[[Any], Any]  # from that, a row whose labels nobody knows
    encode: Callable[[Any, Sequence[Any], Labels, int], list[Encoded]]
    pad: Callable[[Sequence[Any], int], torch.Tensor]  # labels of a batch, for rows of so many tokens
    decode: Callable[[np.ndarray, Encoded, Labels], tuple[str, ...]]  # logits: (labels,), or (tokens, labels)
    truth: Callable[[Any], tuple[str, ...]]
    count: Callable[[Sequence[Any], Sequence[tuple[str, ...]], Labels], Counts]
    shown: Callable[[Labels], tuple[str, ...]]  # the measures that say something of such labels; the first decides
    baselines: Callable[[Sequence[Any], Sequence[Any]], dict[str, Sequence[tuple[str, ...]]]]

    def labels(self, rows: Sequence[Any], profile: Profile) -> Labels:
        """What a model trained on `rows` can say.

        Raises:
            SupervisionError: fewer than two labels.
        """
        names = self.label_names(rows, profile)
        problem = self.problem(profile)
        if len(names) < (1 if problem == MULTI else 2):
            raise SupervisionError(
                f"the rows to train on have {len(names)} label{'s' if len(names) != 1 else ''}"
                + (f", `{names[0]}`" if names else "")
                + ", so there is nothing to tell apart",
                "add rows of other labels, or name the column that holds them: `--column label=…`",
            )
        return Labels(tuple(names), problem)


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer in `folder`."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def tokenize(tokenizer: Any, inputs: Sequence[Any], **options: Any) -> Any:
    """Token ids of texts, or of sentences of words; nothing cut, nothing padded, and no warning of long rows."""
    return tokenizer(list(inputs), padding=False, return_token_type_ids=False, verbose=False, **options)


def cut(tokenizer: Any, inputs: Sequence[Any], max_tokens: int, **options: Any) -> tuple[Any, list[int]]:
    """As `tokenize`, but no row longer than `max_tokens`; and how many tokens each lost.

    What closes a row, such as `[SEP]`, stays at its end.
    """
    whole = tokenize(tokenizer, inputs, truncation=False, **options)
    lost = [max(0, len(ids) - max_tokens) for ids in whole["input_ids"]]
    if any(lost):
        whole = tokenize(tokenizer, inputs, truncation=True, max_length=max_tokens, **options)
    return whole, lost
