"""Records as pages for the terminal: plain text, at most 100 columns, colour never the only carrier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tunekit_hub import records
from tunekit_hub.facts import Verdict
from tunekit_hub.render import after, before, during, outgoing
from tunekit_hub.render import profile as profile_page
from tunekit_hub.render.after import answers
from tunekit_hub.render.layout import Page, terminal_width

__all__ = ["answers", "text"]

_PAGES: dict[type, tuple[str, Callable[[Page, Any], None]]] = {
    records.Profile: ("Profile", profile_page.profile),
    records.Recommendation: ("Recommendation", before.recommendation),
    records.Selection: ("Selection", before.selection),
    records.Plan: ("Plan", during.plan),
    records.Rehearsal: ("Publish rehearsal", during.rehearsal),
    records.Supervision: ("Supervision", during.supervision),
    records.TrainResult: ("Training", during.training),
    records.Evaluation: ("Evaluation", after.evaluation),
    records.Preview: ("What would be published", outgoing.preview),
    records.Publication: ("Publication", outgoing.publication),
}


def text(record: records.Record | Sequence[Verdict], *, color: bool = False, width: int | None = None) -> str:
    """The page of one record, or of some verdicts, ending in a line feed.

    Args:
        record: any record of the line, or the verdicts of `check`.
        color: whether to use bold and dim; the words say everything without them.
        width: columns to write in; the terminal's, at most 100, when left out.
    """
    width = width or terminal_width()
    if not isinstance(record, records.Record):
        page = Page("Verdicts", color=color, width=width)
        before.verdicts(page, record)
        return str(page)
    title, fill = _PAGES[type(record)]
    page = Page(title, color=color, width=width)
    fill(page, record)
    return str(page)
