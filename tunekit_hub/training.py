"""Stage 5: train what the plan says, in the run folder."""

from __future__ import annotations

import gc
from importlib.metadata import version
from pathlib import Path

from tunekit_hub import extras, quiet
from tunekit_hub.hub import Hub
from tunekit_hub.records import Plan, TrainResult
from tunekit_hub.splits import split
from tunekit_hub.trainers import TRAINERS, OnEvent

LIBRARIES = ("torch", "transformers", "trl", "peft", "datasets", "accelerate", "huggingface_hub")


def train(
    plan: Plan, run_dir: str | Path, *, hub: Hub | None = None, on_event: OnEvent | None = None
) -> TrainResult:
    """Fetch the pinned base model, prove what carries loss, train, and leave the weights in `run_dir/model`.

    Args:
        plan: what to train; its data must be unchanged since it was profiled.
        run_dir: folder of the run; made if needed.
        hub: where the base model comes from.
        on_event: called with a dict at every logged step.

    Raises:
        MissingExtra: torch or trl is not installed.
        RunError: the data changed.
        SupervisionError: the rows would not train what they should; nothing was trained.
        TrainingFailed: the loss is not a number.
    """
    extras.require("train", "training")
    run_dir = Path(run_dir)
    tell = on_event or (lambda _: None)
    trainer = TRAINERS[plan.trainer]
    tell({"event": "note", "message": f"fetching {plan.selection.repo_id} at {plan.selection.revision[:8]}"})
    base = (hub or Hub()).fetch(plan.selection.repo_id, plan.selection.revision)
    rows = split(plan.selection.recommendation.profile, plan.seed).train
    with quiet.libraries():
        prepared, supervision, proof = trainer.prepare(plan, base, rows)
        run_dir.mkdir(parents=True, exist_ok=True)
        (run_dir / "supervision.txt").write_text(proof, encoding="utf-8")
        tell({"event": "supervision", "record": supervision, "proof": proof})
        fitted = trainer.fit(plan, base, prepared, run_dir, tell)
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
        versions={name: version(name) for name in LIBRARIES},
    )
