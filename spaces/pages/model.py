"""Page 2, Model: what it is for, the ladder of candidates with what every check says, and the plan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from pages import data, form, look, scripts, session, told_plan
from pages.handlers import BUSY, of_click, of_visitor
from tunekit_hub import wording
from tunekit_hub.errors import NoUsableModel
from tunekit_hub.facts import Finding, Options, Verdict
from tunekit_hub.hardware import named as named_hardware
from tunekit_hub.records import Recommendation, Selection
from tunekit_hub.runs import Choice

NOTHING = "Choose data first; then the candidates stand here, each with what speaks for and against it."
NO_PLAN = "The plan of the training follows from the model."


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
        )
        hardware = gr.Dropdown(
            [(form.HERE, form.HERE), *_machines()],
            value=form.HERE,
            label="Hardware",
            allow_custom_value=True,
            elem_id="hardware",
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
    for event in (find.click, description.submit, model.submit):
        event(_find, wishes, results, **BUSY).success(_plan, wishes, [plan, onward], **BUSY)
    changed = ladder.click(_instead, [model, accepted], [model, accepted], **BUSY)
    changed.success(_find, wishes, results, **BUSY).success(_plan, wishes, [plan, onward], **BUSY)
    return made


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
    service, options = session.service(), form.options(*wishes)
    ladder = service.select(me.visitor, options.but(model=None), me.token)
    taken = service.select(me.visitor, options, me.token) if options.model else ladder
    return (
        show(ladder, taken, options),
        look.empty("Planning …" if taken.selection else NO_PLAN),
        gr.Button(interactive=False),
    )


@of_visitor
def _plan(me: session.Caller, *wishes: Any) -> tuple[Any, ...]:
    try:
        found = session.service().plan(me.visitor, form.options(*wishes), me.token)
    except NoUsableModel:  # the ladder says why
        return gr.skip(), gr.skip()
    return told_plan.show(found), gr.Button(interactive=found.fit != "no")


@of_click
def _instead(_: session.Caller, clicked: tuple[str, str], model: str, accepted: str) -> tuple[str, str]:
    """A row's button: another model, the rules' own again, or accepted terms."""
    action, value = clicked
    if action == "accept":
        return model, ", ".join((*form.listed(accepted), value))
    return value, accepted


def show(ladder: Choice, taken: Choice, options: Options) -> str:
    """What the rules say, then each candidate in order, the chosen one marked."""
    chosen = taken.selection.model if taken.selection else None
    verdicts = {verdict.model: verdict for verdict in (*ladder.verdicts, *taken.verdicts)}
    recommended = ladder.recommendation
    rungs = "".join(_rung(n, verdict, chosen) for n, verdict in enumerate(verdicts.values(), 1))
    left = [model for model in recommended.ladder if model not in verdicts] if recommended else []
    return look.page(
        _outcome(taken, options),
        look.panel("Why this one first", _why(recommended)) if recommended else "",
        look.panel("Candidates, in order", rungs, _unasked(left)),
    )


def show_chosen(found: Selection, options: Options) -> str:
    """The same for a run that has chosen already."""
    taken = Choice(recommendation=found.recommendation, selection=found, verdicts=found.verdicts)
    return show(taken, taken, options)


def _outcome(taken: Choice, options: Options) -> str:
    """The answer, before its reasons."""
    if taken.selection is None:
        message, _, _rest = taken.message.partition("\n")
        return look.panel("No model can be used as things are", look.said(message, "block"), look.said(taken.hint))
    found = taken.selection
    moved = f" (now `{found.repo_id}`)" if found.repo_id != found.model else ""
    back = look.button("Follow the rules again", "use", "") if options.model else ""
    return look.panel(
        "Chosen",
        f'<p class="tk-address">{look.text(found.model)}</p>',
        look.said(
            f"{wording.METHODS[found.method]}, for {options.use} use{moved}; license "
            f"{f'`{found.license}`' if found.license else 'not declared'}"
        ),
        back,
    )


def _why(found: Recommendation) -> str:
    picked = f"The rules pick `{found.model}` ({wording.METHODS[found.method]}), whether it may be used or not."
    return look.said(found.reasoning) + look.said(picked)


def _rung(number: int, verdict: Verdict, chosen: str | None) -> str:
    """One candidate: a chip for each check, then the reasons that weigh."""
    is_chosen = verdict.model == chosen
    state = "chosen" if is_chosen else "usable" if verdict.usable else "turned down"
    mark = {"chosen": ("chosen", "✓ chosen"), "usable": ("pass", "usable")}.get(state, ("block", "turned down"))
    instead = (
        ""
        if is_chosen
        else look.button("Use this one instead", "use", verdict.model, f"Use {verdict.model} instead")
    )
    chips = "".join(look.badge(one.status, one.check) for one in verdict.findings)
    weighty = [one for one in verdict.findings if one.status != "pass"]
    rest = [one for one in verdict.findings if one.status == "pass"]
    moved = (
        f" <span class='tk-quiet'>now {look.text(verdict.repo_id)}</span>"
        if verdict.repo_id != verdict.model
        else ""
    )
    return (
        f'<article class="tk-rung{" tk-is-chosen" if is_chosen else ""}" aria-label="Candidate {number}">'
        f'<div class="tk-rung-head"><h4>{number}. {look.text(verdict.model)}{moved}</h4>'
        f'<span class="tk-badge tk-{mark[0]}">{mark[1]}</span>{instead}</div>'
        f'<div class="tk-chips">{chips}</div>{"".join(_reason(one, verdict) for one in weighty)}'
        f"{look.folded('What speaks for it', ''.join(_reason(one, verdict) for one in rest))}</article>"
    )


def _reason(one: Finding, verdict: Verdict) -> str:
    fix = f' <span class="tk-fix">→ {look.prose(one.fix)}</span>' if one.fix else ""
    accept = ""
    if one.status == "block" and "--accept-license" in one.fix:
        accept = " " + look.button(
            "Accept its terms", "accept", verdict.model, f"Accept the terms of {verdict.model}"
        )
    return f'<p class="tk-reason">{look.badge(one.status, one.check)} {look.prose(one.message)}{fix}{accept}</p>'


def _unasked(models: list[str]) -> str:
    """What stands further down the ladder, and was not needed."""
    if not models:
        return ""
    rows = "".join(
        f"<li>{look.text(model)} {look.button('Use this one instead', 'use', model, f'Use {model} instead')}</li>"
        for model in models
    )
    return f"<p class='tk-quiet'>Not needed, so not asked</p><ul class='tk-choices'>{rows}</ul>"
