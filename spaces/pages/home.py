"""All pages together: the head, the five steps, My runs; how one page leads to the next."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import gradio as gr

from pages import api, data, look, model, my_runs, opening, publish, results, session, train
from pages.handlers import BUSY


def build() -> gr.Blocks:
    """The app, with its service at work."""
    session.service()
    with gr.Blocks(title=opening.TITLE, analytics_enabled=False, delete_cache=(300, 1800)) as app:
        with gr.Row(elem_id="head", equal_height=True):
            who = gr.HTML(opening.head(""), elem_id="who")
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
        pages = opening.Pages(one, two, three, four, five, six)
        _lead_on(tabs, pages)
        results_tab.select(results.look_again, three.run, four.view, **BUSY)
        publish_tab.select(publish.look_again, three.run, five.view, **BUSY)
        runs_tab.select(my_runs.listed, None, six.shown, **BUSY)
        opening.connect(app, pages, who, tabs)
        api.build()
    for event in app.fns.values():
        if event.api_name not in api.NAMES:  # that of Gradio's sign-in button, too
            event.api_visibility = "private"
    return app


def launch(app: gr.Blocks) -> None:
    """Serve it, as an MCP server too where the `mcp` package is installed; until it is ended."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # an exit, in which runs are saved
    # After every event Gradio sums up the last 10,000, which takes longer than most events do; nobody looks at it.
    os.environ |= {"GRADIO_ANALYTICS_MAX_EVENTS": "1", "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**12)}
    # After every event it would tell all who wait where they stand: of fifty, fifty messages for each answer.
    app.queue(status_update_rate=1.0, default_concurrency_limit=16, max_size=256)
    # And a thousand times a second whether something waits.
    app._queue.sleep_when_free, app._queue.progress_update_sleep_when_free = 0.02, 0.1
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


def _lead_on(tabs: gr.Tabs, pages: opening.Pages) -> None:
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
        publish.look_again, run, pages.publish.view, **BUSY
    )
