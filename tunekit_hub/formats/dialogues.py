"""A text file of dialogues: `User: …` and `Assistant: …` at the beginnings of lines.

Lines such as `---` part the dialogues if there are any. Else blank lines do, where none stands between a question
and its answer; else a dialogue begins at each `System:`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from tunekit_hub.formats.decoding import TextFile
from tunekit_hub.formats.raw import Parsed, join_lines

_ASKS = re.compile(r"\s*(?:\*\*|<)?(system|user|human|customer|client|visitor)(?:\*\*)?\s*[:>]", re.I)
_ANSWERS = re.compile(r"\s*(?:\*\*|<)?(assistant|ai|bot|chatbot|gpt|chatgpt|agent)(?:\*\*)?\s*[:>]", re.I)
_SYSTEM = re.compile(r"\s*(?:\*\*|<)?system(?:\*\*)?\s*[:>]", re.I)
_RULE = re.compile(r"\s*([-=*_#]{3,}|<\|endoftext\|>)\s*")


def are_dialogues(text: TextFile) -> bool:
    """Whether the first line that is not blank is somebody's who asks, and a later one answers."""
    filled = (line for line in text.lines() if line.strip() and not _RULE.fullmatch(line))
    return bool(_ASKS.match(next(filled, ""))) and any(_ANSWERS.match(line) for line in filled)


def read_dialogues(text: TextFile) -> Parsed:
    """A row for each dialogue, in the column `dialogue`; its line is that of its first turn."""
    lines = list(text.lines())
    begins = _beginnings(lines)
    rows: list[tuple[int, list[str]]] = []
    for place, line in enumerate(lines):
        if _RULE.fullmatch(line):
            continue
        if begins(place) or not rows:
            rows.append((place + 1, []))
        rows[-1][1].append(line)
    filled = [(number, "".join(parts).strip()) for number, parts in rows]
    filled = [(number, dialogue) for number, dialogue in filled if dialogue]
    table = pa.table({"dialogue": pa.array([dialogue for _, dialogue in filled], pa.string())})
    return Parsed(table, join_lines([np.array([number for number, _ in filled], np.int64)]), text.notes)


def _beginnings(lines: Sequence[str]) -> Callable[[int], bool]:
    """Whether a dialogue begins at this place."""
    if any(_RULE.fullmatch(line) for line in lines):
        return lambda place: _after(lines, place, lambda line: bool(_RULE.fullmatch(line)))
    answered_late = any(_ANSWERS.match(line) and _blank_before(lines, place) for place, line in enumerate(lines))
    if answered_late:
        return lambda place: bool(_SYSTEM.match(lines[place]))
    return lambda place: bool(_ASKS.match(lines[place])) and _blank_before(lines, place)


def _blank_before(lines: Sequence[str], place: int) -> bool:
    return place > 0 and not lines[place - 1].strip()


def _after(lines: Sequence[str], place: int, parts: Callable[[str], bool]) -> bool:
    """Whether this is the first filled line after one that parts dialogues."""
    if not lines[place].strip():
        return False
    while place > 0:
        place -= 1
        if lines[place].strip():
            return parts(lines[place])
    return False
