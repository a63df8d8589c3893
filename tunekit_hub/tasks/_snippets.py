"""For the cards of encoders: what they do, and Python that loads what was published on a sentence of our own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tunekit_hub.tasks._labels import MULTI
from tunekit_hub.tasks._schemes import POS_SHAPE

if TYPE_CHECKING:
    from tunekit_hub.facts import Weights
    from tunekit_hub.records import Plan, Profile

_TEXT = "Could you tell me when my parcel will arrive?"
_SENTENCE = "Marie Curie was born in Warsaw and worked in Paris."


def classification(plan: Plan, repo_id: str, _: Weights | None = None) -> str:
    """The likeliest label of a text; of several labels, all that are likelier than not."""
    if plan.selection.recommendation.profile.shape != MULTI:
        return f"{_head('text-classification', repo_id)}print(classifier({_quoted(_TEXT)}))"
    return (
        f"{_head('text-classification', repo_id, 'top_k=None')}"
        f"scores = classifier([{_quoted(_TEXT)}])[0]\n"
        'print([one["label"] for one in scores if one["score"] > 0.5])  # any number of labels, or none'
    )


def ner(plan: Plan, repo_id: str, _: Weights | None = None) -> str:
    """The entities in a sentence; of parts of speech, each token's."""
    if plan.selection.recommendation.profile.shape == POS_SHAPE:
        option, group = "", "entity"
    else:
        # A word has the label of its first piece, as in training; the others were never trained.
        option, group = 'aggregation_strategy="first"', "entity_group"
    return (
        f"{_head('token-classification', repo_id, option)}"
        f"for found in classifier({_quoted(_SENTENCE)}):\n"
        f'    print(found["word"], found["{group}"], round(float(found["score"]), 3))'
    )


def sorts(profile: Profile) -> str:
    """What a model of texts does."""
    labels = f"{len(profile.labels):,} labels"
    return f"gives a text any of {labels}, or none" if profile.shape == MULTI else f"sorts texts into {labels}"


def finds(profile: Profile) -> str:
    """What a model of words does."""
    number = len(profile.labels)
    if profile.shape == POS_SHAPE:
        return "tells what part of speech each word of a sentence is" + (f", by {number:,} tags" if number else "")
    return f"finds entities of {number:,} types in sentences" if number != 1 else "finds entities in sentences"


def _head(kind: str, repo_id: str, option: str = "") -> str:
    """What loads the model as `classifier`. Adapters of encoders are merged, so these are always whole weights."""
    options = f", {option}" if option else ""
    load = f'pipeline("{kind}", model={_quoted(repo_id)}{options})'
    return f"from transformers import pipeline\n\nclassifier = {load}\n"


def _quoted(text: str) -> str:
    """A Python string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)
