"""Page 1, Data: what the visitor's data hold, and which task they are for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from pages import form, look, scripts, session
from pages.handlers import BUSY, QUIET, of_click, of_visitor
from tunekit_hub import runs, units, wording
from tunekit_hub.errors import TunekitError
from tunekit_hub.profiles import meaning
from tunekit_hub.records import Note, Profile
from tunekit_hub.tasks import TASKS

UPLOAD = "upload-"  # how handles of uploads begin
LABELS = 15  # shown one by one
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
    made = Page(source, guest, task, columns, license_, shown, onward)
    results = [source, shown, onward]
    sent = upload.upload(_keep, [upload, *made.wishes[1:]], [upload, *results], **BUSY)
    sent.failure(lambda: None, None, upload, **QUIET)  # room for another file
    for chosen in (
        sent,
        dataset.submit(_name, [dataset, *made.wishes[1:]], results, **BUSY),
        examples.click(_example, made.wishes[1:], results, **BUSY),
    ):
        chosen.success(fn=None, inputs=[source, guest], js=scripts.KEEP_DATA)
    for control in (task.input, columns.submit, license_.submit):
        control(_again, made.wishes, results, **BUSY)
    return made


def _examples() -> str:
    buttons = "".join(
        f"<li>{look.button(title, 'example', handle)} <span class='tk-quiet'>{look.text(what)}</span></li>"
        for handle, (title, what) in EXAMPLES.items()
    )
    return look.page(f"<p class='tk-quiet'>Or an example</p><ul class='tk-choices'>{buttons}</ul>")


@of_visitor
def _keep(me: session.Caller, path: str | None, *wishes: Any) -> tuple[Any, ...]:
    """An upload goes into the visitor's own folder; Gradio's copy is not kept."""
    if not path:
        return (gr.skip(),) * 4
    try:
        kept = session.service().keep(me.visitor, path, Path(path).name)
    finally:
        Path(path).unlink(missing_ok=True)
    return (None, *_profile(me, kept.handle, *wishes))


@of_visitor
def _name(me: session.Caller, dataset: str, *wishes: Any) -> tuple[Any, ...]:
    return _profile(me, dataset, *wishes)


@of_click
def _example(me: session.Caller, clicked: tuple[str, str], *wishes: Any) -> tuple[Any, ...]:
    return _profile(me, clicked[1], *wishes)


@of_visitor
def _again(me: session.Caller, source: str, *wishes: Any) -> tuple[Any, ...]:
    return _profile(me, source, *wishes) if source else (gr.skip(),) * 3


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
    if not source:
        return (gr.skip(),) * 3
    try:
        return _profile(me, source)
    except TunekitError:
        return "", gr.skip(), gr.skip()


def _profile(me: session.Caller, source: str, *wishes: Any) -> tuple[str, str, Any]:
    found = session.service().profile(me.visitor, form.options(source, *wishes), me.token)
    return source, show(found), gr.Button(interactive=True)


def show(record: Profile) -> str:
    """A profile as tables and bars."""
    texts = [
        ("languages", ", ".join(record.languages) or "none recognised"),
        (
            "domain",
            (record.domain or "general") + (f" ({', '.join(record.domain_words)})" if record.domain_words else ""),
        ),
        ("tokens a row", _lengths(record)),
        ("counted", wording.counted({name: n for name, n in record.counts.items() if name != "labels"})),
    ]
    columns = [
        (f"`{one.name}`", one.role or "", one.kind, units.count(one.empty), units.count(one.distinct))
        for one in record.found
    ]
    heads = ("name", "used as", "kind", "empty", "distinct")
    return look.page(
        look.panel("What was found", look.fields(_facts(record))),
        look.panel("What this means", look.items(wording.sentence(one) for one in meaning.explain(record))),
        _labels(record),
        look.panel("Texts", look.fields(texts)),
        look.panel(f"Columns ({len(columns)})", look.table("As they were found", heads, columns, right=(3, 4)))
        if columns
        else "",
        look.panel("Worth a look", look.items(_note(note, record) for note in record.notes)),
    )


def _facts(record: Profile) -> Sequence[tuple[str, str]]:
    rows = units.count(record.num_rows)
    if record.used_rows < record.num_rows:
        rows += f", of which {units.count(record.used_rows)} are used"
    return (
        ("data", f"`{wording.file_name(record.data.source)}`, {record.data.format}"),
        ("rows", rows),
        ("task", f"{record.task.replace('_', ' ')}, {record.shape}"),
        ("because", record.why),
        ("tested on", f"{units.count(record.test_rows)} rows of their own" if record.test else ""),
    )


def _lengths(record: Profile) -> str:
    tokens = record.tokens
    guess = ", estimated until a model is chosen" if tokens.estimated else ""
    return (
        f"half up to {units.count(tokens.p50)}, 95 % up to {units.count(tokens.p95)}, longest "
        f"{units.count(tokens.max)}; {units.count(tokens.total)} in all{guess}"
    )


def _labels(record: Profile) -> str:
    """How often each label occurs."""
    if not record.labels:
        return ""
    kind = "Entity types" if "entities" in record.counts else "Labels"
    whole = record.num_rows if "rows_with_several_labels" in record.counts else sum(record.labels.values())
    ordered = sorted(record.labels.items(), key=lambda item: -item[1])
    rest = ordered[LABELS:]
    rows = [(name, n, f"{units.count(n)} · {100 * n / max(whole, 1):.1f} %") for name, n in ordered[:LABELS]]
    more = f"{units.count(len(rest))} more, {units.count(sum(n for _, n in rest))} together" if rest else ""
    return look.panel(
        f"{kind} ({len(ordered)})", look.bars("Most frequent first", rows), look.said(more) if more else ""
    )


def _note(note: Note, record: Profile) -> str:
    unit = "row" if record.data.format in ("json", "parquet", "folder") else "line"
    message = note.message
    if note.count and f"{note.count:,} " not in message:
        message = f"{units.count(note.count)} × {message}"
    if not note.lines or (note.count == 1 and f"line {note.lines[0]}" in note.message):
        return message
    shown = ", ".join(str(line) for line in note.lines[:8])
    more = f" and {note.count - 8:,} more" if note.count > 8 else ""
    return f"{message} ({unit}{'' if note.count == 1 else 's'} {shown}{more})"
