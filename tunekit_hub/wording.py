"""Parts of records in words, the same on the terminal and on the model card."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tunekit_hub import units

if TYPE_CHECKING:
    from tunekit_hub.records import ChatScore, Evaluation, Interval, Lengths, Memory, Plan, Reload

METHODS = {"full": "full fine-tuning", "lora": "LoRA", "qlora": "QLoRA (4-bit base, LoRA on top)"}


def share(part: int, whole: int) -> str:
    """`19,200 of 46,800 (41 %)`."""
    return f"{units.count(part)} of {units.count(whole)} ({100 * part / max(whole, 1):.0f} %)"


def counted(counts: dict[str, int]) -> str:
    """`multi turn 96, system prompts 12`; what was not found once is left out."""
    return ", ".join(
        f"{name.replace('_', ' ')} {units.count(number)}" for name, number in counts.items() if number
    )


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
        "train_rows": units.count(plan.train_rows),
        "eval_rows": units.count(plan.eval_rows),
        "seed": str(plan.seed),
        "time_limit": units.duration(plan.time_limit) if plan.time_limit else "",
    }
    return [(name.replace("_", " "), value, plan.reasons.get(name, "")) for name, value in values.items() if value]


def memory(predicted: Memory) -> list[tuple[str, str]]:
    """The predicted peak by component, empty ones left out, the sum last."""
    parts = [(name, getattr(predicted, name)) for name in type(predicted).model_fields]
    return [(name, units.size(part)) for name, part in parts if part] + [("sum", units.size(predicted.total))]


def interval(figure: Interval) -> str:
    """`1.38 (1.22 to 1.54)`."""
    return f"{figure.value:.3g} ({figure.low:.3g} to {figure.high:.3g})"


def scores(record: Evaluation) -> list[tuple[str, str, str]]:
    """What was measured, as (measure, untuned, tuned)."""
    measures: list[tuple[str, Callable[[ChatScore], str]]] = [
        ("loss per token (95 % interval)", lambda score: interval(score.loss)),
        ("perplexity", lambda score: f"{score.perplexity:.3g}"),
        ("answers that end by themselves", lambda score: f"{score.stopped} of {score.answers}"),
    ]
    return [(name, figure(record.untuned), figure(record.tuned)) for name, figure in measures]


def reloaded(record: Reload) -> str:
    """The reload gate."""
    same = "the same answers" if record.answers_equal else "other answers"
    where = "from the Hub" if record.source == "hub" else "from the saved files"
    return (
        f"loaded {where} in a fresh process: {same}; largest difference of a row's loss "
        f"{record.largest_difference:.2g} over {units.count(record.rows)} rows"
    )
