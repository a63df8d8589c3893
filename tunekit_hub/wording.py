"""Parts of records in words, the same on the terminal and on the model card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunekit_hub import units
from tunekit_hub.estimates.timing import ANSWER_TOKENS

if TYPE_CHECKING:
    from tunekit_hub.records import Evaluation, Figure, Lengths, Memory, Plan, Reload, TrainResult
    from tunekit_hub.tasks import Measure, Measured

FORMS = {
    "adapter": "the adapter alone",
    "merged": "adapter and base, merged into one model",
    "full": "all weights",
}
METHODS = {"full": "full fine-tuning", "lora": "LoRA", "qlora": "QLoRA (4-bit base, LoRA on top)"}


def share(part: int, whole: int) -> str:
    """`19,200 of 46,800 (41 %)`."""
    return f"{units.count(part)} of {units.count(whole)} ({100 * part / max(whole, 1):.0f} %)"


def counted(counts: dict[str, int]) -> str:
    """`multi turn 96, system prompts 12`; what was not found once is left out."""
    return ", ".join(
        f"{name.replace('_', ' ')} {units.count(number)}" for name, number in counts.items() if number
    )


def label_counts(labels: Mapping[str, int], shown: int = 20) -> str:
    """`card arrival 153, refund 120`; of many labels the most frequent, and how many more there are."""
    ordered = sorted(labels.items(), key=lambda item: -item[1])
    listed = ", ".join(f"{name} {units.count(number)}" for name, number in ordered[:shown])
    more = len(ordered) - shown
    return f"{len(ordered)}: {listed}" + (f" and {more} more" if more > 0 else "")


def sentence(text: str) -> str:
    """The text with one full stop."""
    return text.rstrip(". ") + "."


def lengths(tokens: Lengths) -> str:
    """Token lengths of the rows, marked where they are an estimate."""
    return (
        f"{'estimated: ' if tokens.estimated else ''}half of the rows up to {units.count(tokens.p50)}, "
        f"95 % up to {units.count(tokens.p95)}, longest {units.count(tokens.max)}, "
        f"{units.count(tokens.total)} in all"
    )


def settings(plan: Plan) -> list[tuple[str, str, str]]:
    """Every setting of a plan as (name, value, reason)."""
    values = {
        "method": METHODS[plan.method],
        "trainer": plan.trainer,
        "precision": plan.precision,
        "max_tokens": units.count(plan.max_tokens),
        "batch_size": str(plan.batch_size),
        "accumulation": str(plan.accumulation),
        "epochs": f"{plan.epochs:g}",
        "learning_rate": f"{plan.learning_rate:g}",
        "warmup": f"{plan.warmup * 100:g} % of the steps",
        "checkpointing": "on" if plan.checkpointing else "off",
        "lora_rank": str(plan.lora_rank or ""),
        "lora_alpha": str(plan.lora_alpha or ""),
        "class_weights": "" if plan.class_weights is None else "on" if plan.class_weights else "off",
        "patience": f"{plan.patience} passes" if plan.patience else "",
        "train_rows": units.count(plan.train_rows),
        "validation_rows": units.count(plan.validation_rows) if plan.validation_rows else "",
        "eval_rows": units.count(plan.eval_rows),
        "seed": str(plan.seed),
        "time_limit": units.duration(plan.time_limit) if plan.time_limit else "",
    }
    return [(name.replace("_", " "), value, plan.reasons.get(name, "")) for name, value in values.items() if value]


def memory(predicted: Memory) -> list[tuple[str, str]]:
    """The predicted peak by component, empty ones left out, the sum last."""
    parts = [(name, getattr(predicted, name)) for name in type(predicted).model_fields]
    return [(name, units.size(part)) for name, part in parts if part] + [("sum", units.size(predicted.total))]


def kept(done: TrainResult) -> str:
    """`step 966, the best`: which weights validation has chosen, and why; empty where it had no choice."""
    if not done.kept_step:
        return ""
    best = max(done.validation, key=lambda point: (point.score, -point.loss))
    why = "the best" if best.step == done.kept_step else "the last and within a standard error of the best"
    return f"step {units.count(done.kept_step)}, {why}"


def cost(plan: Plan) -> str:
    """`$0.40 at $0.80 an hour, the price on 2026-07-01`; empty where the machine has no known price."""
    machine = plan.selection.request.hardware
    if plan.cost is None or machine.price is None:
        return ""
    return f"${plan.cost:.2f} at ${machine.price:.2f} an hour, the price on {machine.price_date}"


def use(plan: Plan) -> str:
    """How long the tuned model will take for one text or answer on this machine; empty where it is not known."""
    seconds = plan.inference_seconds
    if not seconds:
        return ""
    took = f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    if plan.selection.architecture.kind == "encoder":
        return f"about {took} a text, one at a time"
    return f"about {took} an answer of {ANSWER_TOKENS} tokens, {ANSWER_TOKENS / seconds:.3g} tokens/s"


def figure(found: Figure | None, measure: Measure) -> str:
    """`1.38 (1.22 to 1.54)`, `92.9 % (91.9 to 93.8)` or `4 of 6`; a dash where there is none."""
    if found is None:
        return "–"
    if found.of is not None:
        return f"{round(found.value * found.of)} of {found.of}"
    bounds = None if found.low is None or found.high is None else (found.low, found.high)
    if measure.form == "share":
        around = f" ({bounds[0] * 100:.1f} to {bounds[1] * 100:.1f})" if bounds else ""
        return f"{found.value * 100:.1f} %{around}"
    return f"{found.value:.3g}" + (f" ({bounds[0]:.3g} to {bounds[1]:.3g})" if bounds else "")


def scores(record: Evaluation, measures: Mapping[str, Measure]) -> list[tuple[str, ...]]:
    """What was measured, a row per measure, a column per contender, baselines first; the head is the first row."""
    contenders = [*record.baselines, record.tuned]
    rows = [("measure (95 % interval)", *(score.name for score in contenders))]
    for key, measure in measures.items():
        found = [score.figures.get(key) for score in contenders]
        if any(found):
            rows.append((measure.label, *(figure(one, measure) for one in found)))
    return rows


def held_out(record: Evaluation) -> str:
    """Which rows were scored."""
    rows = units.count(record.rows)
    test = record.training.plan.selection.recommendation.profile.test
    return f"{rows} rows of the test file `{file_name(test.source)}`" if test else f"{rows} held-out rows"


def labels(record: Evaluation) -> list[tuple[str, ...]]:
    """Label, precision, recall, F1 and rows; the label that is found worst first."""
    worst = sorted(record.labels.items(), key=lambda item: (item[1].f1, item[0]))
    return [
        (name, *(f"{share * 100:.1f} %" for share in (one.precision, one.recall, one.f1)), units.count(one.rows))
        for name, one in worst
    ]


def file_name(source: str) -> str:
    """A file's name; folders say things about the user's machine. A Hub dataset's id stays."""
    return " ".join(re.split(r"[\\/]", source.rstrip("\\/"))[-1].split())


