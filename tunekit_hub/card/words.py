"""What only a model card says: what the model is, how it was trained, what its maker decided, where it ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from tunekit_hub import settings, units, wording
from tunekit_hub.card import data as card_data
from tunekit_hub.card.markup import Raw, escape
from tunekit_hub.estimates.timing import ANSWER_TOKENS
from tunekit_hub.facts import Finding, Verdict, Weights
from tunekit_hub.profiles.sensitive import NAMES as SENSITIVE
from tunekit_hub.records import Evaluation, Plan, Reload, Selection, TrainResult, ValidationPoint
from tunekit_hub.tasks import Measure
from tunekit_hub.tasks._labels import SINGLE

LABEL_ROWS = 30  # of the table of labels
PASSES = 10  # of the table of validation
FEW = 10  # held-out rows of a label, below which its score is hardly one
_ELSEWHERE = ("trainer", "train rows", "validation rows", "eval rows")  # settings that the card tells in words
_BASELINES = {
    "untuned": "*untuned* is the base model as it was",
    "majority": "*majority* always gives the most frequent answer",
    "TF-IDF + logistic regression": "*TF-IDF + logistic regression* is a classic that counts words",
    "word memory": "*word memory* gives each word the tag it had most often",
}


def name(repo_id: str) -> str:
    """The repo's name without its namespace."""
    return repo_id.rpartition("/")[2]


def form(plan: Plan, weights: Weights) -> tuple[str, str]:
    """What is published, in the words before and after the base model's name."""
    if weights == "adapter":
        return "a LoRA adapter for", ""
    if plan.method != "full":
        return "", "with a LoRA adapter merged into its weights"
    return "", "with all of its weights fine-tuned"


def base(chosen: Selection) -> Raw:
    """The base model, linked to the very commit, on the Hub that serves the card."""
    return Raw(f"[{escape(chosen.repo_id)}](/{quote(chosen.repo_id)}/tree/{quote(chosen.revision)})")


def reloaded(record: Reload) -> str:
    """What became of the reload gate."""
    answers = "the same answers" if record.answers_equal else "other answers"
    most = f"differ by at most {record.largest_difference:.1g}" if record.largest_difference else "are equal"
    what = f"{answers} on {_rows(record.rows)}; their numbers {most}"
    passed = "passed" if record.passed else "failed"
    return f"Reload check {passed}: the saved files, loaded in a fresh process, gave {what}."


def contenders(record: Evaluation) -> list[Raw]:
    """What the baselines are, a sentence if any is known."""
    known = [_BASELINES[one.name] for one in record.baselines if one.name in _BASELINES]
    return [Raw(wording.sentence("; ".join(known)))] if known else []


def validated(record: Evaluation | None, measures: Mapping[str, Measure]) -> str:
    """What the score of a validation is."""
    return measures[record.metric].label if record else "score"


