"""All pages together: the head, the five steps, My runs; how a run is opened, how one page leads to the next."""

from __future__ import annotations

import importlib.util
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pages import api, data, form, look, model, my_runs, publish, results, scripts, session, told_plan, train
from pages.handlers import BUSY, QUIET, of_click, of_visitor
from tunekit_hub.runfile import Run

TITLE = "TuneKit Hub"
SAYS = "Your data and one sentence in; a fine-tuned model on the Hub out."
STEPS = ("data", "model", "train", "results", "publish", "runs")


@dataclass(frozen=True)
class _Pages:
    data: data.Page
    model: model.Page
    train: train.Page
    results: results.Page
    publish: publish.Page
    runs: my_runs.Page

    @property
    def wishes(self) -> list[Any]:
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


def build() -> gr.Blocks:
    """The app, with its service at work."""
    session.service()
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(3600, 86_400)) as app:
        with gr.Row(elem_id="head", equal_height=True):
            who = gr.HTML(_head(""), elem_id="who")
            if session.on_a_space():
                gr.LoginButton(size="sm", elem_id="sign-in", scale=0, min_width=220)
        with gr.Tabs(elem_id="steps", overflow_behavior="wrap") as tabs:
            with gr.Tab("1 Data", id="data"):
                one = data.build()
            with gr.Tab("2 Model", id="model"):
                two = model.build(one)
            with gr.Tab("3 Train", id="train"):
                three = train.build(one, two)
            with gr.Tab("4 Results", id="results") as results_tab:
                four = results.build(three.run)
            with gr.Tab("5 Publish", id="publish") as publish_tab:
                five = publish.build(three.run)
            with gr.Tab("My runs", id="runs") as runs_tab:
                six = my_runs.build()
        pages = _Pages(one, two, three, four, five, six)
        _lead_on(tabs, pages)
        results_tab.select(results.look_again, three.run, four.view, **BUSY)
        publish_tab.select(publish.look_again, [three.run, five.repo], five.view, **BUSY)
        runs_tab.select(my_runs.listed, None, six.shown, **BUSY)
        opened = [tabs, three.run, *pages.view]
        came_with = [three.run, one.source, one.guest]
        arrived = app.load(_arrive, came_with, [who, *came_with], js=scripts.ARRIVE, **QUIET)
        arrived.success(data.restored, one.source, [one.source, one.shown, one.next], **BUSY)
        arrived.success(_open_known, three.run, opened, **BUSY)
        chosen = six.shown.click(_clicked, three.run, [six.shown, three.run, *opened[:1]], **BUSY)
        chosen.success(_open_known, three.run, opened, **BUSY).success(
            fn=None, inputs=three.run, js=scripts.KEEP_ADDRESS
        )
        api.build()
    for event in app.fns.values():
        if event.api_name not in api.NAMES:  # that of Gradio's sign-in button, too
            event.api_visibility = "private"
    return app


def launch(app: gr.Blocks) -> None:
    """Serve it, as an MCP server too where the `mcp` package is installed; until it is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # an exit, in which runs are saved
    app.queue(default_concurrency_limit=16, max_size=256)
    app.launch(
        theme=gr.themes.Base(
            primary_hue="indigo", neutral_hue="slate", font=["system-ui", "sans-serif"], font_mono=["ui-monospace"]
        ),
        css_paths=look.CSS,
        mcp_server=importlib.util.find_spec("mcp") is not None,
        max_file_size=session.service().settings.max_upload,
        run_history=False,  # it would keep what visitors typed in their browsers
        ssr_mode=False,
        quiet=True,
        footer_links=["api", "gradio"],
    )


def _head(who: str) -> str:
    said = f"<p>{look.prose(who)}</p>" if who else f"<p>{look.text(SAYS)}</p>"
    return f'<div class="tk tk-head"><h1>{look.text(TITLE)}</h1>{said}</div>'


def _lead_on(tabs: gr.Tabs, pages: _Pages) -> None:
    """The button at the end of each page."""

    def to(step: str) -> Callable[[], Any]:
        return lambda: gr.Tabs(selected=step)

    run, quiet = pages.train.run, {"api_visibility": "private", "show_progress": "hidden"}
    pages.data.next.click(to("model"), None, tabs, **quiet)
    pages.model.next.click(to("train"), None, tabs, **quiet)
    pages.train.next.click(to("results"), None, tabs, **quiet).then(
        results.look_again, run, pages.results.view, **BUSY
    )
    pages.results.next.click(to("publish"), None, tabs, **quiet).then(
        publish.look_again, [run, pages.publish.repo], pages.publish.view, **BUSY
    )


@of_visitor
def _arrive(me: session.Caller, run: str, source: str, guest: str) -> tuple[str, str, str, str]:
    """Who has come, with which data; runs of theirs that waited for their token go on."""
    if me.token:
        session.service().signed_in(me.visitor, me.token)
    source = "" if run else data.adopted(me, source or "", guest or "")
    return _head(session.words(me)), run, source, session.guest(me)


@of_visitor
def _open_known(me: session.Caller, run: str) -> tuple[Any, ...]:
    """The pages of a run, the one that matters most on top; nothing where no run is asked for."""
    if not run:
        return (gr.skip(),) * _width()
    service = session.service()
    state = service.state(me.visitor, run)
    step = "results" if state.status == "done" else "train"
    return gr.Tabs(selected=step), run, *_opened(me, run)


def _opened(me: session.Caller, run: str) -> tuple[Any, ...]:
    service = session.service()
    record: Run = service.record(me.visitor, run)
    options = service.options(me.visitor, run)
    chosen = record.selection
    ladder = model.show_chosen(chosen, options) if chosen else look.empty(model.NOTHING)
    return (
        *form.values(options),
        data.show(record.profile) if record.profile else look.empty(data.NOTHING),
        gr.Button(interactive=True),
        ladder,
        told_plan.show(record.plan) if record.plan else look.empty(model.NO_PLAN),
        gr.Button(interactive=record.plan is not None),
        *train.shown(me, run),
        *results.shown(me, run),
        *publish.shown(me, run),
    )


def _width() -> int:
    """How many values an opened run has: the tabs, the run, and a value for each part of `_Pages.view`."""
    return 2 + len(form.DATA) + len(form.MODEL) + 5 + 8 + 6 + 6


@of_click
def _clicked(me: session.Caller, clicked: tuple[str, str], run: str) -> tuple[Any, ...]:
    """A row of My runs: opened, or deleted."""
    action, value = clicked
    if action == "delete":
        shown = my_runs.delete(me, value)
        return shown, "" if value == run else run, gr.skip()
    return gr.skip(), value, gr.skip()
