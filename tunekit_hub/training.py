"""Stage 5: train what the plan says, in the run folder."""

from __future__ import annotations

import gc
import shutil
from importlib.metadata import version
from pathlib import Path

from tunekit_hub import extras, launch, loss_picture, quiet, render
from tunekit_hub.facts import Running
from tunekit_hub.hardware import named as named_hardware
from tunekit_hub.hardware import peak
from tunekit_hub.hub import Hub
from tunekit_hub.records import Plan, TrainResult
from tunekit_hub.splits import split
from tunekit_hub.trainers import TRAINERS, OnEvent
from tunekit_hub.trainers import _checkpoints as checkpoints
from tunekit_hub.version import __version__

PAGE = 100  # columns of the page in `supervision.txt`
LIBRARIES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "huggingface_hub")


def train(
    plan: Plan,
    run_dir: str | Path,
    *,
    hub: Hub | None = None,
    on_event: OnEvent | None = None,
    running: Running = Running(),  # noqa: B008 - frozen
) -> TrainResult:
    """Fetch the pinned base model, prove what carries loss, train, and leave the weights in `run_dir/model`.

    A training that was stopped in `run_dir` goes on from its newest checkpoint. Ctrl-C and SIGTERM write one more
    after the step that is at work; what a signal does otherwise comes after that.

    Args:
        plan: what to train; its data must be unchanged since it was profiled.
        run_dir: folder of the run; made if needed.
        hub: where the base model comes from.
        on_event: called with a dict at every logged step.
        running: checkpoints, processes and reports.

    Raises:
        MissingExtra: torch or trl is not installed, or what `running.report_to` names.
        RunError: the data changed.
        SupervisionError: the rows would not train what they should; nothing was trained.
        TrainingFailed: nothing is learned, the memory is too small for one row, or a process died.
        StorageError: the disk is full, or `run_dir` cannot be written; the last checkpoint is kept.
    """
    named_hardware.require_trainable(plan)
    extras.require("train", "training")
    extras.require_reporter(running.report_to)
    run_dir = Path(run_dir)
    tell = on_event or (lambda _: None)
    tell({"event": "note", "message": f"fetching {plan.selection.repo_id} at {plan.selection.revision[:8]}"})
    hub = hub or Hub()
    base = hub.fetch(plan.selection.repo_id, plan.selection.revision)
    if launch.alone(running):
        done = here(plan, base, run_dir, hub, tell, running)
    else:
        split(plan.selection.recommendation.profile, plan.seed, hub=hub)  # the processes find the data fetched
        done = launch.together(plan, base, run_dir, tell, running, getattr(hub, "endpoint", None))
    if done.stopped_early.startswith("the time limit"):
        longer = "to train longer, start a new run with a larger `--max-time`"
        tell({"event": "note", "message": f"{done.stopped_early}; {longer}"})
    loss_picture.draw(done, run_dir / loss_picture.NAME)
    return done


def forget_checkpoints(run_dir: Path) -> None:
    """Remove what a training that is done and recorded has no more use for."""
    for name in (checkpoints.FOLDER, launch.FOLDER):
        shutil.rmtree(run_dir / name, ignore_errors=True)


def here(plan: Plan, base: Path, run_dir: Path, hub: Hub, tell: OnEvent, running: Running) -> TrainResult:
    """Train in this process, alone or as one of several."""
    peak.restart()  # what came before is not what the plan predicts
    trainer = TRAINERS[plan.trainer]
    rows = split(plan.selection.recommendation.profile, plan.seed, hub=hub)
    with quiet.libraries():
        prepared, supervision, proof = trainer.prepare(plan, base, rows, running.max_dropped)
        run_dir.mkdir(parents=True, exist_ok=True)
        page = render.text(supervision, width=PAGE)
        (run_dir / "supervision.txt").write_text(f"{proof.rstrip()}\n\n{page}", encoding="utf-8")
        tell({"event": "supervision", "record": supervision, "proof": proof})
        fitted = trainer.fit(plan, base, prepared, run_dir, tell, running)
    gc.collect()  # the trainer holds cycles; evaluation loads its own model from the files
    return TrainResult(
        plan=plan,
        run_dir=str(run_dir),
        supervision=supervision,
        steps=fitted.steps,
        epochs=fitted.epochs,
        stopped_early=fitted.stopped_early,
        seconds=fitted.seconds,
        tokens_per_second=fitted.tokens / max(fitted.seconds, 1e-9),
        peak_memory=fitted.peak_memory,
        losses=fitted.losses,
        validation=fitted.validation,
        kept_step=fitted.kept_step,
        processes=fitted.processes,
        adjustments=fitted.adjustments,
        versions={"tunekit_hub": __version__} | {name: version(name) for name in LIBRARIES},
    )


if __name__ == "__main__":  # one of the processes that `launch.together` starts
    launch.one_of_several(here)
