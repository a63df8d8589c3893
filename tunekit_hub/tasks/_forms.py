"""The forms that instruction data comes in, and which of them some columns are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunekit_hub.tasks._chat import Turn, from_fields, from_turns, text_of

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
    """How the first conversation in this column is written, if it holds conversations at all."""
    for chunk in column.chunks:
        for scalar in chunk:
            value = scalar.as_py()
            if isinstance(value, str) and value.strip():
                if not value.lstrip().startswith("["):
                    return None
                return "ShareGPT" if '"from"' in value else "messages"
            if isinstance(value, list) and value:
                keyed = isinstance(value[0], Mapping) and value[0].get("from") is not None
                return "ShareGPT" if keyed else "messages"
            if value:
                return None
    return None
