"""What a page shows of a run that it came with, or that is opened, begun or deleted on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from pages import (
    data,
    form,
    look,
    model,
    my_runs,
    publish,
    results,
    scripts,
    session,
    told_data,
    told_model,
    told_plan,
    train,
)
from pages.handlers import BUSY, QUIET, of_click, of_run, of_visitor
from pages.turns import DATA, OF_PAGES, RUN
from tunekit_hub.runfile import Run

TITLE = "TuneKit Hub"
SAYS = "Your data and one sentence in; a fine-tuned model on the Hub out."
OPENING = "opening"  # a run, from the list
_WISHES = len(form.DATA) + len(form.MODEL) + 5  # values of `Pages.view` before those of the run itself


@dataclass(frozen=True)
class Pages:
    """Every page's controls."""

    data: data.Page
    model: model.Page
    train: train.Page
    results: results.Page
    publish: publish.Page
    runs: my_runs.Page

    @property
    def wishes(self) -> list[Any]:
        """The controls whose values are options."""
        return [*self.data.wishes, *self.model.wishes]

    @property
    def view(self) -> list[Any]:
        """All that shows a run; `_opened` gives a value for each."""
        before = [
            *self.wishes,
            self.data.shown,
            self.data.next,
            self.model.ladder,
            self.model.plan,
            self.model.next,
        ]
        return [*before, *self.train.view, *self.results.view, *self.publish.view]


def head(who: str) -> str:
    """The head of all pages, with who has come."""
    said = f"<p>{look.prose(who)}</p>" if who else f"<p>{look.text(SAYS)}</p>"
    return f'<div class="tk tk-head"><h1>{look.text(TITLE)}</h1>{said}</div>'


def connect(app: gr.Blocks, pages: Pages, who: gr.HTML, tabs: gr.Tabs) -> None:
    """What the page does by itself when it is loaded; a run that is begun, opened or deleted."""
    run, source, guest = pages.train.run, pages.data.source, pages.data.guest
    opened = [tabs, run, *pages.view]
    app.load(_greet, None, [who, guest], **QUIET)
    arrived = app.load(_arrive, [run, source, guest], [run, source], js=scripts.ARRIVE, **QUIET)
    arrived.success(data.restored, source, [source, pages.data.shown, pages.data.next], **BUSY)
    known = arrived.success(_open_known, run, opened, **BUSY)
    known.failure(fn=None, js="() => ''", outputs=run)  # told once, not by every page
    pages.train.started.success(_begun, run, [*pages.results.view, *pages.publish.view], **QUIET)
    rows = pages.runs.shown
    clicked = rows.click(_clicked, run, [rows, *opened], **BUSY, trigger_mode="multiple")
    clicked.success(fn=None, inputs=run, js=scripts.KEEP_ADDRESS)


@of_visitor
def _greet(me: session.Caller) -> tuple[str, str]:
    """Who has come; runs of theirs that waited for their token go on."""
    if me.token:
        session.service().signed_in(me.visitor, me.token)
    return head(session.words(me)), session.guest(me)


@of_visitor
def _arrive(me: session.Caller, run: str, source: str, guest: str) -> tuple[Any, Any]:
    """With which run and data a visitor has come, as that guest before; nothing where they have chosen since."""
    source = "" if run else data.adopted(me, source or "", guest or "")
    if _has_acted(me):
        return gr.skip(), gr.skip()
    return run or gr.skip(), source or gr.skip()


def _has_acted(me: session.Caller) -> bool:
    return data.has_chosen(me) or OF_PAGES.what(me.page, RUN) is not None


@of_visitor
def _open_known(me: session.Caller, run: str) -> tuple[Any, ...]:
    """The pages of the run that the page came with; of those that the visitor uses already, none."""
    nothing = (gr.skip(),) * _width()
    if not run or OF_PAGES.what(me.page, RUN) is not None:
        return nothing
    opened = _shown(me, run)
    if OF_PAGES.what(me.page, RUN) is not None:
        return nothing
    if data.has_chosen(me):  # their data stay, and what they wish for; the run is a tab away
        OF_PAGES.take(me.page, RUN, run)
        return gr.skip(), run, *nothing[:_WISHES], *opened[2 + _WISHES :]
    return _taken(me, run, opened)


def _taken(me: session.Caller, run: str, opened: tuple[Any, ...]) -> tuple[Any, ...]:
    """From now on the page is this run's."""
    OF_PAGES.take(me.page, RUN, run)
    OF_PAGES.take(me.page, DATA, opened[2])
    return opened


def _shown(me: session.Caller, run: str) -> tuple[Any, ...]:
    """All pages of a run, the one that matters most on top."""
    state = session.service().state(me.visitor, run)
    return gr.Tabs(selected="results" if state.status == "done" else "train"), run, *_opened(me, run)


@of_run
def _begun(me: session.Caller, run: str) -> tuple[Any, ...]:
    """Results and publication of a run that has just been put in the queue: none, of no earlier run."""
    return *results.shown(me, run), *publish.shown(me, run)


def _opened(me: session.Caller, run: str) -> tuple[Any, ...]:
    service = session.service()
    record: Run = service.record(me.visitor, run)
    options = service.options(me.visitor, run)
    chosen = record.selection
    ladder = told_model.show_chosen(chosen, options) if chosen else look.empty(model.NOTHING)
    return (
        *form.values(options),
        told_data.show(record.profile) if record.profile else look.empty(data.NOTHING),
        gr.Button(interactive=True),
        ladder,
        told_plan.show(record.plan) if record.plan else look.empty(model.NO_PLAN),
        gr.Button(interactive=record.plan is not None),
        *train.shown(me, run),
        *results.shown(me, run),
        *publish.shown(me, run),
    )


def _width() -> int:
    """How many values an opened run has: the tabs, the run, and a value for each part of `Pages.view`."""
    return 2 + _WISHES + train.WIDTH + results.WIDTH + publish.WIDTH


@of_click
def _clicked(me: session.Caller, clicked: tuple[str, str], run: str) -> tuple[Any, ...]:
    """A row of My runs: opened, or deleted; the pages of another run stay as they are then."""
    action, value = clicked
    nothing = (gr.skip(),) * _width()
    if action == "open":
        turn = OF_PAGES.take(me.page, OPENING)
        opened = _shown(me, value)
        if not OF_PAGES.is_last(me.page, OPENING, turn):
            return gr.skip(), *nothing
        return gr.skip(), *_taken(me, value, opened)
    if action != "delete":
        return gr.skip(), *nothing
    shown = my_runs.delete(me, value)
    if value != run:
        return shown, *nothing
    OF_PAGES.take(me.page, RUN, "")
    empty = (*train.shown(me, ""), *results.shown(me, ""), *publish.shown(me, ""))
    return shown, gr.skip(), "", *nothing[:_WISHES], *empty
