"""A label for each word of a sentence: entities in IOB2, or parts of speech.

A word's label stands on its first token; the others carry no loss and are not looked at. A word that was cut off,
or that the tokenizer makes nothing of, has no token: it is predicted to be outside of entities, and stays among
what is scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tunekit_hub.errors import SupervisionError
from tunekit_hub.labelled import Tagged
from tunekit_hub.records import Profile
from tunekit_hub.scores import baselines
from tunekit_hub.scores.entities import OUTSIDE, are_entity_tags
from tunekit_hub.scores.metrics import Counts, count_entities, count_tags
from tunekit_hub.tasks._heads import IGNORED, Encoded, Head, Labels, cut, load_tokenizer

if TYPE_CHECKING:
    import torch

NO_TAG = "(none)"  # said of a part of speech that was cut off


def _label_names(rows: Sequence[Tagged], _: Profile) -> list[str]:
    """`O`, then `B-` and `I-` of each type, even if the rows only have one of the two; or the tags as they are."""
    tags = {tag for row in rows for tag in row.tags}
    if not are_entity_tags(tags):
        return sorted(tags)
    types = sorted({tag[2:] for tag in tags if tag != OUTSIDE})
    return [OUTSIDE, *(f"{prefix}-{kind}" for kind in types for prefix in "BI")] if types else []


def _load_tokenizer(folder: Path) -> Any:
    """The tokenizer; a byte-level one with a space before each word, as in running text.

    Raises:
        SupervisionError: it cannot say which word a token belongs to.
    """
    from transformers import AutoTokenizer

    tokenizer: Any = load_tokenizer(folder)
    if not tokenizer.is_fast:
        raise SupervisionError(
            f"the tokenizer `{type(tokenizer).__name__}` cannot say which word a token belongs to",
            "choose another model: `--model …`",
        )
    if not _words_read_like_text(tokenizer):
        again: Any = AutoTokenizer.from_pretrained(folder, add_prefix_space=True)
        tokenizer = again
    if not _words_read_like_text(tokenizer):  # of a class that does not take the argument
        _put_spaces(tokenizer.backend_tokenizer.pre_tokenizer)
    return tokenizer


def _words_read_like_text(tokenizer: Any) -> bool:
    """Byte-level tokenizers know a word by the space before it, which words in a list do not have."""
    words = ["new", "new"]
    return tokenizer(words, is_split_into_words=True)["input_ids"] == tokenizer(" ".join(words))["input_ids"]


def _put_spaces(part: Any) -> None:
    from tokenizers.pre_tokenizers import ByteLevel, Sequence

    if isinstance(part, ByteLevel):
        part.add_prefix_space = True
    for inner in [*part] if isinstance(part, Sequence) else []:
        _put_spaces(inner)


def _encode(tokenizer: Any, rows: Sequence[Tagged], labels: Labels, max_tokens: int) -> list[Encoded]:
    if not rows:
        return []
    batch, lost = cut(tokenizer, [list(row.tokens) for row in rows], max_tokens, is_split_into_words=True)
    return [
        _align(row, batch["input_ids"][i], batch.word_ids(i), labels, over)
        for i, (row, over) in enumerate(zip(rows, lost, strict=True))
    ]


def _align(row: Tagged, ids: list[int], words: list[int | None], labels: Labels, lost: int) -> Encoded:
    targets = [IGNORED] * len(ids)
    places: list[int | None] = [None] * len(row.tokens)
    for place, word in enumerate(words):
        if word is not None and places[word] is None:
            places[word] = place
            targets[place] = labels.ids.get(row.tags[word], IGNORED)
    return Encoded(ids, targets, sum(target != IGNORED for target in targets), lost, tuple(places))


def _pad(targets: Sequence[list[int]], length: int) -> torch.Tensor:
    import torch

    return torch.tensor([target + [IGNORED] * (length - len(target)) for target in targets])


def _decode(logits: np.ndarray, row: Encoded, labels: Labels) -> tuple[str, ...]:
    best = logits.argmax(axis=-1)
    nothing = OUTSIDE if are_entity_tags(labels.names) else NO_TAG
    tags = [nothing if place is None else labels.names[int(best[place])] for place in row.places]
    if nothing == OUTSIDE:
        _bridge(tags, row.places)
    return tuple(tags)


def _bridge(tags: list[str], places: Sequence[int | None]) -> None:
    """A word without a token is part of an entity that goes on behind it: nothing parts the tokens."""
    for i in range(1, len(tags) - 1):
        if places[i] is not None or tags[i - 1] == OUTSIDE:
            continue
        behind = next((j for j in range(i + 1, len(tags)) if places[j] is not None), None)
        if behind is not None and tags[behind] == f"I-{tags[i - 1][2:]}":
            tags[i] = tags[behind]


def _count(rows: Sequence[Tagged], predicted: Sequence[tuple[str, ...]], labels: Labels) -> Counts:
    truth = [row.tags for row in rows]
    every = {*labels.names, *(tag for tags in truth for tag in tags)}
    if not are_entity_tags(labels.names):
        return count_tags(truth, predicted, sorted(every))
    return count_entities(truth, predicted, sorted({tag[2:] for tag in every if tag != OUTSIDE}))


def _baselines(train: Sequence[Tagged], held_out: Sequence[Tagged]) -> dict[str, Sequence[tuple[str, ...]]]:
    """Of entities, the most frequent tag is `O`, which finds none: no baseline."""
    learned = {baselines.MEMORY: baselines.memory(train, held_out)}
    if are_entity_tags(tag for row in train for tag in row.tags):
        return learned
    return {baselines.MAJORITY: baselines.majority_tag(train, held_out)} | learned


def _shown(labels: Labels) -> tuple[str, ...]:
    """There are no entities among parts of speech."""
    entities = ("f1", "precision", "recall", "macro_f1", "accuracy")
    return entities if are_entity_tags(labels.names) else ("accuracy", "macro_f1")


HEAD = Head(
    model_class="AutoModelForTokenClassification",
    peft_type="TOKEN_CLS",
    how="loss on the first token of each word; the other tokens of a word carry none",
    unlabelled="the model's tokenizer makes no token of its words",
    label_names=_label_names,
    problem=lambda _: None,
    load_tokenizer=_load_tokenizer,
    inputs=lambda row: list(row.tokens),
    row=lambda words: Tagged(tuple(words), ("",) * len(words)),
    encode=_encode,
    pad=_pad,
    decode=_decode,
    truth=lambda row: row.tags,
    count=_count,
    baselines=_baselines,
    shown=_shown,
)
