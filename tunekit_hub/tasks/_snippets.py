"""Python for the cards of encoders: a pipeline that loads what was published, on a sentence of our own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tunekit_hub.tasks._labels import MULTI
from tunekit_hub.tasks._schemes import POS_SHAPE

if TYPE_CHECKING:
    from tunekit_hub.records import Plan

_TEXT = "Could you tell me when my parcel will arrive?"
_SENTENCE = "Marie Curie was born in Warsaw and worked in Paris."


def classification(plan: Plan, repo_id: str) -> str:
    """The likeliest label of a text; of several labels, all that are likelier than not."""
    if plan.selection.recommendation.profile.shape != MULTI:
        return f"{_head('text-classification', repo_id)}print(classifier({_quoted(_TEXT)}))"
    return (
        f"{_head('text-classification', repo_id, 'top_k=None')}"
        f"scores = classifier([{_quoted(_TEXT)}])[0]\n"
        'print([one["label"] for one in scores if one["score"] > 0.5])  # any number of labels, or none'
    )


def ner(plan: Plan, repo_id: str) -> str:
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


def _head(kind: str, repo_id: str, option: str = "") -> str:
    """What loads the model as `classifier`. Adapters of encoders are merged, so these are always whole weights."""
    options = f", {option}" if option else ""
    load = f'pipeline("{kind}", model={_quoted(repo_id)}{options})'
    return f"from transformers import pipeline\n\nclassifier = {load}\n"


def _quoted(text: str) -> str:
    """A Python string literal in double quotes."""
    return json.dumps(text, ensure_ascii=False)
