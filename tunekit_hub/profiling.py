"""Stage 1: what does the data hold, and which task is it for?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tunekit_hub import data
from tunekit_hub.domains import detect_domain
from tunekit_hub.errors import DataError, UsageError
from tunekit_hub.languages import detect_languages
from tunekit_hub.notes import note
from tunekit_hub.records import Lengths, Note, Profile
from tunekit_hub.sensitive import NAMES, find_sensitive
from tunekit_hub.tasks import TASKS, Match, Task
from tunekit_hub.text import count_rows, fold, quote

_JUDGED_ROWS = 2000  # for languages and domain: an even sample keeps large files fast


def profile(
    source: str | Path,
    *,
    task: str | None = None,
    columns: Mapping[str, str] | None = None,
    max_rows: int | None = None,
) -> Profile:
    """Read a file of rows and count what decides about a model and its training.

    Args:
        source: A CSV, TSV, JSON, JSONL or Parquet file.
        task: A name in `TASKS`; without it, each task is asked whether the columns are its own.
        columns: Role → column, where the columns have names of their own.
        max_rows: The most rows that later stages will use. The profile counts all of them.

    Raises:
        DataError: The file cannot be read, or its columns fit no task.
        UsageError: There is no such task, or `max_rows` is not positive.
    """
    if max_rows is not None and max_rows < 1:
        raise UsageError(f"`max_rows` is {max_rows}; it must be at least 1", "leave it out to use all rows")
    candidates = _candidates(task)
    rows = data.read(source)
    found, match = _recognise(rows, candidates, dict(columns or {}))
    examples = found.parse(rows, match)
    texts = [found.text(row) for row in examples.rows]
    judged = [texts[i] for i in data.sample(len(texts), _JUDGED_ROWS)]
    return Profile(
        data=rows.ref,
        task=found.name,
        why=match.why,
        shape=match.shape,
        columns=dict(match.columns),
        max_rows=max_rows,
        num_rows=len(examples.rows),
        languages=detect_languages(judged),
        tokens=_lengths([found.count_tokens(row) for row in examples.rows]),
        domain=detect_domain(judged),
        counts=found.counts(examples.rows),
        notes=(*examples.notes, *_duplicates(texts, examples.lines), *_sensitive(texts, examples.lines)),
    )


def _candidates(name: str | None) -> list[Task]:
    if name is None:
        return list(TASKS.values())
    if name not in TASKS:
        raise UsageError(f"there is no task `{name}`", f"the tasks are {quote(TASKS)}")
    return [TASKS[name]]


def _recognise(rows: data.Rows, candidates: Sequence[Task], columns: dict[str, str]) -> tuple[Task, Match]:
    """The first task that knows the columns."""
    names = rows.table.column_names
    missing = [column for column in columns.values() if column not in names]
    if missing:
        raise DataError(
            f"`{rows.ref.source}` has no column {quote(missing)}, which was mapped to a role",
            f"its columns are {quote(names)}",
        )
    for task in candidates:
        match = task.detect(rows, columns)
        if match is not None:
            return task, match
    forms = "; ".join(f"accepted for `{task.name}`: {task.accepts}" for task in candidates)
    found = f"the columns {quote(names)}" if names else "no columns"
    mapped = f" and the mapped roles {quote(columns)}" if columns else ""
    raise DataError(
        f"`{rows.ref.source}` has {found}{mapped}, which fit no task; {forms}",
        "say which column is which with `--column ROLE=NAME`: ROLE is an accepted name, NAME one of yours",
    )


def _lengths(tokens: list[int]) -> Lengths:
    ordered = sorted(tokens)
    p50, p95 = (ordered[round(share * (len(ordered) - 1))] for share in (0.5, 0.95))
    return Lengths(p50=p50, p95=p95, max=ordered[-1], total=sum(ordered))


def _duplicates(texts: Sequence[str], lines: Sequence[int]) -> list[Note]:
    seen: set[str] = set()
    again = []
    for text, line in zip(texts, lines, strict=True):
        key = fold(text)
        if key in seen:
            again.append(line)
        seen.add(key)
    message = f"{count_rows(len(again))} equal to an earlier one; equal rows stay on one side of the split"
    return [note("duplicates", message, again)] if again else []


def _sensitive(texts: Sequence[str], lines: Sequence[int]) -> list[Note]:
    return [
        note(
            code,
            f"{count_rows(len(where))} with what looks like {NAMES[code]}; a tuned model can repeat it",
            where,
        )
        for code, where in find_sensitive(texts, lines).items()
    ]
