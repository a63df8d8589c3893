"""Stage 1: what does the data hold, and which task is it for?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tunekit_hub import data
from tunekit_hub.errors import DataError, UsageError
from tunekit_hub.profiles.columns import describe
from tunekit_hub.profiles.domains import detect_domain
from tunekit_hub.profiles.duplicates import find as find_duplicates
from tunekit_hub.profiles.languages import detect_languages
from tunekit_hub.profiles.notes import note
from tunekit_hub.profiles.recognition import candidates, recognise
from tunekit_hub.profiles.sensitive import NAMES, find_sensitive
from tunekit_hub.records import Lengths, Note, Profile
from tunekit_hub.text import count_rows, quote

if TYPE_CHECKING:
    from tunekit_hub.hub import Hub
    from tunekit_hub.tasks import Examined, Match, Task

_JUDGED_ROWS = 2000  # for languages and domain: an even sample keeps large files fast
_NAMED_LABELS = 5


def profile(
    source: str | Path,
    *,
    task: str | None = None,
    columns: Mapping[str, str] | None = None,
    max_rows: int | None = None,
    test_file: str | None = None,
    hub: Hub | None = None,
) -> Profile:
    """Read rows and count what decides about a model and its training.

    Args:
        source: A file, a folder, or the id of a Hub dataset.
        task: A name in `TASKS`; without it, each task is asked whether the columns are its own.
        columns: Role → column, where the columns have names of their own.
        max_rows: The most rows that later stages will use. The profile counts all of them.
        test_file: Rows to evaluate on, with the same columns.
        hub: Where a dataset is asked for.

    Raises:
        DataError: A file cannot be read, or its columns fit no task.
        UsageError: There is no such task, or `max_rows` is not positive.
    """
    if max_rows is not None and max_rows < 1:
        raise UsageError(f"`max_rows` is {max_rows}; it must be at least 1", "leave it out to use all rows")
    tasks, mapped = candidates(task), dict(columns or {})
    sources = data.open_source(source, test_file=test_file, hub=hub, columns=tuple(mapped.values()))
    found, match = recognise(sources.train, tasks, mapped)
    train = found.examine(sources.train, match)
    test = _examine_test(found, match, sources.test) if sources.test else None
    judged = _judged(train.texts)
    domain = detect_domain(judged)
    return Profile(
        data=sources.train.ref,
        test=sources.test.ref if sources.test else None,
        task=found.name,
        why=match.why,
        shape=match.shape,
        columns=dict(match.columns),
        details=dict(match.details),
        found=describe(sources.train.table, match.columns),
        max_rows=max_rows,
        num_rows=len(train.lines),
        test_rows=len(test.lines) if test else 0,
        languages=detect_languages(judged),
        tokens=_lengths(train.tokens),
        domain=domain.domain,
        domain_words=domain.words,
        labels=dict(train.labels),
        counts=dict(train.counts),
        notes=(
            *sources.train.notes,
            *train.notes,
            *_of_test(sources.test, test, train),
            *find_duplicates(train, test),
            *_sensitive(train),
        ),
    )


def _examine_test(task: Task, match: Match, rows: data.Rows) -> Examined:
    missing = [column for column in match.columns.values() if column not in rows.table.column_names]
    if missing:
        raise DataError(
            f"the test file `{rows.ref.source}` has no column {quote(missing)}, which the data has",
            f"its columns are {quote(rows.table.column_names)}; give it those of the data",
        )
    return task.examine(rows, match)


def _judged(texts: pa.ChunkedArray) -> list[str]:
    """The texts that languages and domain are judged by."""
    return texts.take(pa.array(data.sample(len(texts), _JUDGED_ROWS), pa.int64())).to_pylist()


def _lengths(tokens: np.ndarray) -> Lengths:
    ordered = np.sort(tokens)
    p50, p95 = (int(ordered[round(share * (len(ordered) - 1))]) for share in (0.5, 0.95))
    return Lengths(p50=p50, p95=p95, max=int(ordered[-1]), total=int(ordered.sum()))


def _of_test(rows: data.Rows | None, test: Examined | None, train: Examined) -> list[Note]:
    """What there is to say about the test file by itself, and labels that only it has."""
    if rows is None or test is None:
        return []
    said = (*rows.notes, *(one for one in test.notes if one.code != "rare-labels"))  # enough to test with
    found = [one.but(code=f"test-{one.code}", message=f"test file: {one.message}") for one in said]
    new = [label for label in test.labels if label not in train.labels]
    if new:
        more = f" and {len(new) - _NAMED_LABELS:,} more" if len(new) > _NAMED_LABELS else ""
        message = f"in the test file with labels that the data does not have: {quote(new[:_NAMED_LABELS])}{more}"
        count = sum(test.labels[label] for label in new)
        found.append(Note(code="unseen-labels", message=message, count=count))
    return found


def _sensitive(train: Examined) -> list[Note]:
    return [
        note(
            code,
            f"{count_rows(len(where))} with what looks like {NAMES[code]}; a tuned model can repeat it",
            where,
        )
        for code, where in find_sensitive(train.texts, train.lines).items()
    ]
