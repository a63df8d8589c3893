"""The model card: README.md for the Hub, front matter first. The same records give the same bytes.

Its front matter is made in `card/metadata.py`; what it says of licenses in `card/license.py`, of the data in
`card/data.py`, of the rest in `card/words.py` and `wording.py`; its pages are `template.md.jinja`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import yaml

import tunekit_hub
from tunekit_hub import units, wording
from tunekit_hub.card import data as card_data
from tunekit_hub.card import license as card_license
from tunekit_hub.card import words as card_words
from tunekit_hub.card.markup import Raw, environment
from tunekit_hub.card.metadata import TAG as TAG
from tunekit_hub.card.metadata import front_matter as front_matter
from tunekit_hub.facts import Weights
from tunekit_hub.loss_picture import NAME as LOSS
from tunekit_hub.profiles.sensitive import find_sensitive
from tunekit_hub.records import Evaluation, Plan
from tunekit_hub.scores.answers import Answer
from tunekit_hub.tasks import TASKS

SHOWN_ANSWERS = 3
LONGEST_ANSWER = 600  # characters
PICTURES = ("confusion.png", LOSS)  # files of a run folder that are published with the card
TEMPLATE = "template.md.jinja"


def render(
    evaluation: Evaluation,
    repo_id: str,
    answers: Sequence[Answer] = (),
    *,
    weights: Weights | None = None,
    mismatch: str = "",
) -> str:
    """The full card of a measured model.

    Args:
        evaluation: what was trained, how, and how well it does.
        repo_id: where the card will lie; the usage snippet loads from there.
        answers: sample answers; the first three are shown side by side.
        weights: the form that is published; None: as the plan's method leaves it.
        mismatch: how what was published predicts otherwise than what was measured, a sentence; empty: it does not.
    """
    return _render(evaluation.training.plan, repo_id, evaluation, answers, weights, mismatch)


def rehearsal(plan: Plan, repo_id: str, *, weights: Weights | None = None) -> str:
    """The card as it stands before training: everything but what is yet to be measured."""
    return _render(plan, repo_id, None, (), weights, "")


def pictures(evaluation: Evaluation) -> tuple[str, ...]:
    """The pictures that this evaluation's card shows: files of the run folder to publish beside it."""
    return tuple(name for name in PICTURES if name in evaluation.files)


def _render(
    plan: Plan,
    repo_id: str,
    evaluation: Evaluation | None,
    answers: Sequence[Answer],
    weights: Weights | None,
    mismatch: str,
) -> str:
    """Front matter and body."""
    chosen, task, form = plan.selection, TASKS[plan.task], weights or plan.weights
    profile, training = chosen.recommendation.profile, evaluation.training if evaluation else None
    fields = front_matter(plan, repo_id, evaluation, weights=form)
    header = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)  # as the client writes it, to the byte
    versions = dict(training.versions) if training else {}
    made_by = versions.pop("tunekit_hub", tunekit_hub.__version__)
    verdicts = {verdict.model: verdict for verdict in chosen.verdicts}
    body = (
        environment()
        .get_template(TEMPLATE)
        .render(
            name=card_words.name(repo_id),
            purpose=task.purpose(profile),
            form=card_words.form(plan, form),
            base=card_words.base(chosen),
            mismatch=mismatch,
            plan=plan,
            chosen=chosen,
            recommendation=chosen.recommendation,
            profile=profile,
            request=chosen.request,
            training=training,
            evaluation=evaluation,
            answers=_quotable([_clipped(answer) for answer in answers])[:SHOWN_ANSWERS],
            weights_note=chosen.weights_note,
            named=chosen.named,
            adapter=form == "adapter",
            snippet=Raw(task.snippet(plan, repo_id, form)),
            measures=task.measures,
            generates=task.pipeline_tag == "text-generation",
            pictures=pictures(evaluation) if evaluation else (),
            label_rows=wording.labels(evaluation)[: card_words.LABEL_ROWS] if evaluation else (),
            license=card_license.fields(chosen),
            license_terms=card_license.license_terms(chosen, repo_id),
            verdict=verdicts[chosen.model],
            turned_down=[verdict for verdict in chosen.verdicts if not verdict.usable],
            units=units,
            wording=wording,
            words=card_words,
            told=card_data,
            version=made_by,
            versions=versions,
        )
    )
    return f"---\n{header}---\n\n{body}"


def _quotable(answers: Sequence[Answer]) -> list[Answer]:
    """Those that hold nothing like a secret or personal data: a card may be read by anybody."""
    return [one for one in answers if not find_sensitive([one.prompt, one.untuned, one.tuned], [1, 2, 3])]


def _clipped(answer: Answer) -> Answer:
    """An answer short enough for a card, without halves of characters, which no file can hold."""

    def clip(text: str) -> str:
        text = text.encode(errors="ignore").decode()
        return text if len(text) <= LONGEST_ANSWER else text[:LONGEST_ANSWER].rstrip() + " …"

    return replace(answer, prompt=clip(answer.prompt), untuned=clip(answer.untuned), tuned=clip(answer.tuned))
