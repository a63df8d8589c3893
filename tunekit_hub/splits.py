"""The one split of a plan's rows: the same for planning, training and evaluation."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tunekit_hub import estimates
from tunekit_hub.errors import DataError
from tunekit_hub.examples import load_examples
from tunekit_hub.hub import Hub
from tunekit_hub.records import Profile
from tunekit_hub.settings import step
from tunekit_hub.tasks import TASKS
from tunekit_hub.text import fold
from tunekit_hub.trainers import TRAINERS

# Rows that choose the checkpoint, which are not learned from: a tenth of few rows, 200, a twentieth, 500.
_VALIDATION = ((2000, 0.1), (4000, 200), (10_000, 0.05), (float("inf"), 500))


@dataclass(frozen=True)
class Split:
    """Rows to train on, rows that choose the checkpoint, rows held out; rows with equal text are on one side."""

    train: list[Any]
    held_out: list[Any]
    validation: list[Any] = field(default_factory=list)


def split(profile: Profile, seed: int, *, hub: Hub | None = None) -> Split:
    """The rows of `profile`, split by `seed`; the held-out ones are those of its test file if it has one.

    Rows whose text also stands in the test file are not trained on. Rows to validate on are taken where the task's
    trainer chooses its checkpoint by them.

    Args:
        profile: what was counted; its files must be unchanged.
        seed: the same seed gives the same split.
        hub: where the rows come from, if from a Hub dataset.

    Raises:
        RunError: a file is not the one that was profiled.
        DataError: too few different rows.
    """
    task = TASKS[profile.task]
    trainer = TRAINERS[task.trainer]
    loaded = load_examples(profile, hub=hub)
    rows = list(loaded.train.rows)
    keys = [fold(task.text(row)) for row in rows]
    if loaded.test is None:
        _enough(profile, keys)
        share = estimates.held_out(len(rows), trainer.kind) / len(rows)
        kept, away = divide(keys, share, seed, [task.stratum(row) for row in rows])
        held_out = [rows[i] for i in away]
    else:
        held_out = list(loaded.test.rows)
        tested = {fold(task.text(row)) for row in held_out}
        kept = [i for i, key in enumerate(keys) if key not in tested]
        random.Random(seed).shuffle(kept)
        if not kept:
            raise DataError(
                f"every row of `{profile.data.source}` also stands in the test file, so none is left to train on",
                "give a test file of other rows, or none, and some rows are held out",
            )
    train, validation = [rows[i] for i in kept], []
    if trainer.recipe.patience is not None:
        wanted = step(_VALIDATION, len(kept))
        share = wanted if wanted < 1 else wanted / len(kept)
        inner, outer = divide([keys[i] for i in kept], share, seed, [task.stratum(row) for row in train])
        train, validation = [train[i] for i in inner], [train[i] for i in outer]
    return Split(train, held_out, validation)


def divide(
    keys: Sequence[str], share: float, seed: int, strata: Sequence[str] | None = None
) -> tuple[list[int], list[int]]:
    """Indices to keep and indices to put aside, each shuffled by `seed`.

    Rows of equal keys stay on one side, so a repeated row is never both trained on and held out. Within each
    stratum about `share` of the rows go aside; a stratum of one group stays. Both sides get a row if there are two
    different keys; with fewer, nothing goes aside.

    Args:
        keys: one per row; equal ones belong together.
        share: of the rows, to put aside.
        seed: fixes the choice.
        strata: one per row; a group belongs to that of its first row. None: all are one.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for index, key in enumerate(keys):
        groups[key].append(index)
    by_stratum: dict[str, list[list[int]]] = defaultdict(list)
    for group in groups.values():
        by_stratum[strata[group[0]] if strata else ""].append(group)
    chance = random.Random(seed)
    aside: set[int] = set()
    owed = 0.0  # what rounding left over goes to the next stratum, so that small ones get their turn
    for name in sorted(by_stratum):
        members = by_stratum[name]
        chance.shuffle(members)
        owed += share * sum(map(len, members))
        for group in members[1:]:  # the first group always stays
            if len(group) <= owed + 0.5:
                aside.update(group)
                owed -= len(group)
    if not aside and len(groups) > 1:
        aside.update(min(groups.values(), key=len))
    order = list(range(len(keys)))
    chance.shuffle(order)
    return [i for i in order if i not in aside], [i for i in order if i in aside]


def _enough(profile: Profile, keys: Sequence[str]) -> None:
    different = len(set(keys))
    if different >= 2:
        return
    if profile.used_rows < profile.num_rows:
        raise DataError(
            f"{profile.used_rows} of {profile.num_rows} rows are used, and two is the least", "raise `--max-rows`"
        )
    raise DataError(
        f"`{profile.data.source}` has {different} different row{'s' if different != 1 else ''}; "
        "one part is trained on and another held out, so two is the least",
        "add rows; a few hundred is where fine-tuning begins to be worth its while",
    )
