"""Page 2, Model: what it is for, the ladder of candidates with what every check says, and the plan."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from pages import data, form, look, scripts, session, told_model, told_plan
from pages.handlers import BUSY, of_click, of_visitor
from pages.turns import MODEL, OF_PAGES, PLAN
from tunekit_hub.errors import DataError, NoUsableModel
from tunekit_hub.hardware import named as named_hardware

NOTHING = "Choose data first; then the candidates stand here, each with what speaks for and against it."
NO_PLAN = "The plan of the training follows from the model."
CHANGED = "This was for other wishes. Find the model again; then the plan for these stands here."


@dataclass(frozen=True)
class Page:
    """The controls that other pages need."""

    description: gr.Textbox
    use: gr.Radio
    hardware: gr.Dropdown
    model: gr.Textbox
    minutes: gr.Number
    longest: gr.Number
    accepted: gr.Textbox
    find: gr.Button
    ladder: gr.HTML
    plan: gr.HTML
    next: gr.Button

    @property
    def wishes(self) -> list[Any]:
        """The controls whose values are options, as `form.MODEL` names them."""
        return [self.description, self.use, self.hardware, self.model, self.minutes, self.longest, self.accepted]


def build(before: data.Page) -> Page:
    """The page, and what happens on it."""
    gr.HTML(
        look.lead(
            "Model", "Say what it is for. The rules name a model, and the checks say whether you may and can."
        )
    )
    description = gr.Textbox(
        label="What is it for? One sentence",
        placeholder="a fast support chatbot; the best quality; …",
        elem_id="description",
        max_lines=2,
    )
    with gr.Row():
        use = gr.Radio(
            [("Commercial", "commercial"), ("Research", "research")],
            value="commercial",
            label="Use",
            elem_id="use",
            min_width=280,
        )
        hardware = gr.Dropdown(
            [(form.HERE, form.HERE), *_machines()],
            value=form.HERE,
            label="Hardware",
            allow_custom_value=True,
            elem_id="hardware",
            min_width=280,
        )
    with gr.Accordion("More about the model", open=False), gr.Row():
        model = gr.Textbox(
            label="Model, where you want a certain one", placeholder="owner/name", elem_id="named", max_lines=1
        )
        minutes = gr.Number(None, label="Time limit for the whole run, minutes", minimum=1, elem_id="minutes")
        longest = gr.Number(None, label="Longest row, tokens", minimum=8, precision=0, elem_id="longest")
    accepted = gr.Textbox(label="Models whose terms are accepted", visible="hidden")
    find = gr.Button("Find the model", variant="primary", elem_id="find")
    ladder = gr.HTML(look.empty(NOTHING), js_on_load=scripts.ON_CLICK, elem_id="ladder")
    plan = gr.HTML(look.empty(NO_PLAN), elem_id="plan")
    onward = gr.Button("Go to training", variant="primary", interactive=False, elem_id="to-train")
    made = Page(description, use, hardware, model, minutes, longest, accepted, find, ladder, plan, onward)
    wishes, results = [*before.wishes, *made.wishes], [ladder, plan, onward]
    for chosen in before.chosen:  # what was found for other data is no answer for these
        chosen.success(fn=None, js=_forget(), outputs=results)
    several: dict[str, Any] = {**BUSY, "trigger_mode": "multiple"}  # other words, before the first answer has come
    for event in (find.click, description.submit, model.submit):
        event(_find, wishes, results, **several).success(_plan, wishes, [plan, onward], **several)
    for wish in (use.input, hardware.input, minutes.input, longest.input, description.blur, model.blur):
        wish(_changed, wishes, [plan, onward], **several)
    changed = ladder.click(_instead, [model, accepted], [model, accepted], **BUSY)
    changed.success(_find, wishes, results, **several).success(_plan, wishes, [plan, onward], **several)
    return made


def _forget() -> str:
    """Script that makes the page as it is before a model is found; at once, so that no answer is overwritten."""
    off = {"__type__": "update", "interactive": False}
    return f"() => {json.dumps([look.empty(NOTHING), look.empty(NO_PLAN), off])}"


def _machines() -> list[tuple[str, str]]:
    """Machines that can be planned for, as (words, name)."""
    table = named_hardware.table()["machines"]
    return [
        (f"{row['about']}{', ${:.2f} an hour'.format(row['price']) if 'price' in row else ''} ({name})", name)
        for name, row in table.items()
    ]


@of_visitor
def _find(me: session.Caller, *wishes: Any) -> tuple[Any, ...]:
    """The whole ladder, and the model that was named where one was."""
    turn = OF_PAGES.take(me.page, MODEL, _known(wishes))
    service, options = session.service(), form.options(*wishes)
    try:
        ladder = service.select(me.visitor, options.but(model=None), me.token)
        taken = service.select(me.visitor, options, me.token) if options.model else ladder
    except DataError as error:
        return told_model.terms_of_data(error), look.empty(NO_PLAN), gr.Button(interactive=False)
    if not OF_PAGES.is_last(me.page, MODEL, turn):
        return (gr.skip(),) * 3
    return (
        told_model.show(ladder, taken, options),
        look.empty("Planning …" if taken.selection else NO_PLAN),
        gr.Button(interactive=False),
    )


@of_visitor
def _plan(me: session.Caller, *wishes: Any) -> tuple[Any, ...]:
    turn = OF_PAGES.take(me.page, PLAN)
    try:
        found = session.service().plan(me.visitor, form.options(*wishes), me.token)
    except NoUsableModel:  # the ladder says why
        return gr.skip(), gr.skip()
    if not OF_PAGES.is_last(me.page, PLAN, turn):
        return gr.skip(), gr.skip()
    return told_plan.show(found), gr.Button(interactive=found.fit != "no")


@of_visitor
def _changed(me: session.Caller, *wishes: Any) -> tuple[Any, ...]:
    """Takes away the plan of other wishes than these, also one that is still being made."""
    if OF_PAGES.what(me.page, MODEL) in (None, "", _known(wishes)):
        return gr.skip(), gr.skip()
    for topic in (MODEL, PLAN):
        OF_PAGES.take(me.page, topic)
    return look.empty(CHANGED), gr.Button(interactive=False)


def _known(wishes: tuple[Any, ...]) -> str:
    """What these wishes are known by, however long they are."""
    return str(hash(repr(wishes)))


@of_click
def _instead(_: session.Caller, clicked: tuple[str, str], model: str, accepted: str) -> tuple[str, str]:
    """A row's button: another model, the rules' own again, or accepted terms."""
    action, value = clicked
    if action == "accept":
        return model, ", ".join((*form.listed(accepted), value))
    return value, accepted
