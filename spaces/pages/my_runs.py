"""My runs: the visitor's runs with where they stand; one is opened, or deleted, by its row's button."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pages import look, scripts, session, told_run
from pages.handlers import BUSY, of_visitor
from tunekit_hub.runs import RunState

NOTHING = "You have no runs yet."


@dataclass(frozen=True)
class Page:
    """The controls that other pages need."""

    shown: gr.HTML
    refresh: gr.Button


def build() -> Page:
    """The page, and what happens on it; opening a run is `home`'s."""
    gr.HTML(look.lead("My runs", "Yours alone; nobody else can see, stop or publish them."))
    shown = gr.HTML(look.empty(NOTHING), js_on_load=scripts.ON_CLICK, elem_id="runs")
    refresh = gr.Button("Look again", size="sm", elem_id="refresh")
    refresh.click(listed, None, shown, **BUSY)
    return Page(shown, refresh)


@of_visitor
def listed(me: session.Caller) -> str:
    """All runs of the visitor, newest first."""
    return show(session.service().list(me.visitor))


def delete(me: session.Caller, run: str) -> Any:
    """Without the run: its data, its model and its log are gone."""
    session.service().delete(me.visitor, run)
    return show(session.service().list(me.visitor))


def show(found: tuple[RunState, ...]) -> str:
    """A row for each run."""
    if not found:
        return look.empty(NOTHING)
    return look.page(look.panel(f"{len(found)} run{'' if len(found) == 1 else 's'}", "".join(map(_row, found))))


def _row(state: RunState) -> str:
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(state.created))
    name = state.title or state.id
    facts = [
        ("model", f"`{state.model}`" if state.model else ""),
        ("result", state.gain),
        ("begun", when),
    ]
    buttons = look.button("Open", "open", state.id, f"Open the run {name}")
    if "delete" in state.can:
        buttons += " " + look.button(
            "Delete", "delete", state.id, f"Delete the run {name}", sure=f"Delete the run {name} with its model?"
        )
    return (
        f'<article class="tk-rung" aria-label="{look.text(name)}"><div class="tk-rung-head">'
        f"<h4>{look.text(name)}</h4>{look.mark(told_run.MARKS.get(state.status, ''), state.status)}"
        f'<span class="tk-quiet">{look.prose(told_run.sentence(state))}</span>'
        f'<span class="tk-buttons">{buttons}</span></div>{look.fields(facts)}</article>'
    )
