"""A run in HTML while it goes: where it stands, its loss curve, its log, and the rehearsal of its publish."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from pages import curve as drawing
from pages import look
from tunekit_hub import units
from tunekit_hub.facts import Finding
from tunekit_hub.records import Rehearsal
from tunekit_hub.runs import RunState

STAGES = ("profile", "recommendation", "selection", "plan", "training", "evaluation", "publication")
DOING = {
    "profile": "reading the data",
    "recommendation": "choosing a model",
    "selection": "checking the candidates",
    "plan": "planning",
    "rehearsal": "rehearsing the publish",
    "training": "training",
    "evaluation": "scoring it against the baselines",
    "publication": "publishing",
}
MARKS = {
    "queued": "waiting",
    "running": "going",
    "stopping": "warn",
    "needs sign-in": "warn",
    "done": "pass",
    "failed": "block",
    "cancelled": "warn",
}
LINES = 150  # of the log


def status(state: RunState, losses: Sequence[tuple[int, float]] = ()) -> str:
    """Where the run stands: in a sentence that is read aloud when it changes, then in figures."""
    done, going = state.progress, state.status == "running"
    share = min(1.0, done.step / max(done.steps, 1)) if done and state.status != "queued" else 0.0
    if state.status == "done":
        share = 1.0
    name, took = "time left", "–"
    if done and going and state.stage == "training":
        took = units.duration(done.seconds_left)
    elif state.started and state.ended:
        name, took = "took", units.duration(state.ended - state.started)
    step = f"{units.count(done.step)} of {units.count(done.steps)}" if done else ""
    if not step and losses:
        step = units.count(losses[-1][0])
    figures = (
        ("step", step or "–"),
        ("loss", f"{losses[-1][1]:.3f}" if losses else "–"),
        ("tokens/s", units.count(done.tokens_per_second) if done and done.tokens_per_second else "–"),
        (name, took),
    )
    cells = "".join(f"<div><dt>{told}</dt><dd>{value}</dd></div>" for told, value in figures)
    mark = look.mark(MARKS.get(state.status, ""), state.status)
    bar = (
        f'<div class="tk-progress" role="progressbar" aria-label="Training" aria-valuemin="0" aria-valuemax="100" '
        f'aria-valuenow="{round(100 * share)}"><i style="width:{100 * share:.1f}%"></i></div>'
    )
    return look.page(
        f'<section class="tk-panel tk-run"><h3>{look.text(state.title or state.id)}</h3>'
        f'<p role="status">{mark} {look.prose(sentence(state))}</p>'
        f'{bar}<dl class="tk-figures">{cells}</dl>{_trouble(state)}</section>'
    )


def sentence(state: RunState) -> str:
    """What the run does, or why it does not."""
    if state.status == "queued":
        return f"number {state.place} in the queue" if state.place else "its turn is next"
    if state.status == "running":
        return DOING.get(state.stage, state.stage)
    if state.status == "stopping":
        return "saving what it has"
    if state.status == "needs sign-in":
        return "it goes on as soon as you have signed in; what was done is kept"
    if state.status == "done":
        return f"published at {state.published}" if state.published else "trained and scored"
    if state.status == "cancelled":
        return "stopped; what was done is kept, and Go on takes it up there"
    return "it ended early; what was done is kept"


def _trouble(state: RunState) -> str:
    told = look.said(state.error.message, "block") + look.said(state.error.hint) if state.error else ""
    return told + (look.said(state.note) if state.note else "")


def curve(
    losses: Sequence[tuple[int, float]], steps: int | None, validation: Sequence[tuple[int, float]] = ()
) -> str:
    """The loss curve in its panel, of one size from the beginning."""
    return look.page(look.panel("Loss", drawing.draw(losses, validation, steps)))


def log(events: Sequence[Mapping[str, Any]]) -> str:
    """What was told, newest first, with the time since the first."""
    began = events[0].get("time", 0.0) if events else 0.0
    lines = []
    for event in reversed(events):
        words = _line(event)
        if words:
            since = time.strftime("%H:%M:%S", time.gmtime(max(0.0, event.get("time", began) - began)))
            lines.append(f"<p>{since} {look.text(words)}</p>")
        if len(lines) == LINES:
            break
    body = "".join(lines) or '<p class="tk-quiet">nothing yet</p>'
    return look.page(
        look.panel(
            "Log, newest first", f'<div class="tk-log" role="log" tabindex="0" aria-label="Log">{body}</div>'
        )
    )


def _line(event: Mapping[str, Any]) -> str:
    """One event in words; steps are in the curve."""
    kind = event.get("event")
    if kind == "start":
        return DOING.get(event["stage"], event["stage"])
    if kind == "stage":
        return f"done: {DOING.get(event['stage'], event['stage'])}"
    if kind == "note":
        return str(event.get("message", ""))
    if kind == "validation":
        return f"pass {event['epoch']:.3g}: validation loss {event['loss']:.3f}, score {event['score']:.4f}"
    if kind == "resumed":
        return f"goes on after step {event.get('step', 0)}"
    if kind == "supervision":
        return "what is trained on: checked"
    return ""


def rehearsal(found: Rehearsal) -> str:
    """The publish, tried without writing anything."""
    state = "exists" if found.exists else "will be created"
    return look.page(
        look.panel(
            "Publish rehearsal",
            look.fields(
                [
                    ("repository", f"`{found.repo_id}`, {'private' if found.private else 'public'}, {state}"),
                    ("signed in as", found.user),
                ]
            ),
            "".join(finding(one) for one in found.findings),
        )
    )


def finding(one: Finding) -> str:
    """A check's answer in a line."""
    fix = f' <span class="tk-fix">→ {look.prose(one.fix)}</span>' if one.fix else ""
    return f'<p class="tk-reason">{look.badge(one.status, one.check)} {look.prose(one.message)}{fix}</p>'
