"""Pages of what is known before a plan, after the profile: recommendation, selection, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tunekit_hub import units
from tunekit_hub.render.layout import cells, plain
from tunekit_hub.wording import METHODS

if TYPE_CHECKING:
    from tunekit_hub.facts import Verdict
    from tunekit_hub.records import Recommendation, Selection
    from tunekit_hub.render.layout import Page


def recommendation(page: Page, record: Recommendation) -> None:
    """What the rules pick, before anybody asked whether it may be used."""
    page.fields(
        [
            ("description", record.description or "none given"),
            ("model", record.model),
            ("method", METHODS[record.method]),
            ("because", record.reasoning),
            ("then", " → ".join(model for model in record.ladder if model != record.model)),
        ]
    )


def selection(page: Page, record: Selection) -> None:
    """The whole ladder: every model, every finding, and the one that was chosen."""
    machine = record.request.hardware
    page.fields(
        [
            ("for", f"{record.request.use} use"),
            ("machine", f"{machine.name}, {units.size(machine.memory)} free, {units.size(machine.disk)} disk"),
            ("time", f"at most {units.duration(record.request.max_time)}" if record.request.max_time else ""),
        ]
    )
    verdicts(page, record.verdicts, chosen=record.model)
    asked = {verdict.model for verdict in record.verdicts}
    left = [model for model in record.recommendation.ladder if model not in asked]
    if record.named:
        page.blank()
        page.say("You named this model, so the ladder was not asked.")
    elif left:
        page.blank()
        page.say(f"Not needed, so not asked: {', '.join(left)}")
    page.blank()
    page.fields(
        [
            ("chosen", record.repo_id),
            ("revision", record.revision),
            ("license", record.license or "none declared"),
            ("method", METHODS[record.method]),
        ]
    )


def verdicts(page: Page, found: Sequence[Verdict], chosen: str | None = None) -> None:
    """Each candidate with its findings, in order."""
    column = max((cells(f.check) for verdict in found for f in verdict.findings), default=0)
    for number, verdict in enumerate(found, 1):
        word = "usable" if verdict.usable else "turned down"
        if chosen == verdict.model:
            word = "chosen"
        moved = f" (now {verdict.repo_id})" if verdict.repo_id != verdict.model else ""
        page.blank()
        page.lines.append(f"  {number}  {page.bold(plain(verdict.model))}{plain(moved)}: {word}")
        for finding in verdict.findings:
            page.finding(finding, column)
