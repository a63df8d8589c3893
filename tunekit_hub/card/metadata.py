"""The front matter of a model card: what the Hub reads of it."""

from __future__ import annotations

from typing import Any

from tunekit_hub.card import data as card_data
from tunekit_hub.card import license as card_license
from tunekit_hub.card import words as card_words
from tunekit_hub.facts import Weights
from tunekit_hub.records import DataRef, Evaluation, Plan
from tunekit_hub.tasks import TASKS

TAG = "tunekit-hub"  # by which a repo is known as one of ours
HUB_METRICS = ("accuracy", "f1", "precision", "recall", "loss", "perplexity")
_DIGITS = 4  # of a metric


def front_matter(
    plan: Plan, repo_id: str, evaluation: Evaluation | None = None, *, weights: Weights | None = None
) -> dict[str, Any]:
    """What the Hub reads of a card. Keys without a value are left out, the license too if none is declared."""
    chosen = plan.selection
    profile = chosen.recommendation.profile
    adapter = (weights or plan.weights) == "adapter"
    fields = {
        "language": [code for code in profile.languages if code != "und"],
        **card_license.fields(chosen),
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": TASKS[profile.task].pipeline_tag,
        "base_model": chosen.repo_id,
        "base_model_relation": "adapter" if adapter else "finetune",
        "datasets": _datasets(profile.data, profile.test),
        "tags": _tags(plan),
        "model-index": _model_index(evaluation, repo_id) if evaluation else None,
    }
    return {key: value for key, value in fields.items() if value}


def _tags(plan: Plan) -> list[str]:
    method = {"qlora": ["qlora", "lora"], "lora": ["lora"]}.get(plan.method, [])
    return [TAG, *method, plan.trainer]


def _datasets(*refs: DataRef | None) -> list[str]:
    """Those of the Hub that anybody may see."""
    return list(dict.fromkeys(ref.repo_id for ref in refs if ref and ref.public and ref.repo_id))


def _model_index(evaluation: Evaluation, repo_id: str) -> list[dict[str, Any]]:
    """Held-out results in the form the Hub shows. Of local data only the file's name is given."""
    profile = evaluation.training.plan.selection.recommendation.profile
    task, scored = TASKS[profile.task], profile.test or profile.data
    named = scored.repo_id if scored.public else None
    dataset: dict[str, Any] = {"name": card_data.data_name(scored), "type": named or "local"}
    dataset["split"] = "test" if profile.test else "held-out"
    if named:
        dataset["revision"] = scored.revision
    metrics = [
        {"type": _metric_type(key), "value": round(one.value, _DIGITS), "name": _title(task.measures[key].label)}
        for key, one in evaluation.tuned.figures.items()
        if one.of is None  # a share of a handful says too little for a leaderboard
    ]
    result = {
        "task": {"type": task.pipeline_tag},
        "dataset": dataset,
        "metrics": metrics,
    }
    return [{"name": card_words.name(repo_id), "results": [result]}]


def _title(label: str) -> str:
    """The label with a capital at its beginning, and as it is in the rest: `Macro-F1`."""
    return label[:1].upper() + label[1:]


def _metric_type(key: str) -> str:
    """The Hub's name of a metric: `f1` for `macro_f1`."""
    last = key.rpartition("_")[2]
    return last if last in HUB_METRICS else key
