"""Pages of what leaves this machine: what would be published, and what was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunekit_hub import units
from tunekit_hub.render.layout import SYMBOLS, Page
from tunekit_hub.wording import FORMS, reloaded

if TYPE_CHECKING:
    from tunekit_hub.records import Preview, PreviewFile, Publication

_SIGNS = {"new": "+", "changed": "~", "unchanged": " ", "deleted": "-"}


def preview(page: Page, record: Preview) -> None:
    """What publishing would do: where, each file, and the card."""
    there = "is there" if record.exists else "would be created"
    page.fields(
        [
            ("repository", f"{record.repo_id}, {'private' if record.private else 'public'}, {there}"),
            ("branch", record.revision if record.revision != "main" else ""),
            ("as", "a pull request" if record.pull_request else "one commit" if record.changes else "no commit"),
            ("message", record.message if record.changes else ""),
            ("weights", FORMS[record.weights]),
            ("to send", units.size(record.to_send) if record.changes else "nothing: it is all there already"),
            ("tags", ", ".join(record.tags)),
            ("collection", record.collection or ""),
        ]
    )
    page.heading("Checks")
    for finding in record.findings:
        page.finding(finding, max(len(one.check) for one in record.findings))
    page.heading("Files")
    rows = [(_SIGNS[one.state], one.path, _size(one), one.state) for one in record.files]
    page.table(("", "file", "size", "in the repository"), rows, right={2})
    page.heading("README.md")
    page.blank()
    for line in record.card.splitlines():
        page.say(line)


def publication(page: Page, record: Publication) -> None:
    """Where it is, and whether it is what was measured."""
    gate = ""
    if record.verified:
        gate = f"{SYMBOLS['pass']} pass: {reloaded(record.verified)}"
    elif record.mismatch:
        gate = f"{SYMBOLS['block']} block: {record.mismatch}"
    page.fields(
        [
            ("address", record.pull_request or record.url),
            ("commit", record.commit if record.changed else f"{record.commit}, nothing had changed"),
            ("branch", record.revision if record.revision != "main" and not record.pull_request else ""),
            ("visibility", "private" if record.private else "public"),
            ("weights", FORMS[record.weights] if record.weights else ""),
            ("files", ", ".join(record.files)),
            ("reload gate", gate),
            ("tags", ", ".join(record.tags)),
            ("collection", record.collection or ""),
        ]
    )


def _size(file: PreviewFile) -> str:
    if file.size is None:
        return ""
    return f"about {units.size(file.size)}" if file.predicted else units.size(file.size)
