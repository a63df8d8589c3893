"""The model card: README.md for the Hub, front matter first. The same records give the same bytes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import yaml

import tunekit_hub
from tunekit_hub import units, wording
from tunekit_hub.answers import Answer
from tunekit_hub.card_license import license_terms
from tunekit_hub.facts import Verdict
from tunekit_hub.markup import Raw, environment, escape
from tunekit_hub.records import Evaluation, Plan, Selection
from tunekit_hub.sensitive import find_sensitive
from tunekit_hub.tasks import TASKS

TAG = "tunekit-hub"  # by which a repo is known as one of ours
HUB = "https://huggingface.co"
SHOWN_ANSWERS = 3
LONGEST_ANSWER = 600  # characters
PICTURES = {"confusion.png": "Confusion matrix"}  # files of an evaluation that are published with the card
HUB_METRICS = ("accuracy", "f1", "precision", "recall", "loss", "perplexity")
TEMPLATE = "card_template.md.jinja"


def render(evaluation: Evaluation, repo_id: str, answers: Sequence[Answer] = ()) -> str:
    """The full card of a measured model.

    Args:
        evaluation: what was trained, how, and how well it does.
        repo_id: where the card will lie; the usage snippet loads from there.
        answers: sample answers; the first three are shown side by side.
    """
    return _render(evaluation.training.plan, repo_id, evaluation, answers)


def rehearsal(plan: Plan, repo_id: str) -> str:
    """The card as it stands before training: everything but what is yet to be measured."""
    return _render(plan, repo_id, None, ())


def front_matter(plan: Plan, repo_id: str, evaluation: Evaluation | None = None) -> dict[str, Any]:
    """What the Hub reads of a card. Keys without a value are left out, the license too if none is declared."""
    chosen = plan.selection
    profile = chosen.recommendation.profile
    adapter = plan.adapter
    tags = [TAG, plan.method, *(["lora"] if plan.method == "qlora" else []), plan.trainer]
    fields = {
        "language": [code for code in profile.languages if code != "und"],
        **_license(chosen),
        "library_name": "peft" if adapter else "transformers",
        "pipeline_tag": TASKS[profile.task].pipeline_tag,
        "base_model": chosen.repo_id,
        "base_model_relation": "adapter" if adapter else "finetune",
        "datasets": [profile.data.source] if profile.data.revision else None,
        "tags": tags,
        "model-index": _model_index(evaluation, repo_id) if evaluation else None,
    }
    return {key: value for key, value in fields.items() if value}


def _quotable(answers: Sequence[Answer]) -> list[Answer]:
    """Those that hold nothing like a secret or personal data: a card may be read by anybody."""
    return [one for one in answers if not find_sensitive([one.prompt, one.untuned, one.tuned], [1, 2, 3])]


def _render(plan: Plan, repo_id: str, evaluation: Evaluation | None, answers: Sequence[Answer]) -> str:
    """Front matter and body."""
    chosen = plan.selection
    profile = chosen.recommendation.profile
    fields = front_matter(plan, repo_id, evaluation)
    header = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=1000)
    body = (
        environment()
        .get_template(TEMPLATE)
        .render(
            name=_name(repo_id),
            plan=plan,
            chosen=chosen,
            recommendation=chosen.recommendation,
            profile=profile,
            request=chosen.request,
            training=evaluation.training if evaluation else None,
            evaluation=evaluation,
            answers=[_clipped(answer) for answer in _quotable(answers)[:SHOWN_ANSWERS]],
            data_name=wording.file_name(profile.data.source),
            base=_link(chosen),
            weights_note=chosen.weights_note,
            named=chosen.named,
            what="A LoRA adapter for" if plan.adapter else "A fine-tuned copy of",
            snippet=Raw(TASKS[plan.task].snippet(plan, repo_id)),
            measures=TASKS[plan.task].measures,
            generates=TASKS[plan.task].pipeline_tag == "text-generation",
            pictures=[name for name in PICTURES if evaluation and name in evaluation.files],
            license=_license(chosen),
            license_finding=next((f for f in _verdict(chosen).findings if f.check == "license"), None),
            accepted={chosen.model, chosen.repo_id} & set(chosen.request.accepted_licenses),
            license_terms=license_terms(chosen),
            turned_down=[verdict for verdict in chosen.verdicts if not verdict.usable],
            units=units,
            wording=wording,
            version=tunekit_hub.__version__,
        )
    )
    return f"---\n{header}---\n\n{body}"


def _verdict(chosen: Selection) -> Verdict:
    """The verdict on the model that was chosen."""
    return next(verdict for verdict in chosen.verdicts if verdict.model == chosen.model)


def _license(chosen: Selection) -> dict[str, str | list[str]]:
    """The base model's license, as its own card declares it; empty if it declares none."""
    verdict = _verdict(chosen)
    ids = [name.strip() for name in (verdict.license or "").split(",") if name.strip()]
    if not ids:
        return {}
    fields: dict[str, str | list[str]] = {"license": ids[0] if len(ids) == 1 else ids}
    if verdict.license_name:
        fields["license_name"] = verdict.license_name
    if verdict.license_link:
        link = verdict.license_link
        if not re.match(r"https?://", link):  # a file of the base model's repo, which ours does not have
            link = f"{HUB}/{chosen.repo_id}/blob/{chosen.revision}/{quote(link.lstrip('./'))}"
        fields["license_link"] = link
    return fields


def _model_index(evaluation: Evaluation, repo_id: str) -> list[dict[str, Any]]:
    """Held-out results in the form the Hub shows. Of local data only the file's name is given."""
    profile = evaluation.training.plan.selection.recommendation.profile
    task = TASKS[profile.task]
    scored = profile.test or profile.data
    dataset: dict[str, Any] = {"name": wording.file_name(scored.source), "type": "local"}
    if scored.revision:
        dataset = {"name": scored.source, "type": scored.source, "revision": scored.revision}
    metrics = [
        {"type": _metric_type(key), "name": _title(task.measures[key].label), "value": round(one.value, 4)}
        for key, one in evaluation.tuned.figures.items()
        if one.of is None  # a share of a handful says too little for a leaderboard
    ]
    result = {
        "task": {"type": task.pipeline_tag},
        "dataset": dataset | {"split": "test" if profile.test else "held-out"},
        "metrics": metrics,
    }
    return [{"name": _name(repo_id), "results": [result]}]


def _title(label: str) -> str:
    """The label with a capital at its beginning, and as it is in the rest: `Macro-F1`."""
    return label[:1].upper() + label[1:]


def _metric_type(key: str) -> str:
    """The Hub's name of a metric: `f1` for `macro_f1`."""
    last = key.rpartition("_")[2]
    return last if last in HUB_METRICS else key


def _link(chosen: Selection) -> Raw:
    """The base model, linked to the very commit."""
    address = f"/{quote(chosen.repo_id)}/tree/{quote(chosen.revision)}"  # on the Hub that serves the card
    return Raw(f"[{escape(chosen.repo_id)}]({address})")


def _name(repo_id: str) -> str:
    """The repo's name without its namespace."""
    return repo_id.rpartition("/")[2]


def _clipped(answer: Answer) -> Answer:
    """An answer short enough for a card."""

    def clip(text: str) -> str:
        return text if len(text) <= LONGEST_ANSWER else text[:LONGEST_ANSWER].rstrip() + " …"

    return Answer(clip(answer.prompt), clip(answer.untuned), clip(answer.tuned))
