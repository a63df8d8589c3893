"""The conversations in some rows, counted or as they are trained on; both from the same reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from tunekit_hub.profiles import text_columns
from tunekit_hub.tasks import Examined, Examples, Match, _chat
from tunekit_hub.tasks._chat import TEMPLATE_TOKENS, Turn, Unusable
from tunekit_hub.tasks._forms import form_of
from tunekit_hub.tasks._notes import Notes

if TYPE_CHECKING:
    from tunekit_hub.data import Rows

_BATCH = 4096  # rows that are Python objects at once
Conversation = tuple[Turn, ...]


def parse(rows: Rows, match: Match) -> Examples:
    """What is trained on.

    Raises:
        DataError: no row can be.
    """
    notes = Notes()
    kept: list[Conversation] = []
    lines: list[int] = []
    for found, where in _batches(rows, match, notes):
        kept += found
        lines += where
    if not kept:
        raise notes.nothing_left(rows.ref.source, len(rows.lines))
    return Examples(kept, lines, notes.all())


def examine(rows: Rows, match: Match) -> Examined:
    """What the profile counts, with few conversations in memory at a time.

    Raises:
        DataError: no row can be trained on.
    """
    notes = Notes()
    texts, tokens, lines = [], [], []
    counted: Counter[str] = Counter()
    for found, where in _batches(rows, match, notes):
        texts.append(pa.array([_chat.text(one) for one in found], pa.large_string()))
        tokens.append(_tokens(found))
        lines.append(np.array(where, np.int64))
        for one in found:
            _count(counted, one)
    if not counted:
        raise notes.nothing_left(rows.ref.source, len(rows.lines))
    return Examined(
        texts=pa.chunked_array(texts, pa.large_string()),
        lines=np.concatenate(lines),
        tokens=np.concatenate(tokens),
        notes=notes.all(),
        counts={name: counted[name] for name in _COUNTED},
    )


def _batches(rows: Rows, match: Match, notes: Notes) -> Iterator[tuple[list[Conversation], list[int]]]:
    """The conversations of some rows at a time, and the line of each."""
    form = form_of(match)
    lines = iter(np.asarray(rows.lines, np.int64).tolist())
    for batch in _values(rows, match.columns):
        found: list[Conversation] = []
        where: list[int] = []
        for row in batch:
            line = next(lines)
            try:
                turns = form.turns(row)
                conversation = _chat.check(turns)
            except Unusable as unusable:
                notes.unusable(unusable, line)
                continue
            notes.used(turns, conversation, line)
            found.append(conversation)
            where.append(line)
        yield found, where


def _values(rows: Rows, columns: Mapping[str, str]) -> Iterator[list[dict[str, Any]]]:
    """Rows as role → value, a batch at a time."""
    table = rows.table.select(list(columns.values())).rename_columns(list(columns))
    for batch in table.to_batches(max_chunksize=_BATCH):
        yield batch.to_pylist()


def _tokens(found: list[Conversation]) -> np.ndarray:
    """An estimate for each, with what a chat template adds to each turn."""
    turns = pa.array([turn["content"] for one in found for turn in one], pa.large_string())
    starts = np.concatenate([[0], np.cumsum([len(one) for one in found], dtype=np.int64)])
    return text_columns.sums(text_columns.estimate_tokens(turns) + TEMPLATE_TOKENS, starts)


_COUNTED = ("conversations", "single_turn", "multi_turn", "with_system", "user_turns", "assistant_turns")


def _count(counted: Counter[str], one: Conversation) -> None:
    """Of which kind this conversation is, and how many turns it has."""
    roles = Counter(turn["role"] for turn in one)
    counted["conversations"] += 1
    counted["multi_turn" if roles["assistant"] > 1 else "single_turn"] += 1
    counted["with_system"] += roles["system"] > 0
    counted["user_turns"] += roles["user"]
    counted["assistant_turns"] += roles["assistant"]
