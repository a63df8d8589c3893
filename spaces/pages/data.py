"""Page 1, Data: what the visitor's data hold, and which task they are for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from pages import form, look, scripts, session, told_data
from pages.handlers import BUSY, QUIET, of_click, of_visitor
from pages.turns import DATA, MODEL, OF_PAGES, PLAN
from tunekit_hub import runs
from tunekit_hub.errors import TunekitError
from tunekit_hub.tasks import TASKS

UPLOAD = "upload-"  # how handles of uploads begin
EXAMPLES = {
    "example-chat": ("Support chats", "240 conversations of a plant shop"),
    "example-classification": ("Support tickets", "643 messages and their topics"),
    "example-ner": ("Device reports", "sentences with machines, parts, codes and places"),
}
NOTHING = "Nothing is chosen yet. Upload a file, name a dataset of the Hub, or take one of the examples."


@dataclass(frozen=True)
class Page:
    """The controls that other pages need."""

    source: gr.Textbox
    guest: gr.Textbox  # as which guest the data were given; empty for whoever has signed in
    task: gr.Dropdown
    columns: gr.Textbox
    license: gr.Textbox
    shown: gr.HTML
    next: gr.Button
    chosen: tuple[Any, ...]  # the events after which these are other data, or others are seen in them

    @property
    def wishes(self) -> list[Any]:
        """The controls whose values are options, as `form.DATA` names them."""
        return [self.source, self.task, self.columns, self.license]


def build() -> Page:
    """The page, and what happens on it."""
    gr.HTML(
        look.lead(
            "Data",
            "Labelled texts, tagged sentences or conversations: CSV, JSON, Parquet, CoNLL and others.",
        )
    )
    with gr.Row(equal_height=False):
        upload = gr.File(label="Upload a file", height=190, elem_id="upload")
        with gr.Column():
            dataset = gr.Textbox(
                label="Or a dataset of the Hub",
                placeholder="owner/name, owner/name:config",
                elem_id="dataset",
                max_lines=1,
            )
            examples = gr.HTML(_examples(), js_on_load=scripts.ON_CLICK, elem_id="examples")
    with gr.Row():
        task = gr.Dropdown([form.FOUND, *TASKS], value=form.FOUND, label="Task", elem_id="task", min_width=280)
        with gr.Accordion("More about the data", open=False):
            columns = gr.Textbox(
                label="Columns, where the right ones are not found",
                placeholder="text=message, label=topic",
                max_lines=1,
            )
            license_ = gr.Textbox(
                label="License of the data, for the card",
                placeholder="a license id, such as cc-by-4.0",
                max_lines=1,
            )
    source = gr.Textbox(label="Chosen data", visible="hidden", elem_id="source")
    guest = gr.Textbox(label="Guest", visible="hidden", elem_id="guest")
    shown = gr.HTML(look.empty(NOTHING), elem_id="profile")
    onward = gr.Button("Choose a model", variant="primary", interactive=False, elem_id="to-model")
    wishes, results = [source, task, columns, license_], [source, guest, shown, onward]
    # Who chooses again before the answer has come means the second choice; without this it would be left out.
    several: dict[str, Any] = {**BUSY, "trigger_mode": "multiple"}
    sent = upload.upload(_keep, [upload, *wishes[1:]], [upload, *results], **several)
    sent.failure(lambda: None, None, upload, **QUIET)  # room for another file
    chosen = [
        sent,
        dataset.submit(_name, [dataset, *wishes[1:]], results, **several),
        examples.click(_example, wishes[1:], results, **several),
    ]
    for event in chosen:
        event.success(fn=None, inputs=[source, guest], js=scripts.KEEP_DATA)
    chosen += [
        event(_again, wishes, results, **several) for event in (task.input, columns.submit, license_.submit)
    ]
    return Page(source, guest, task, columns, license_, shown, onward, tuple(chosen))


def _examples() -> str:
    buttons = "".join(
        f"<li>{look.button(title, 'example', handle)} <span class='tk-quiet'>{look.text(what)}</span></li>"
        for handle, (title, what) in EXAMPLES.items()
    )
    return look.page(f"<p class='tk-quiet'>Or an example</p><ul class='tk-choices'>{buttons}</ul>")


@of_visitor
def _keep(me: session.Caller, path: str | None, *wishes: Any) -> tuple[Any, ...]:
    """An upload goes into the visitor's own folder.

    Gradio's copy goes later (`delete_cache`): it lies by its content, and another visitor may be sending the same.
    """
    if not path:
        return _same(5)
    with OF_PAGES.trying(me.page, DATA) as turn:
        kept = session.service().keep(me.visitor, path, Path(path).name)
    return (None, *_chosen(me, kept.handle, *wishes)) if OF_PAGES.is_last(me.page, DATA, turn) else _same(5)


@of_visitor
def _name(me: session.Caller, dataset: str, *wishes: Any) -> tuple[Any, ...]:
    return _chosen(me, dataset, *wishes)


@of_click
def _example(me: session.Caller, clicked: tuple[str, str], *wishes: Any) -> tuple[Any, ...]:
    return _chosen(me, clicked[1], *wishes)


@of_visitor
def _again(me: session.Caller, source: str, *wishes: Any) -> tuple[Any, ...]:
    """The same data, read otherwise; not where others are on their way."""
    if not source or OF_PAGES.what(me.page, DATA) not in (None, source):
        return _same(4)
    return _chosen(me, source, *wishes)


def _chosen(me: session.Caller, source: str, *wishes: Any) -> tuple[Any, ...]:
    """What the visitor has chosen; nothing where they have chosen something else before it was read."""
    with OF_PAGES.trying(me.page, DATA, source) as turn:
        shown = _profile(me, source, *wishes)
    if not OF_PAGES.is_last(me.page, DATA, turn):
        return _same(4)
    for topic in (MODEL, PLAN):  # what is being found for other data
        OF_PAGES.take(me.page, topic)
    return source, session.guest(me), *shown


def _same(number: int) -> tuple[Any, ...]:
    """As many outputs that stay as they are."""
    return (gr.skip(),) * number


def adopted(me: session.Caller, source: str, guest: str) -> str:
    """The data of this window, as the caller's own: a guest's upload goes along when they sign in or come back.

    A guest is known by nothing but a long random id of their window; who has it was that guest.
    """
    if not source.startswith(UPLOAD) or not guest or guest == session.guest(me):
        return source
    try:
        return session.service().adopt(runs.Visitor(guest, "guest"), source, me.visitor).handle
    except TunekitError:  # it is the caller's already, or is gone
        return source


@of_visitor
def restored(me: session.Caller, source: str) -> tuple[Any, ...]:
    """The page of data that were chosen before a refresh; as if nothing was where they are gone."""
    if not source or has_chosen(me):
        return _same(3)
    try:
        found = (source, *_profile(me, source))
    except TunekitError:
        found = ("", gr.skip(), gr.skip())
    return _same(3) if has_chosen(me) else found


def has_chosen(me: session.Caller) -> bool:
    """Whether the visitor has chosen data on this page: then nothing that the page does by itself changes that."""
    return OF_PAGES.what(me.page, DATA) is not None


def _profile(me: session.Caller, source: str, *wishes: Any) -> tuple[str, Any]:
    found = session.service().profile(me.visitor, form.options(source, *wishes), me.token)
    return told_data.show(found), gr.Button(interactive=True)
