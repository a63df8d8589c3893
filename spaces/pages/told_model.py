"""The ladder in HTML: what the rules say, and each candidate with what speaks for and against it."""

from __future__ import annotations

import re

from pages import look
from tunekit_hub import wording
from tunekit_hub.errors import DataError
from tunekit_hub.facts import Finding, Options, Verdict
from tunekit_hub.records import Recommendation, Selection
from tunekit_hub.runs import Choice

_ACCEPT = re.compile(r"--accept-license ([^\s`]+)")


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


def terms_of_data(error: DataError) -> str:
    """Data whose license stands in the way, with the button that accepts it.

    Raises:
        DataError: something else is wrong with them.
    """
    asked = _ACCEPT.search(error.hint)
    if asked is None:
        raise error
    accept = look.button("Accept its terms", "accept", asked[1], f"Accept the terms of {asked[1]}")
    said = (look.said(error.message, "block"), look.said(error.hint), accept)
    return look.page(look.panel("The data cannot be used as things are", *said))
