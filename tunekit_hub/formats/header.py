"""Whether the first line of a table names its columns or is its first row.

The rule, in this order:

1. It is a header if a cell is a name that such columns usually have, and no value of its column.
2. It is a row if one of its cells is a number in a column of numbers; if it is longer than names are, or ends like
   a sentence; or if one of its cells is a value that its column repeats, as labels do.
3. It is a header if it has words over a column of numbers.
4. It is a header otherwise, and a note says so.

Naming a column by its place (`column_2`) asks for the reading without a header.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

USUAL = frozenset(
    (
        *("id", "idx", "index", "uid", "guid", "text", "texts", "sentence", "sentences", "sentence1", "sentence2"),
        *("content", "body", "message", "messages", "review", "comment", "title", "description", "abstract"),
        *("document", "utterance", "query", "tweet", "post", "snippet", "passage", "premise", "hypothesis"),
        *("label", "labels", "category", "categories", "class", "classes", "target", "sentiment", "intent"),
        *("topic", "topics", "tag", "tags", "rating", "score", "stars", "genre", "emotion", "language", "lang"),
        *("source", "author", "user", "username", "date", "time", "timestamp", "created_at", "split"),
        *("question", "answer", "prompt", "completion", "instruction", "input", "output", "response", "system"),
        *("context", "conversation", "conversations", "dialogue", "dialog", "chat", "tokens", "token", "words"),
        *("word", "ner_tags", "ner", "pos", "pos_tags", "entities", "spans", "start", "end", "begin", "offset"),
        *("annotations", "name", "type", "value", "url", "subject", "email", "summary", "v1", "v2", "is_spam"),
    )
)
_NUMBER = re.compile(r"\s*[-+]?(\d+([.,]\d+)*|\d*\.\d+)([eE][-+]?\d+)?\s*%?")
_LONGEST_NAME = 60
_MOST_WORDS = 6


class Verdict(NamedTuple):
    """Whether the first line is a header, why, and whether anything in the file speaks for it."""

    header: bool
    why: str
    sure: bool = True


def judge(first: Sequence[str], body: Sequence[Sequence[str]]) -> Verdict:
    """Whether these cells name the columns of the rows below them.

    Args:
        first: The cells of the first line.
        body: Some rows after it, with as many cells.
    """
    columns = list(zip(*body, strict=True)) if body else [()] * len(first)
    usual = any(_usual(cell) and cell not in column for cell, column in zip(first, columns, strict=True))
    if usual:
        return Verdict(True, "a usual name of a column is in it")
    for cell, column in zip(first, columns, strict=True):
        row = _as_row(cell, column)
        if row:
            return Verdict(False, row)
    if any(
        _all_numbers(column) and not _NUMBER.fullmatch(cell) for cell, column in zip(first, columns, strict=True)
    ):
        return Verdict(True, "it has words where the lines below it have numbers")
    return Verdict(True, "nothing in it looks like a row", sure=False)


def _as_row(cell: str, column: Sequence[str]) -> str:
    """What makes this cell one of a row; nothing where it may be a name."""
    text = cell.strip()
    if _NUMBER.fullmatch(text) and (not column or _all_numbers(column)):
        return "it has a number where a name would be"
    if len(text) > _LONGEST_NAME or len(text.split()) > _MOST_WORDS:
        return "it has a text where a name would be"
    if re.search(r"\w\s*[.!?…]+$|https?://", text) and " " in text:
        return "it has a sentence where a name would be"
    counts = Counter(column)
    # A label: repeated below, in a column that holds few different values.
    if text and counts[cell] and len(counts) <= max(2, len(column) // 2):
        return f"`{text}` is a value of its column: {counts[cell]:,} of the next {len(column):,} rows have it too"
    return ""


def _usual(cell: str) -> bool:
    return re.sub(r"[\s-]+", "_", cell.strip().lower()) in USUAL


def _all_numbers(column: Sequence[str]) -> bool:
    filled = [value for value in column if value.strip()]
    return bool(filled) and all(_NUMBER.fullmatch(value) for value in filled)
