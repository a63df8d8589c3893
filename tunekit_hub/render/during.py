"""Pages around training: plan, publish rehearsal, supervision, result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunekit_hub import units
from tunekit_hub.render.layout import cells
from tunekit_hub.text import count_rows
from tunekit_hub.wording import cost, kept, lengths, memory, settings, share, use

if TYPE_CHECKING:
    from tunekit_hub.records import Plan, Rehearsal, Supervision, TrainResult
    from tunekit_hub.render.layout import Page

LOSS_BARS = "▁▂▃▄▅▆▇█"


def plan(page: Page, record: Plan) -> None:
    """Whether it fits, every setting with its reason, memory by component, time, cost, and what using it takes."""
    chosen = record.selection
    machine = chosen.request.hardware
    page.fields(
        [
            ("base model", chosen.repo_id),
            ("revision", chosen.revision),
            (
                "machine",
                f"{machine.name} (`{machine.asked_as}`, not this one)" if machine.asked_as else machine.name,
            ),
            ("row tokens", lengths(record.tokens)),
            ("fits", _fits(record)),
            ("cheapest change", record.advice),
        ]
    )
    page.blank()
    page.table(("setting", "value", "reason"), settings(record))
    page.heading("Memory, predicted at the peak")
    page.table(("component", "size", ""), [(*part, "") for part in memory(record.memory)], right={1})
    page.say(f"{units.size(machine.memory)} are {'there' if machine.asked_as else 'free'}.")
    page.heading("Time and cost, predicted")
    page.fields(
        [
            ("training", units.duration(record.train_seconds)),
            ("whole run", units.duration(record.seconds)),
            ("cost", cost(record)),
        ]
    )
    if record.inference_seconds:
        page.heading("Using the model, predicted")
        page.fields([("memory", units.size(record.inference_memory)), ("time", use(record))])


def _fits(record: Plan) -> str:
    machine = record.selection.request.hardware
    of = f"{units.size(record.memory.total)} of {units.size(machine.memory)}"
    return {"fits": f"FITS: {of}", "tight": f"TIGHT: {of}", "no": f"NO: {of}"}[record.fit]


def rehearsal(page: Page, record: Rehearsal) -> None:
    """The publish, tried before training."""
    state = "exists" if record.exists else "will be created"
    page.fields(
        [
            ("repository", f"{record.repo_id} ({'private' if record.private else 'public'}, {state})"),
            ("signed in as", record.user),
        ]
    )
    column = max((cells(finding.check) for finding in record.findings), default=0)
    for finding in record.findings:
        page.finding(finding, column, indent=2)


def supervision(page: Page, record: Supervision) -> None:
    """What carries loss."""
    page.fields(
        [
            ("rows", units.count(record.rows)),
            ("trained tokens", share(record.trained_tokens, record.tokens)),
            ("how", record.how),
            (
                "end of turn",
                "" if record.eos_rows is None else f"trained in {share(record.eos_rows, record.rows)} rows",
            ),
            ("truncated", f"{units.count(record.truncated)} rows, {units.count(record.lost_tokens)} tokens lost"),
            *(_counted("dropped", record.dropped) or [("dropped", "no row")]),
            *_counted("adapted", record.adapted),
            ("row tokens", lengths(record.lengths)),
        ]
    )


def _counted(label: str, rows: dict[str, int]) -> list[tuple[str, str]]:
    """How many rows something is true of, a line each."""
    lines = [f"{count_rows(number)}: {what}" for what, number in rows.items()]
    return [("" if place else label, line) for place, line in enumerate(lines)]


def training(page: Page, record: TrainResult) -> None:
    """What training did, beside what was predicted."""
    plan = record.plan
    losses = [point.loss for point in record.losses]
    fall = f"{losses[0]:.3f} → {losses[-1]:.3f}  {curve(losses)}" if losses else ""
    page.fields(
        [
            ("steps", f"{units.count(record.steps)} ({record.epochs:.3g} × the rows)"),
            ("stopped early", record.stopped_early),
            ("processes", str(record.processes) if record.processes > 1 else ""),
            ("adjusted", "; ".join(record.adjustments)),
            ("training loss", fall),
            ("validation", ", ".join(f"{point.score:.3f}" for point in record.validation)),
            ("kept in validation", kept(record)),
            ("speed", f"{units.count(record.tokens_per_second)} tokens/s, padding not counted"),
            ("time", f"{units.duration(record.seconds)}, predicted {units.duration(plan.train_seconds)}"),
            (
                "peak memory",
                f"{units.size(record.peak_memory)}, predicted {units.size(plan.memory.total)}",
            ),
        ]
    )


def curve(losses: list[float], width: int = 40) -> str:
    """The loss as a line of small bars, at most `width` of them."""
    count = min(width, len(losses))
    points = [losses[round(n * (len(losses) - 1) / max(count - 1, 1))] for n in range(count)]
    low, high = min(points), max(points)
    scale = (len(LOSS_BARS) - 1) / (high - low) if high > low else 0
    return "".join(LOSS_BARS[round((point - low) * scale)] for point in points)
