"""Stage 6: tuned against baselines on rows none of them was trained on, and the reload gate."""

from __future__ import annotations

from pathlib import Path

from tunekit_hub import extras, loss_picture, quiet
from tunekit_hub.hub import Hub
from tunekit_hub.records import Evaluation, TrainResult
from tunekit_hub.scores import reload
from tunekit_hub.splits import split
from tunekit_hub.tasks import TASKS, Trial
from tunekit_hub.trainers import OnEvent
from tunekit_hub.wording import verdict


def evaluate(training: TrainResult, *, hub: Hub | None = None, on_event: OnEvent | None = None) -> Evaluation:
    """Score the tuned model and the task's baselines on the held-out rows; reload the files in a fresh process.

    Writes tables, pictures and sample answers in the run folder; `files` of the record names them.

    Raises:
        MissingExtra: torch is not installed.
        RunError: the data changed.
        ReloadMismatch: the saved files do not give the predictions measured here.
    """
    extras.require("train", "evaluation")
    tell = on_event or (lambda _: None)
    plan, run_dir, hub = training.plan, Path(training.run_dir), hub or Hub()
    task = TASKS[plan.task]
    base = hub.fetch(plan.selection.repo_id, plan.selection.revision)
    rows = split(plan.selection.recommendation.profile, plan.seed, hub=hub)
    with quiet.libraries():
        found = task.evaluate(Trial(plan, base, run_dir, rows, tell))
    tell({"event": "note", "message": "reload gate: the saved files in a fresh process"})
    gate = reload.gate(found.job, found.outputs)
    reload.keep(run_dir, found.job, found.outputs)
    return Evaluation(
        training=training,
        rows=found.rows,
        metric=found.metric,
        tuned=found.tuned,
        baselines=found.baselines,
        against=found.against,
        gain=found.gain,
        helped=(found.gain.low or 0) > 0,
        verdict=verdict(found, task.measures[found.metric]),
        labels=dict(found.labels),
        files=(*found.files, *(name for name in (loss_picture.NAME,) if (run_dir / name).is_file())),
        reload=gate,
    )
