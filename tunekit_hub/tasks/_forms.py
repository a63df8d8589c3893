"""The forms that instruction data comes in, and which of them some columns are."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunekit_hub.tasks import Match, _dialogues
from tunekit_hub.tasks._chat import Turn, from_dialogue, from_fields, from_turns, text_of
from tunekit_hub.tasks._columns import same
from tunekit_hub.text import quote

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Form:
    """A form that instruction data comes in: what its columns are called, and how they make turns."""

    shape: str
    needs: Mapping[str, tuple[str, ...]]  # role → column names, the usual one first
    turns: Callable[[Mapping[str, Any]], list[Turn]]  # role → value, to turns
    may_have: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def roles(self) -> dict[str, tuple[str, ...]]:
        """All roles, the needed ones first."""
        return {**self.needs, **self.may_have}


def _messages(row: Mapping[str, Any]) -> list[Turn]:
    return [{"role": "system", "content": text_of(row.get("system"))}, *from_turns(row["messages"])]


def _alpaca(row: Mapping[str, Any]) -> list[Turn]:
    parts = [text_of(row["instruction"]), text_of(row.get("input"))]
    return from_fields(row.get("system"), "\n\n".join(filter(None, parts)), row["output"])


_SYSTEM = {"system": ("system", "system_prompt")}
# In this order: the first form whose columns are there is the one.
FORMS = (
    Form("messages", {"messages": ("messages", "conversations", "conversation")}, _messages, _SYSTEM),
    Form(
        "Alpaca",
        {"instruction": ("instruction",), "output": ("output", "response")},
        _alpaca,
        {"input": ("input", "context"), **_SYSTEM},
    ),
    Form(
        "prompt/completion",
        {"prompt": ("prompt",), "completion": ("completion", "response")},
        lambda row: from_fields(row.get("system"), row["prompt"], row["completion"]),
        _SYSTEM,
    ),
    Form(
        "question/answer",
        {"question": ("question",), "answer": ("answer", "response")},
        lambda row: from_fields(row.get("system"), row["question"], row["answer"]),
        _SYSTEM,
    ),
)
EMPTY = ""
_LOOKED_AT = 1000  # values of a column
DIALOGUE = "dialogue"
DIALOGUES = Form("plain dialogues", {DIALOGUE: (DIALOGUE,)}, lambda row: from_dialogue(row[DIALOGUE]))
_LABELS = ("label", "labels", "category", "intent", "class", "sentiment")


def find_form(table: pa.Table, columns: Mapping[str, str]) -> Match | None:
    """The first form whose columns are there; failing that, a column of plain dialogues."""
    empty: Match | None = None
    for form in FORMS:
        found = find_columns(form, table.column_names, columns)
        if found is None:
            continue
        if "messages" not in form.needs:
            return Match(form.shape, found, f"has the columns {quote(found[role] for role in form.needs)}")
        shape = shape_of_turns(table.column(found["messages"]))
        if shape in (None, EMPTY) and "messages" not in columns:
            if shape == EMPTY:
                empty = Match(form.shape, found, f"column `{found['messages']}` is called so, and is empty")
            continue  # a column of that name that holds something else
        keys = "from/value" if shape == "ShareGPT" else "role/content"
        return Match(shape or form.shape, found, f"column `{found['messages']}` holds {keys} turns")
    return _find_dialogues(table, columns) or empty


def form_of(match: Match) -> Form:
    """The form that was found."""
    return next(form for form in (*FORMS, DIALOGUES) if form.needs.keys() <= match.columns.keys())


def _find_dialogues(table: pa.Table, columns: Mapping[str, str]) -> Match | None:
    if not set(columns) <= {DIALOGUE}:
        return None
    if not columns and any(same(name) in _LABELS for name in table.column_names):
        return None  # dialogues that somebody has labelled are to be classified
    found = _dialogues.find(table, list(columns.values()) or table.column_names)
    if found is None:
        return None
    name, marks = found
    return Match(DIALOGUES.shape, {DIALOGUE: name}, f"column `{name}` holds dialogues, marked {marks}")


def find_columns(form: Form, names: Sequence[str], mapped: Mapping[str, str]) -> dict[str, str] | None:
    """Role → column, if all that the form needs is there and nothing is mapped that it does not know."""
    if not set(mapped) <= set(form.roles):
        return None
    free = {name.strip().lower(): name for name in reversed(names) if name not in mapped.values()}
    found = dict(mapped)
    for role, usual in form.roles.items():
        column = next((free[name] for name in usual if name in free), None)
        if role not in found and column is not None:
            found[role] = column
    return found if set(form.needs) <= set(found) else None


def shape_of_turns(column: pa.ChunkedArray) -> str | None:
    """How conversations in this column are written, if it holds any; `EMPTY` if it holds nothing at all."""
    shape: str | None = EMPTY
    for scalar in itertools.islice(itertools.chain.from_iterable(column.chunks), _LOOKED_AT):
        value = scalar.as_py()
        if isinstance(value, str) and re.match(r"\s*\[\s*\{", value):
            return "ShareGPT" if '"from"' in value else "messages"
        if isinstance(value, list) and value:
            keyed = isinstance(value[0], Mapping) and value[0].get("from") is not None
            return "ShareGPT" if keyed else "messages"
        if value and value not in ("{}", "[]"):
            shape = None
    return shape
