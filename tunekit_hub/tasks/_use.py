"""The tuned model in use. Encoders go through the pipelines of transformers, as for those who download them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunekit_hub.replies import Ask, Marked, Reply, Turns
from tunekit_hub.tasks._labels import MULTI
from tunekit_hub.tasks._schemes import POS_SHAPE

if TYPE_CHECKING:
    from tunekit_hub.records import Plan

MAX_ANSWER_TOKENS = 256


def chat(plan: Plan, base: Path, folder: Path) -> Ask:
    """Greedy answers, each to the whole chat so far."""
    from tunekit_hub import supervision
    from tunekit_hub.scores import scoring

    adapter = folder if plan.adapter else None
    model, tokenizer = scoring.load(base if adapter else folder, adapter, plan.precision)

    def ask(turns: Turns) -> Reply:
        prompt = supervision.render(tokenizer, turns, prompt=True)
        answer = scoring.answers(model, tokenizer, [prompt], MAX_ANSWER_TOKENS)[0]
        return Reply(text=answer.text, stopped=answer.stopped)

    return ask


def classify(plan: Plan, base: Path, folder: Path) -> Ask:  # noqa: ARG001 - the weights are whole
    """Every label with its probability."""
    several = plan.selection.recommendation.profile.shape == MULTI
    classifier = _pipeline("text-classification", folder, top_k=None)

    def ask(turns: Turns) -> Reply:
        found = classifier(turns[-1]["content"], truncation=True)[0]
        scores = tuple((one["label"], float(one["score"])) for one in found)  # likeliest first
        chosen = tuple(label for label, score in scores if score > 0.5) if several else (scores[0][0],)
        return Reply(scores=scores, chosen=chosen)

    return ask


def tag(plan: Plan, base: Path, folder: Path) -> Ask:  # noqa: ARG001 - the weights are whole
    """Entities, or words with their part of speech."""
    # A word has the label of its first piece, as in training; the others were never trained.
    options = {} if plan.selection.recommendation.profile.shape == POS_SHAPE else {"aggregation_strategy": "first"}
    tagger = _pipeline("token-classification", folder, **options)

    def ask(turns: Turns) -> Reply:
        found = tagger(turns[-1]["content"])
        marks = (
            Marked(one["start"], one["end"], one.get("entity_group") or one["entity"], float(one["score"]))
            for one in found
        )
        return Reply(marks=tuple(marks))

    return ask


def _pipeline(kind: Any, folder: Path, **options: Any) -> Any:
    from transformers import pipeline

    loaded: Any = pipeline(kind, model=str(folder), **options)
    return loaded
