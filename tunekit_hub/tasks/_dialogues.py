"""Plain dialogues: one text in which markers say whose turn it is → turns.

Two ways of marking are known: a name and a colon at the beginning of a line (`User: …`, `Assistant: …`), and a
heading (`### Instruction:`, `### Response:`), which may stand anywhere. A text is a dialogue if it has a turn of
the user's before one of the assistant's, and begins with a marker; before a heading a preamble may stand, which is
the system prompt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from tunekit_hub.text import quote

_NAMES = {
    "system": "system",
    **dict.fromkeys(("user", "human", "customer", "client", "visitor"), "user"),
    **dict.fromkeys(("assistant", "ai", "bot", "chatbot", "gpt", "chatgpt", "agent"), "assistant"),
}
_HEADINGS = _NAMES | {
    **dict.fromkeys(("instruction", "input", "question", "prompt"), "user"),
    **dict.fromkeys(("response", "output", "answer"), "assistant"),
}
_AT_LINE = re.compile(
    rf"^[ \t]*(?:\*\*|<)?({'|'.join(_NAMES)})(?:\*\*)?[ \t]*(?::|>:?)(?:\*\*)?[ \t]*", re.I | re.M
)
_HEADING = re.compile(rf"#{{2,4}}[ \t]*({'|'.join(_HEADINGS)})[ \t]*:?[ \t]*(?=\S|\n|$)", re.I)
_LOOKED_AT = 200  # values of a column
_MOST = 0.8  # of them must be dialogues


def split(text: str) -> list[dict[str, str]] | None:
    """The turns of a dialogue; None if the text is none."""
    for pattern, roles in ((_HEADING, _HEADINGS), (_AT_LINE, _NAMES)):
        marks = list(pattern.finditer(text))
        found = [roles[mark[1].lower()] for mark in marks]
        if "user" not in found or "assistant" not in found[found.index("user") :]:
            continue
        preamble = text[: marks[0].start()].strip()
        if preamble and pattern is _AT_LINE:
            continue
        ends = [*(mark.start() for mark in marks[1:]), len(text)]
        turns = [{"role": "system", "content": preamble}] if preamble else []
        for mark, role, end in zip(marks, found, ends, strict=True):
            content = text[mark.end() : end].strip()
            if mark[1].lower() == "input" and turns and turns[-1]["role"] == "user":  # Alpaca's second half
                turns[-1]["content"] = "\n\n".join(filter(None, (turns[-1]["content"], content)))
            else:
                turns.append({"role": role, "content": content})
        return turns
    return None


def find(table: pa.Table, names: Sequence[str]) -> tuple[str, str] | None:
    """The first of these columns that holds dialogues, and how they are marked; None if none does."""
    for name in names:
        kind = table.schema.field(name).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            continue
        step = max(1, table.num_rows // _LOOKED_AT)
        values = table.column(name).take(pa.array(range(0, table.num_rows, step))).to_pylist()
        filled = [value for value in values if value and value.strip()]
        if filled and sum(split(value) is not None for value in filled) >= _MOST * len(filled):
            return name, _marks(next(value for value in filled if split(value)))
    return None


def _marks(text: str) -> str:
    """The markers of a dialogue, as they are written, each once."""
    pattern = _HEADING if _HEADING.search(text) else _AT_LINE
    return quote(list(dict.fromkeys(mark[0].strip() for mark in pattern.finditer(text)))[:4])
