"""Training and evaluating a tiny encoder without the stages around it."""

from __future__ import annotations

from tunekit_hub import quiet
from tunekit_hub.splits import Split
from tunekit_hub.tasks import TASKS, Trial
from tunekit_hub.trainers.encoder import ENCODER


def prepare(plan, base, train, validation=()):
    return ENCODER.prepare(plan, base, Split(list(train), [], list(validation)))


def train(plan, base, rows, validation, run_dir, tell=lambda _: None, **running):
    """What was prepared, and what was fitted; the weights are in `run_dir/model`."""
    run_dir.mkdir(parents=True, exist_ok=True)
    with quiet.libraries():
        done, _, _ = prepare(plan, base, rows, validation)
        return done, ENCODER.fit(plan, base, done, run_dir, tell, **running)


def evaluate(plan, base, rows, held_out, run_dir, tell=lambda _: None):
    with quiet.libraries():
        return TASKS[plan.task].evaluate(Trial(plan, base, run_dir, Split(list(rows), list(held_out), []), tell))
