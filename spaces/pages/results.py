"""Page 4, Results: how good it is against what else there is, and a box to try it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from pages import look, session, told_results
from pages.handlers import BUSY, of_run
from tunekit_hub.errors import RunError, UsageError
from tunekit_hub.runfile import Run

NOTHING = "The scores stand here when a run is trained."
QUIET_TRY = "Ask something that is not in your data."
WIDTH = 6  # values of `Page.view`


@dataclass(frozen=True)
class Page:
    """The controls that other pages need."""

    shown: gr.HTML
    asked: gr.Textbox
    ask: gr.Button
    said: gr.HTML
    turns: gr.State
    next: gr.Button

    @property
    def view(self) -> list[Any]:
        """What shows a run's results; `shown` gives a value for each."""
        return [self.shown, self.asked, self.ask, self.said, self.turns, self.next]


def build(run: gr.Textbox) -> Page:
    """The page, and what happens on it."""
    gr.HTML(
        look.lead("Results", "Measured on rows that were held out, beside what can be had without fine-tuning.")
    )
    results = gr.HTML(look.empty(NOTHING), elem_id="results")
    gr.HTML('<h3 class="tk-title">Try the tuned model</h3>')
    said = gr.HTML(look.empty(QUIET_TRY), elem_id="said")
    asked = gr.Textbox(label="Your text", lines=2, max_lines=6, interactive=False, elem_id="asked")
    with gr.Row():
        ask = gr.Button("Ask", variant="primary", interactive=False, elem_id="ask")
        anew = gr.Button("Begin anew", elem_id="anew")
    onward = gr.Button("Go to publishing", variant="primary", interactive=False, elem_id="to-publish")
    turns = gr.State([])
    made = Page(results, asked, ask, said, turns, onward)
    one = BUSY | {"concurrency_limit": 2}  # models answer one at a time; who waits holds up nothing else
    for event in (ask.click, asked.submit):
        event(_ask, [run, asked, turns], [said, asked, turns], **one)
    anew.click(lambda: (look.empty(QUIET_TRY), []), None, [said, turns], api_visibility="private")
    return made


@of_run
def look_again(me: session.Caller, run: str) -> tuple[Any, ...]:
    """The results of a run, as far as it has come; what was asked of its model stays."""
    page, asked, ask, _, _, onward = shown(me, run)
    return page, asked, ask, gr.skip(), gr.skip(), onward


def shown(me: session.Caller, run: str) -> tuple[Any, ...]:
    """Values for `Page.view`."""
    can = session.service().state(me.visitor, run).can if run else frozenset()
    page = look.page(_results(me, run)) if run else look.empty(NOTHING)
    may = gr.Button(interactive="answer" in can)
    box = gr.Textbox(interactive="answer" in can)
    return page, box, may, look.empty(QUIET_TRY), [], gr.Button(interactive="publish" in can)


def _results(me: session.Caller, run: str) -> str:
    service = session.service()
    record: Run = service.record(me.visitor, run)
    if record.training is None:
        return look.empty("This run is not trained yet. Its results stand here when it is.")

    def file(name: str) -> Path | None:
        try:
            return service.file(me.visitor, run, name)
        except RunError:  # this task writes no such file
            return None

    proof = file("supervision.txt")
    trained = told_results.training(record.training, proof.read_text(encoding="utf-8") if proof else "")
    if record.evaluation is None:
        return look.panel("Scores", look.said("It is trained, and not scored yet.")) + trained
    parts = [told_results.scores(record.evaluation)]
    if picture := file("confusion.png"):
        parts.append(told_results.confusion(picture, file("confusion.csv")))
    if wrong := file("mistakes.jsonl"):
        parts.append(told_results.mistakes(wrong))
    if file("answers.jsonl"):
        parts.append(told_results.answers(service.answers(me.visitor, run)))
    return "".join([*parts, trained])


@of_run
def _ask(
    me: session.Caller, run: str, asked: str, turns: list[dict[str, str]]
) -> tuple[str, str, list[dict[str, str]]]:
    """One answer; a chat goes on from the turns before."""
    if not (asked or "").strip():
        raise UsageError("there is no text to answer", "write one in the box")
    reply = session.service().answer(me.visitor, run, asked, turns, me.token)
    if reply.scores or reply.marks:  # labels are given to each text alone
        return look.page(told_results.reply(asked, reply)), "", []
    turns = [*turns, {"role": "user", "content": asked}, {"role": "assistant", "content": reply.text}]
    said = [
        told_results.reply(turns[n]["content"], reply._replace(text=turns[n + 1]["content"]))
        for n in range(0, len(turns), 2)
    ]
    return look.page(*said), "", turns
