"""A plan in HTML: whether it fits, time and cost first; every setting with its reason one click away."""

from __future__ import annotations

from pages import look
from tunekit_hub import units, wording
from tunekit_hub.records import Plan

_FIT = {"fits": ("pass", "fits"), "tight": ("warn", "tight"), "no": ("block", "does not fit")}


def show(plan: Plan) -> str:
    """The plan's page."""
    machine = plan.selection.request.hardware
    settings = [(f"{name}", value, reason) for name, value, reason in wording.settings(plan)]
    memory = [(name, size) for name, size in wording.memory(plan.memory)]
    status, word = _FIT[plan.fit]
    head = (
        f"<p>{look.mark(status, word)} needs {units.size(plan.memory.total)} of {units.size(machine.memory)} "
        f"on {look.text(machine.name)}</p>"
    )
    return look.page(
        look.panel("Plan", head, look.said(plan.advice) if plan.advice else "", look.fields(_short(plan))),
        look.panel(
            "Settings, each with its reason",
            look.folded(
                f"{len(settings)} settings", look.table("Settings", ("setting", "value", "reason"), settings)
            ),
            look.folded(
                "Memory by component", look.table("Predicted at the peak", ("component", "size"), memory, (1,))
            ),
        ),
    )


def _short(plan: Plan) -> list[tuple[str, str]]:
    return [
        ("method", f"{wording.METHODS[plan.method]}, {plan.precision}"),
        ("rows", f"{units.count(plan.train_rows)} to train on, {units.count(plan.eval_rows)} held out"),
        ("time", f"{units.duration(plan.seconds)} in all, of it {units.duration(plan.train_seconds)} training"),
        ("cost", wording.cost(plan) or "no price is known for this machine"),
        ("row tokens", wording.lengths(plan.tokens)),
        ("using it", _use(plan)),
    ]


def _use(plan: Plan) -> str:
    """What the tuned model will need and take."""
    took = wording.use(plan)
    return f"{units.size(plan.inference_memory)}, {took}" if took else ""
