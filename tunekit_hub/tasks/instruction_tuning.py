"""Instruction tuning: rows are conversations, and the answers in them are what is learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from tunekit_hub.tasks import Examples, Match, Task, _chat
from tunekit_hub.tasks._chat import Turn, Unusable
from tunekit_hub.tasks._forms import FORMS, find_columns, shape_of_turns
from tunekit_hub.tasks._notes import Notes
from tunekit_hub.text import quote

if TYPE_CHECKING:
    from tunekit_hub.data import Rows


def _detect(rows: Rows, columns: Mapping[str, str]) -> Match | None:
    for form in FORMS:
        found = find_columns(form, rows.table.column_names, columns)
        if found is None:
            continue
        if "messages" not in form.needs:
            return Match(form.shape, found, f"has the columns {quote(found[role] for role in form.needs)}")
        shape = shape_of_turns(rows.table.column(found["messages"]))
        if shape is None and "messages" not in columns:
            continue  # a column of that name that holds something else
        keys = "from/value" if shape == "ShareGPT" else "role/content"
        return Match(shape or form.shape, found, f"column `{found['messages']}` holds {keys} turns")
    return None


def _parse(rows: Rows, match: Match) -> Examples:
    form = next(form for form in FORMS if form.needs.keys() <= match.columns.keys())
    kept: list[tuple[Turn, ...]] = []
    lines: list[int] = []
    notes = Notes()
    for line, row in zip(rows.lines, _values(rows, match.columns), strict=True):
        try:
            turns = form.turns(row)
            conversation = _chat.check(turns)
        except Unusable as unusable:
            notes.unusable(unusable, line)
            continue
        notes.used(turns, conversation, line)
        kept.append(conversation)
        lines.append(line)
    if not kept:
        raise notes.nothing_left(rows.ref.source, len(rows.lines))
    return Examples(kept, lines, notes.all())


def _values(rows: Rows, columns: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """Each row as role → value, a batch at a time."""
    for batch in rows.table.select(list(columns.values())).rename_columns(list(columns)).to_batches():
        yield from batch.to_pylist()


INSTRUCTION_TUNING = Task(
    name="instruction_tuning",
    pipeline_tag="text-generation",
    trainer="sft",
    accepts=(
        "`messages` or `conversations` (a list of turns with `role` and `content`, or `from` and `value`), "
        "`instruction` and `output` (`input` if there is one), `prompt` and `completion`, "
        "or `question` and `answer`; `system` beside any of them"
    ),
    detect=_detect,
    parse=_parse,
    text=_chat.text,
    count_tokens=_chat.count_tokens,
    counts=_chat.counts,
)
