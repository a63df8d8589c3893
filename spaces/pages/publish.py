"""Page 5, Publish: rehearsed first, private unless asked; the card as it will stand, then the address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pages import look, session, told_run
from pages.handlers import BUSY, of_run
from tunekit_hub.errors import UsageError
from tunekit_hub.facts import Publishing
from tunekit_hub.records import Publication

NOTHING = "Nothing is published yet. A rehearsal tells what would be written where, and writes nothing."
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
FORMS = [("As the plan says", ""), ("Adapter only", "adapter"), ("Merged into the base's weights", "merged")]
WIDTH = 6  # values of `Page.view`


@dataclass(frozen=True)
class Page:
    """The controls that other pages need."""

    repo: gr.Textbox
    rehearse: gr.Button
    publish: gr.Button
    outcome: gr.HTML
    front: gr.HTML
    card: gr.Markdown

    @property
    def view(self) -> list[Any]:
        """What shows a run's publication; `shown` gives a value for each."""
        return [self.repo, self.rehearse, self.publish, self.outcome, self.front, self.card]


def build(run: gr.Textbox) -> Page:
    """The page, and what happens on it."""
    gr.HTML(
        look.lead(
            "Publish", "One commit, private unless you say otherwise. The card is made from what was measured."
        )
    )
    with gr.Row():
        repo = gr.Textbox(
            label="Repository", placeholder="you/name", max_lines=1, elem_id="repo", scale=3, min_width=280
        )
        form_ = gr.Dropdown(FORMS, value="", label="Weights", elem_id="weights", scale=2, min_width=280)
    private = gr.Checkbox(True, label="Private", elem_id="private")
    with gr.Row():
        rehearse = gr.Button("Rehearse and show the card", interactive=False, elem_id="rehearse")
        publish = gr.Button("Publish", variant="primary", interactive=False, elem_id="publish")
    outcome = gr.HTML(look.empty(NOTHING), elem_id="outcome")
    front = gr.HTML(elem_id="front")
    card = gr.Markdown(elem_id="card", label="The card")
    made = Page(repo, rehearse, publish, outcome, front, card)
    asked = [run, repo, form_, private]
    rehearse.click(_rehearse, asked, [outcome, front, card], **BUSY)
    publish.click(
        lambda: gr.Button("Publishing …", interactive=False), None, publish, api_visibility="private"
    ).then(_publish, asked, [outcome, front, card], **BUSY).then(
        lambda: gr.Button("Publish", interactive=True), None, publish, api_visibility="private"
    )
    return made


@of_run
def look_again(me: session.Caller, run: str) -> tuple[Any, ...]:
    """The publication of a run, if there is one; the name that is typed and the card that was shown stay."""
    _, rehearse, publish, outcome, _, _ = shown(me, run)
    published = bool(run) and session.service().record(me.visitor, run).publication is not None
    return gr.skip(), rehearse, publish, outcome if published else gr.skip(), gr.skip(), gr.skip()


def shown(me: session.Caller, run: str) -> tuple[Any, ...]:
    """Values for `Page.view`, as they are when a run is opened or begun."""
    if not run:
        return ("", *_buttons(False), look.empty(NOTHING), "", "")
    service = session.service()
    can = service.state(me.visitor, run).can
    record = service.record(me.visitor, run)
    done = record.publication
    name = done.repo_id if done else _suggested(me, record.options.push_to, record.options.source)
    outcome = _published(done) if done else look.empty(NOTHING)
    if record.rehearsal and not done:
        outcome = told_run.rehearsal(record.rehearsal)
    return (name, *_buttons("publish" in can), outcome, "", "")


def _buttons(may: bool) -> tuple[gr.Button, gr.Button]:
    return gr.Button(interactive=may), gr.Button("Publish", interactive=may)


def _suggested(me: session.Caller, asked: str | None, source: str) -> str:
    """A name to begin with."""
    stem = source.rsplit("/", 1)[-1].split(".")[0].removeprefix("example-") or "model"
    return asked or (f"{me.name}/{stem}-tuned" if me.name else "")


@of_run
def _rehearse(me: session.Caller, run: str, repo: str, form_: str, private: bool) -> tuple[str, str, str]:
    service, wanted = session.service(), _publishing(repo, form_, private)
    options = service.options(me.visitor, run).but(**wanted.model_dump())
    tried = service.rehearse(me.visitor, options, me.token)
    return (told_run.rehearsal(tried), *_card(service.card_preview(me.visitor, run, repo.strip(), wanted)))


def _publishing(repo: str, form_: str, private: bool) -> Publishing:
    if not (repo or "").strip():
        raise UsageError("no repository is named", "write it like `you/name`")
    return Publishing(push_to=repo.strip(), private=private, weights=form_ or None)


def _card(card: str) -> tuple[str, str]:
    """Front matter and body of a card; the body is shown by Gradio, which lets nothing run in it."""
    _, front, body = card.split("---\n", 2)
    body = _PICTURE.sub(r"*Picture: \1*", body)  # the files lie beside the card, not here
    shown = look.folded("What the Hub reads of it", f"<pre>{look.text(front)}</pre>")
    return look.page(look.panel("The card, as it will stand", shown)), body


@of_run
def _publish(me: session.Caller, run: str, repo: str, form_: str, private: bool) -> tuple[str, str, str]:
    wanted = _publishing(repo, form_, private)
    done = session.service().publish(me.visitor, run, wanted, me.token)
    card = _card(session.service().card_preview(me.visitor, run, done.repo_id, wanted))
    return (_published(done), *card)


def _published(done: Publication) -> str:
    """Where it is."""
    seen = "private: only you and those you let in see it" if done.private else "public"
    return look.page(
        look.panel(
            "Published",
            f'<p class="tk-address">{look.link(done.url)}</p>',
            look.fields(
                [
                    ("visible", seen),
                    ("commit", f"`{done.commit[:12]}`" + ("" if done.changed else ", nothing had changed")),
                    ("files", ", ".join(f"`{name}`" for name in done.files)),
                ]
            ),
        )
    )
