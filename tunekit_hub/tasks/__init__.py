"""The tasks: one file each, found by `TASKS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tunekit_hub._discover import discover
from tunekit_hub.records import Note

if TYPE_CHECKING:
    from tunekit_hub.data import Rows


@dataclass(frozen=True)
class Match:
    """How a task recognised the columns of some data."""

    shape: str  # the form the rows have, e.g. "messages" or "question/answer"
    columns: Mapping[str, str]  # role → column
    why: str


@dataclass(frozen=True)
class Examples:
    """Well-formed rows in the task's own form, and what was wrong with the others."""

    rows: Sequence[Any]
    lines: Sequence[int]  # the line (or row number, from 1) each row came from
    notes: Sequence[Note]


@dataclass(frozen=True)
class Task:
    """What the stages ask of a task.

    `detect` answers None when the columns are not its own; with mapped columns (role → column) it uses
    those. `parse` never drops a row without a note. `text` gives what a reader would read of one row, for
    lengths, languages and duplicates.
    """

    name: str
    pipeline_tag: str
    trainer: str
    accepts: str  # the forms it reads, in one sentence, for error messages
    detect: Callable[[Rows, Mapping[str, str]], Match | None]
    parse: Callable[[Rows, Match], Examples]
    text: Callable[[Any], str]
    count_tokens: Callable[[Any], int]  # an estimate, before a tokenizer is chosen
    counts: Callable[[Sequence[Any]], dict[str, int]]


TASKS: dict[str, Task] = discover(__name__, Task)
