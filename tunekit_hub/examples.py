"""The rows behind a profile, read again."""

from __future__ import annotations

from tunekit_hub.data import read, sample
from tunekit_hub.errors import RunError
from tunekit_hub.records import Profile
from tunekit_hub.tasks import TASKS, Examples, Match


def load_examples(profile: Profile) -> Examples:
    """The rows that the profile counted, after `max_rows`, in the task's own form.

    Raises:
        RunError: The file is no longer the one that was profiled.
    """
    rows = read(profile.data.source)
    if rows.ref.sha256 != profile.data.sha256:
        raise RunError(
            f"`{profile.data.source}` has changed since it was profiled, so the profile and the plan made "
            "from it are no longer true",
            "bring the file back as it was, or start a new run with the changed file",
        )
    match = Match(profile.shape, profile.columns, profile.why)
    examples = TASKS[profile.task].parse(rows, match)
    chosen = sample(len(examples.rows), profile.max_rows)
    return Examples([examples.rows[i] for i in chosen], [examples.lines[i] for i in chosen], tuple(examples.notes))