def gain(record: Evaluation, measure: Measure) -> str:
    """`+7.1 points (+4.9 to +9.2) over majority`, or of loss."""
    return f"{_gained(record.gain, measure)} over {record.against}, paired by row"


def verdict(found: Measured, measure: Measure) -> str:
    """Whether fine-tuning helped, in so many words."""
    hardest = next(score for score in found.baselines if score.name == found.against)
    after, before = (score.figures[found.metric].value for score in (found.tuned, hardest))
    low, high = found.gain.low or 0, found.gain.high or 0
    by = _gained(found.gain, measure)
    if measure.form == "number":
        moved = f"held-out {measure.label} went from {before:.3f} to {after:.3f}"
        other = f"the {found.against} model"
    else:
        moved = f"{measure.label} {after * 100:.1f} % against {before * 100:.1f} % of {found.against}"
        other = found.against
    if low > 0:
        return f"Fine-tuning helped by {by} over {other}: {moved}."
    if high < 0:
        lost = found.gain.but(value=-found.gain.value, low=-high, high=-low)
        return f"Fine-tuning made it worse than {other}, by {_gained(lost, measure)}: {moved}. Use {other}."
    simpler = other[0].upper() + other[1:]
    return f"Fine-tuning did not help: {moved}; {by}, which chance explains. {simpler} does as well."


def _gained(gain: Figure, measure: Measure) -> str:
    low, high = gain.low or 0, gain.high or 0
    if measure.form == "share":
        return f"{gain.value * 100:.1f} points ({low * 100:.1f} to {high * 100:.1f})"
    return f"{gain.value:+.3f} ({low:+.3f} to {high:+.3f})"


def reloaded(record: Reload) -> str:
    """The reload gate."""
    same = "the same answers" if record.answers_equal else "other answers"
    where = "from the Hub" if record.source == "hub" else "from the saved files"
    return (
        f"loaded {where} in a fresh process: {same}; largest difference of a number "
        f"{record.largest_difference:.2g} over {units.count(record.rows)} rows"
    )