def passes(done: TrainResult) -> list[ValidationPoint]:
    """The validations: of many, the first and the last few, and the one that was kept."""
    points = list(done.validation)
    if len(points) <= PASSES:
        return points
    ends = {*range(PASSES // 2), *range(len(points) - PASSES // 2, len(points))}
    return [point for n, point in enumerate(points) if n in ends or point.step == done.kept_step]


def using(plan: Plan) -> str:
    """What using the model will take, as predicted."""
    machine, seconds = plan.selection.request.hardware.name, plan.inference_seconds
    if not seconds:
        return ""
    took = f"{seconds * 1000:.2g} ms" if seconds < 1 else f"{seconds:.2g} s"
    what = f"an answer of {ANSWER_TOKENS} tokens" if plan.selection.architecture.kind == "decoder" else "a text"
    return f"Predicted on {machine}: about {units.size(plan.inference_memory)} of memory, {took} for {what}."


def settings_rows(plan: Plan) -> list[tuple[str, str, str]]:
    """Every setting of a plan; what the user fixed is its maker's to the reader of a card."""
    every = wording.settings(plan)
    return [(name, value, _of_maker(reason)) for name, value, reason in every if name not in _ELSEWHERE]


def decisions(plan: Plan) -> list[str]:
    """What the maker decided instead of the rules."""
    chosen, request = plan.selection, plan.selection.request
    found = []
    if chosen.named:
        found.append(f"the base model, `{chosen.repo_id}`, instead of the rules' pick; it passed the same checks")
    if {chosen.model, chosen.repo_id} & set(request.accepted_licenses):
        on = f" on {request.accepted_on}" if request.accepted_on else ""
        found.append(f"to accept the terms of `{chosen.repo_id}`{on}, whose license leaves it open")
    if request.dataset_license_said:
        ids = ", ".join(f"`{license_id}`" for license_id in request.dataset_license)
        found.append(f"that the license of the data is {ids}")
    if request.use != "commercial":
        found.append(f"that {request.use} use is enough; whether commercial use is allowed did not matter")
    if request.max_time:
        found.append(f"that the whole run may take {units.duration(request.max_time)}")
    fixed = [one for one in settings_rows(plan) if one[2].startswith(_MAKERS)]
    return found + [f"{name}: {value} ({reason.removeprefix(_MAKERS)})" for name, value, reason in fixed]


def against(verdict: Verdict) -> list[Finding]:
    """Why a candidate was turned down."""
    return [finding for finding in verdict.findings if finding.status in ("block", "unknown")]


def warnings(verdict: Verdict) -> list[Finding]:
    """What was known against the chosen model beforehand; licenses have a section of their own."""
    return [f for f in verdict.findings if f.status == "warn" and f.check not in ("license", "lineage")]


def supervision(done: TrainResult) -> Iterator[str]:
    """What carried loss, what was left out, and what was cut."""
    found = done.supervision
    if found.eos_rows is None:
        labelled = f"{units.count(found.trained_tokens)} labels in {_rows(found.rows)}"
        yield f"Loss was computed on {labelled}: {found.how}."
    else:
        yield f"Loss was computed on {wording.share(found.trained_tokens, found.tokens)} tokens: {found.how}."
        yield f"The end of the last answer is learned in {wording.share(found.eos_rows, found.rows)} rows."
    for why, number in found.dropped.items():
        yield f"{_rows(number)} left out: {why}."
    for what, number in found.adapted.items():
        yield f"In {_rows(number)}, {what}."
    if found.truncated:
        yield f"{_rows(found.truncated)} cut, {units.count(found.lost_tokens)} tokens lost."


def passed(done: TrainResult) -> str:
    """How much of the plan was trained."""
    planned = done.plan.epochs
    passes = f"{planned:g} {'pass' if planned == 1 else 'passes'} over the rows"
    made = f"{done.epochs:.2g} of the planned {passes}" if done.epochs < 0.995 * planned else passes
    return f"Training took {units.count(done.steps)} steps: {made}."


def limits(plan: Plan, record: Evaluation | None, *, generates: bool) -> Iterator[str]:
    """What nobody should expect of the model, from what is known of its data."""
    profile = plan.selection.recommendation.profile
    spoken = card_data.languages(profile)
    yield (
        f"Trained and measured on text in {spoken}; other languages were not tried."
        if spoken
        else "The language of the data was not recognised; which languages it is good for is for you to find out."
    )
    if profile.domain:
        yield f"The texts are {profile.domain}; others were not tried."
    yield _length(plan, record)
    if record:
        yield from _measured(record)
    kept = [SENSITIVE[note.code] for note in profile.notes if note.code in SENSITIVE]
    if kept:
        yield f"The data held what looks like {card_data.listed(kept)}, and a model can repeat what it has read."
    if generates:
        yield "It can state things that are not so, in the same tone as those that are."
    else:
        always = ", and gives one even where none fits" if profile.shape == SINGLE else ""
        yield f"It knows no labels but those it was trained with{always}."
    yield (
        "It was measured only on rows like those it was trained on. It inherits the limits and biases of its base "
        "model, and no safety evaluation was made: have a person check what matters."
    )


def _length(plan: Plan, record: Evaluation | None) -> str:
    cut = record.training.supervision.truncated if record else 0
    if cut or plan.tokens.max > plan.max_tokens:
        return f"Only the first {units.count(plan.max_tokens)} tokens of a row were learned from."
    return f"The longest row has {units.count(plan.tokens.max)} tokens; longer texts were not tried."


def _measured(record: Evaluation) -> Iterator[str]:
    rare = [label for label, score in record.labels.items() if score.rows < FEW]
    if rare:
        which = "1 label has" if len(rare) == 1 else f"{len(rare):,} labels have"
        yield f"{which} fewer than {FEW} held-out rows, too few to say how well it does on {_them(rare)}."


def _them(those: list[str]) -> str:
    return "it" if len(those) == 1 else "them"


_MAKERS = "set by its maker; "


def _of_maker(reason: str) -> str:
    return _MAKERS + reason.removeprefix(settings.BY_USER) if reason.startswith(settings.BY_USER) else reason


def _rows(number: int) -> str:
    return f"{units.count(number)} {'row' if number == 1 else 'rows'}"
