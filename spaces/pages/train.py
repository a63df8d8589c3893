"""Page 3, Train: start, watch, stop and go on. Where a run stands is asked each time, so the page can be left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from pages import data, form, look, model, scripts, session, told_run
from pages.handlers import BUSY, QUIET, of_run, of_visitor
from pages.turns import OF_PAGES, RUN
from tunekit_hub.errors import TunekitError, UsageError
from tunekit_hub.runs import RunState

EVERY = 1.5  # seconds between two looks
NO_RUN = "No run yet. Start one here, or open an earlier one under My runs."
WAITING = frozenset({"queued", "running", "stopping"})


WIDTH = 8  # values of `Page.view`


@dataclass(frozen=True)
class Seen:
    """What is on the page: of which run, how it stood, and the events up to byte `at` but for the steps."""

    run: str = ""
    stands: str = ""
    at: int = 0
    events: tuple[dict[str, Any], ...] = ()


UNSEEN = Seen()


@dataclass(frozen=True)
class Page:
    """The controls that other pages need."""

    run: gr.Textbox
    repo: gr.Textbox
    private: gr.Checkbox
    start: gr.Button
    status: gr.HTML
    curve: gr.HTML
    log: gr.HTML
    stop: gr.Button
    resume: gr.Button
    timer: gr.Timer
    seen: gr.State
    next: gr.Button
    started: Any  # the event after which there is another run

    @property
    def view(self) -> list[Any]:
        """What shows a run; `shown` gives a value for each."""
        return [self.status, self.curve, self.log, self.stop, self.resume, self.next, self.timer, self.seen]


def build(data_page: data.Page, model_page: model.Page) -> Page:
    """The page, and what happens on it."""
    gr.HTML(look.lead("Train", "It goes on when you leave. The address of this page leads back to your run."))
    run = gr.Textbox(label="Run", visible="hidden", elem_id="run")
    with gr.Accordion("Publish it as soon as it is trained", open=False):
        with gr.Row():
            repo = gr.Textbox(label="Repository", placeholder="you/name", max_lines=1, elem_id="push-to", scale=3)
            private = gr.Checkbox(True, label="Private", elem_id="push-private", scale=1)
        rehearse = gr.Button("Rehearse the publish", size="sm", elem_id="rehearse-first")
        rehearsed = gr.HTML(elem_id="rehearsed-first")
    start = gr.Button("Start training", variant="primary", elem_id="start")
    status = gr.HTML(look.empty(NO_RUN), elem_id="status")
    with gr.Row():
        stop = gr.Button("Save and stop", interactive=False, elem_id="stop")
        resume = gr.Button("Go on", interactive=False, elem_id="resume")
    curve = gr.HTML(told_run.curve((), None), elem_id="curve")
    log = gr.HTML(told_run.log(()), elem_id="log")
    onward = gr.Button("See the results", variant="primary", interactive=False, elem_id="to-results")
    timer, seen = gr.Timer(EVERY, active=False), gr.State(UNSEEN)
    wishes = [*data_page.wishes, *model_page.wishes, repo, private]
    rehearse.click(_rehearse, wishes, rehearsed, **BUSY)
    started = start.click(_start, wishes, run, **BUSY)
    made = Page(run, repo, private, start, status, curve, log, stop, resume, timer, seen, onward, started)
    for event in (
        started,
        stop.click(_stop, run, None, **QUIET),
        resume.click(_resume, run, None, **QUIET),
    ):
        event.success(look_again, run, made.view, **QUIET)
    started.success(fn=None, inputs=run, js=scripts.KEEP_ADDRESS)
    timer.tick(_tick, [run, seen], made.view, **QUIET)
    return made


@of_visitor
def _rehearse(me: session.Caller, *values: Any) -> str:
    *wishes, repo, private = values
    options = form.options(*wishes, push_to=_repo(repo), private=private)
    return told_run.rehearsal(session.service().rehearse(me.visitor, options, me.token))


def _repo(name: str | None) -> str:
    if not (name or "").strip():
        raise UsageError("no repository is named, so there is nothing to rehearse", "write it like `you/name`")
    return name.strip()


@of_visitor
def _start(me: session.Caller, *values: Any) -> str:
    *wishes, repo, private = values
    options = form.options(*wishes, push_to=(repo or "").strip() or None, private=private)
    run = session.service().submit(me.visitor, options, me.token, title=options.description)
    OF_PAGES.take(me.page, RUN, run)
    return run


@of_visitor
def _stop(me: session.Caller, run: str) -> None:
    session.service().cancel(me.visitor, run)


@of_visitor
def _resume(me: session.Caller, run: str) -> None:
    session.service().resume(me.visitor, run, me.token)


@of_run
def look_again(me: session.Caller, run: str) -> tuple[Any, ...]:
    """The view of a run, whatever was shown before."""
    return shown(me, run)


@of_run
def _tick(me: session.Caller, run: str, seen: Seen) -> tuple[Any, ...]:
    """The view, where something has changed. Where the run cannot be seen any more, that is said once."""
    if not run:
        return (*(gr.skip(),) * 6, gr.Timer(active=False), seen)
    try:
        return shown(me, run, seen)
    except TunekitError as error:
        message, hint = error.message, error.hint
        if me.visitor.kind == "guest" and not session.service().settings.guests_train:
            message, hint = "your sign-in has run out", "sign in again; the run goes on, and its address stays"
        told = look.page(look.said(message, "warn"), look.said(hint))
        return (told, gr.skip(), gr.skip(), *_buttons(None), gr.Timer(active=False), UNSEEN)


def shown(me: session.Caller, run: str, seen: Seen = UNSEEN) -> tuple[Any, ...]:
    """Values for `Page.view`: the run as it stands; nothing is sent again that `seen` says is on the page."""
    if not run:
        parts = look.empty(NO_RUN), told_run.curve((), None), told_run.log(())
        return (*parts, *_buttons(None), gr.Timer(active=False), UNSEEN)
    service = session.service()
    state = service.state(me.visitor, run)
    seen = seen if seen.run == run else UNSEEN
    fresh = service.events(me.visitor, run, seen.at)
    stands = f"{state.status} {state.place} {state.stage} {state.note}"
    if seen.run and not fresh and stands == seen.stands:
        return (gr.skip(),) * WIDTH
    events = (*seen.events, *(one for one in fresh if one.get("event") != "step"))[-told_run.LINES :]
    losses = service.curve(me.visitor, run)
    return (
        told_run.status(state, losses),
        told_run.curve(losses, state.progress.steps if state.progress else None, _validation(events)),
        told_run.log(events),
        *_buttons(state),
        gr.Timer(active=state.status in WAITING),
        Seen(run, stands, fresh[-1]["at"] if fresh else seen.at, events),
    )


def _validation(events: tuple[dict[str, Any], ...]) -> list[tuple[int, float]]:
    return [(one["step"], one["loss"]) for one in events if one.get("event") == "validation"]


def _buttons(state: RunState | None) -> tuple[Any, ...]:
    can = state.can if state else frozenset()
    words = "Try again" if state and state.status == "failed" else "Go on"
    return (
        gr.Button(interactive="cancel" in can),
        gr.Button(words, interactive="resume" in can),
        gr.Button(interactive=bool({"publish", "answer"} & can)),
    )
