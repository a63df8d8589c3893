"""The one split of a plan's rows: the same for planning, training and evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tunekit_hub import data, estimates
from tunekit_hub.errors import DataError
from tunekit_hub.examples import load_examples
from tunekit_hub.records import Profile
from tunekit_hub.tasks import TASKS
from tunekit_hub.text import fold


@dataclass(frozen=True)
class Split:
    """Rows to train on and rows held out; rows with equal text are on one side."""

    train: list[Any]
    held_out: list[Any]


def split(profile: Profile, seed: int) -> Split:
    """The rows of `profile`, split by `seed`.

    Raises:
        RunError: the file is not the one that was profiled.
        DataError: fewer than two different rows.
    """
    rows = load_examples(profile).rows
    keys = [fold(TASKS[profile.task].text(row)) for row in rows]
    if len(set(keys)) < 2:
        if profile.used_rows < profile.num_rows:
            raise DataError(
                f"{profile.used_rows} of {profile.num_rows} rows are used, and two is the least",
                "raise `--max-rows`",
            )
        raise DataError(
            f"`{profile.data.source}` has {len(set(keys))} different row{'s' if len(set(keys)) != 1 else ''}; "
            "one part is trained on and another held out, so two is the least",
            "add rows; a few hundred is where fine-tuning begins to be worth its while",
        )
    train, held_out = data.split(keys, estimates.held_out(len(rows)) / len(rows), seed)
    return Split([rows[i] for i in train], [rows[i] for i in held_out])
