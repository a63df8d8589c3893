"""Which task some columns are for, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tunekit_hub.errors import DataError, UsageError
from tunekit_hub.tasks import TASKS, Match, Task
from tunekit_hub.text import quote

if TYPE_CHECKING:
    from tunekit_hub.data import Rows

# Where several tasks could use the columns, the one that asks most of them is meant: words with a tag each are
# nothing but NER, a question beside an answer is most likely a chat, and a text beside a column of few values
# could be anything. A task that is not listed comes before classification.
_MOST_SPECIFIC_FIRST = ("ner", "instruction_tuning")
_LAST = ("classification",)


def candidates(name: str | None) -> list[Task]:
    """The named task, or all of them, the most specific first.

    Raises:
        UsageError: There is no such task.
    """
    if name is None:
        order = [*_MOST_SPECIFIC_FIRST, *(task for task in TASKS if task not in _LAST), *_LAST]
        return [TASKS[task] for task in dict.fromkeys(order) if task in TASKS]
    if name not in TASKS:
        raise UsageError(f"there is no task `{name}`", f"the tasks are {quote(TASKS)}")
    return [TASKS[name]]


def recognise(rows: Rows, tasks: Sequence[Task], columns: Mapping[str, str]) -> tuple[Task, Match]:
    """The first of these tasks that knows the columns; its reason says which others would have taken them.

    Args:
        rows: What was read.
        tasks: In the order of preference.
        columns: Role → column, as the user mapped them.

    Raises:
        DataError: A mapped column is not there, or the columns fit no task; the message says what is accepted.
    """
    names = rows.table.column_names
    missing = [column for column in columns.values() if column not in names]
    if missing:
        raise DataError(
            f"`{rows.ref.source}` has no column {quote(missing)}, which was mapped to a role",
            f"its columns are {quote(names)}",
        )
    found: list[tuple[Task, Match]] = []
    refusals: list[DataError] = []
    for task in tasks:
        try:
            match = task.detect(rows, columns)
        except DataError as error:  # the columns are nearly this task's; another may know them better
            refusals.append(error)
            continue
        if match is not None:
            found.append((task, match))
    if found:
        (task, match), *others = found
        return task, replace(match, why=_with_others(match.why, others))
    raise refusals[0] if refusals else _unknown(rows, tasks, columns)


def _with_others(why: str, others: Sequence[tuple[Task, Match]]) -> str:
    if not others:
        return why
    told = "; ".join(f"`{task.name}` could use them too ({match.why})" for task, match in others)
    return f"{why}; {told}, which asks less of the columns: `--task {others[0][0].name}` chooses it"


def _unknown(rows: Rows, tasks: Sequence[Task], columns: Mapping[str, str]) -> DataError:
    names = rows.table.column_names
    forms = "; ".join(f"accepted for `{task.name}`: {task.accepts}" for task in tasks)
    found = f"the columns {quote(names)}" if names else "no columns"
    mapped = f" and the mapped roles {quote(columns)}" if columns else ""
    return DataError(
        f"`{rows.ref.source}` has {found}{mapped}, which fit no task; {forms}",
        "say which column is which with `--column ROLE=NAME`: ROLE is an accepted name, NAME one of yours",
    )
