"""One row → a conversation, or the reason why it cannot be trained on.

A conversation is a tuple of turns `{"role": "system" | "user" | "assistant", "content": str}` that ends with
the assistant.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunekit_hub.tasks import _dialogues
from tunekit_hub.text import quote

Turn = dict[str, str]

ROLES = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bot": "assistant",
}
_TOOL_ROLES = {"tool", "function", "function_call", "observation", "ipython"}
_TOOL_KEYS = ("tool_calls", "function_call", "tool_call_id")
TEMPLATE_TOKENS = 4  # a chat template marks where each turn begins and ends, and whose it is


@dataclass(frozen=True)
class Reason:
    """Why a row is not used."""

    why: str  # in words; of a row, or of rows
    fix: str


REASONS = {
    "empty-conversation": Reason("the conversation is empty", "every row needs a user turn and an answer"),
    "not-a-conversation": Reason(
        "the conversation is not a list of turns",
        'a turn is an object such as `{"role": "user", "content": "…"}`',
    ),
    "tool-calls": Reason("tool calls are not supported", "leave the turns with tool calls and tool results out"),
    "unknown-role": Reason("a turn has an unknown role", f"rename the roles; accepted are {quote(ROLES)}"),
    "content-not-text": Reason(
        "the content of a turn is not text", "content must be text, not a list or an object"
    ),
    "not-a-dialogue": Reason(
        "the text is no dialogue of the user's and the assistant's turns",
        "mark each turn at the beginning of a line, `User: …` and `Assistant: …`",
    ),
    "no-assistant-turn": Reason("no turn is the assistant's", "every row needs an answer to learn from"),
    "empty-assistant-turn": Reason("an assistant turn is empty", "fill the answers in, or remove these rows"),
    "empty-user-turn": Reason("a user turn is empty", "fill the questions in, or remove these rows"),
}


class Unusable(Exception):
    """This row cannot be trained on; `code` is a key of REASONS."""

    def __init__(self, code: str, roles: Iterable[str] = ()):
        super().__init__(code)
        self.code = code
        self.roles = tuple(dict.fromkeys(roles))  # the unknown ones


def from_turns(value: Any) -> list[Turn]:
    """Turns from a list of `role`/`content` or `from`/`value` objects, or from such a list as JSON text."""
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise Unusable("not-a-conversation") from error
    if not value:
        raise Unusable("empty-conversation")
    if not isinstance(value, list) or not all(
        isinstance(turn, Mapping) and _says_anything(turn) for turn in value
    ):
        raise Unusable("not-a-conversation")
    if any(_role(turn) in _TOOL_ROLES or any(map(turn.get, _TOOL_KEYS)) for turn in value):
        raise Unusable("tool-calls")
    unknown = [_role(turn) for turn in value if _role(turn) not in ROLES]
    if unknown:
        raise Unusable("unknown-role", unknown)
    return [{"role": ROLES[_role(turn)], "content": _content(turn)} for turn in value]


def from_fields(system: Any, user: Any, assistant: Any) -> list[Turn]:
    """Turns from separate fields. A prompt or answer may itself be a list of turns."""
    turns = [{"role": "system", "content": text_of(system)}]
    for role, value in (("user", user), ("assistant", assistant)):
        turns += from_turns(value) if isinstance(value, list) else [{"role": role, "content": text_of(value)}]
    return turns


def from_dialogue(value: Any) -> list[Turn]:
    """Turns from one text in which markers say whose turn it is."""
    text = text_of(value)
    if not text:
        raise Unusable("empty-conversation")
    turns = _dialogues.split(text)
    if turns is None:
        raise Unusable("not-a-dialogue")
    return turns


def text_of(value: Any) -> str:
    """Text without the space around it; no value is no text. A number, or true and false, is written out."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))  # of a column of whole numbers in which some are missing
    if isinstance(value, int | float):
        return str(value)
    if not isinstance(value, str):
        raise Unusable("content-not-text")
    return value.strip()


def check(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The conversation to train on: without empty system turns, and without what follows the last answer."""
    kept = [turn for turn in turns if turn["content"] or turn["role"] != "system"]
    if not any(turn["content"] for turn in kept):
        raise Unusable("empty-conversation")
    while kept and kept[-1]["role"] != "assistant":
        kept.pop()
    if not kept:
        raise Unusable("no-assistant-turn")
    for turn in kept:
        if not turn["content"]:
            raise Unusable(f"empty-{turn['role']}-turn")
    return tuple(kept)


def alternates(row: Sequence[Turn]) -> bool:
    """Whether user and assistant take turns, beginning with the user, after at most one system turn."""
    roles = [turn["role"] for turn in row]
    if roles[0] == "system":
        roles = roles[1:]
    return all(role == ("user", "assistant")[place % 2] for place, role in enumerate(roles))


def text(row: Sequence[Turn]) -> str:
    """What a reader would read."""
    return "\n\n".join(turn["content"] for turn in row)


def _says_anything(turn: Mapping[str, Any]) -> bool:
    return any(value is not None for value in turn.values())


# Arrow gives every turn the keys of all turns, with null where there was none.
def _role(turn: Mapping[str, Any]) -> str:
    return str(turn.get("role") or turn.get("from") or "none").strip().lower()[:40]


def _content(turn: Mapping[str, Any]) -> str:
    content = turn.get("content")
    return text_of(turn.get("value") if content is None else content)
