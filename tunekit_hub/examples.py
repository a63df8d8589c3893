"""The rows behind a profile, read again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunekit_hub.data import Rows, open_source, sample
from tunekit_hub.errors import RunError
from tunekit_hub.records import DataRef, Profile
from tunekit_hub.tasks import TASKS, Examples, Match

if TYPE_CHECKING:
    from tunekit_hub.hub import Hub


@dataclass(frozen=True)
class Loaded:
    """What is trained on, after `max_rows`; and the rows of the test file, if the profile has one."""

    train: Examples
    test: Examples | None = None


def load_examples(profile: Profile, hub: Hub | None = None) -> Loaded:
    """The rows that the profile counted, in the task's own form.

    Args:
        profile: What was counted; its files must be unchanged.
        hub: Where the rows come from, if from a Hub dataset; left out, the Hub of the environment.

    Raises:
        RunError: A file is no longer the one that was profiled.
    """
    # Rows to test on that have the source of the others came with them, from a folder or a dataset.
    given = profile.test is not None and profile.test.source != profile.data.source
    sources = open_source(
        profile.data.source,
        test_file=profile.test.source if profile.test and given else None,
        hub=hub,
        revision=profile.data.revision,
        columns=tuple(profile.columns.values()),
    )
    _check_same(sources.train.ref, profile.data)
    parse = TASKS[profile.task].parse
    match = Match(profile.shape, profile.columns, profile.why, profile.details)
    train = parse(sources.train, match)
    chosen = sample(len(train.rows), profile.max_rows)
    used = Examples([train.rows[i] for i in chosen], [train.lines[i] for i in chosen], tuple(train.notes))
    return Loaded(used, _test(sources.test, profile, match))


def _test(rows: Rows | None, profile: Profile, match: Match) -> Examples | None:
    if profile.test is None:
        return None
    _check_same(rows.ref if rows else None, profile.test)
    return TASKS[profile.task].parse(rows, match) if rows else None


def _check_same(found: DataRef | None, profiled: DataRef) -> None:
    if found is None or found.sha256 != profiled.sha256:
        raise RunError(
            f"`{profiled.source}` has changed since it was profiled, so the profile and the plan made "
            "from it are no longer true",
            "bring the file back as it was, or start a new run with the changed file",
        )
