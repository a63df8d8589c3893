"""Checkpoints on the disk: the newest whole one is there at any moment, however a run ends.

Each is written under `.writing`, flushed, renamed, and only then are the older ones removed. One belongs to what
is trained on what: after a change of plan it is not gone on with.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from tunekit_hub import storage
from tunekit_hub.records import Plan

FOLDER, WRITING, STATE = "checkpoints", ".writing", "session.json"
FORM = 2  # of what is kept and of the order of rows; one of another form is not gone on with
_PREFIX = "checkpoint-"
_DECIDING = (  # fields of a plan that change what a step does
    *("trainer", "method", "precision", "max_tokens", "epochs", "learning_rate", "warmup"),
    *("lora_rank", "lora_alpha"),
    *("seed", "train_rows", "validation_rows", "patience", "class_weights"),
)
# The first pickles the arguments; the others are found again beside the base model.
_NOT_KEPT = ("training_args.bin", "README.md", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja")


def made_for(plan: Plan) -> str:
    """The same for two plans that train the same, whatever batches and processes they take for it."""
    profile = plan.selection.recommendation.profile
    deciding = {name: getattr(plan, name) for name in _DECIDING} | {
        "form": FORM,
        "step_rows": plan.batch_size * plan.accumulation,
        "base": (plan.selection.repo_id, plan.selection.revision),
        "data": (profile.data.sha256, profile.columns, profile.max_rows, profile.test and profile.test.sha256),
    }
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:16]


def newest(run_dir: Path, plan: Plan) -> tuple[Path, dict[str, Any]] | None:
    """The newest checkpoint made for `plan`, and the state that was kept with it."""
    for folder in sorted((run_dir / FOLDER).glob(f"{_PREFIX}*"), key=_step, reverse=True):
        try:
            state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if state["made_for"] == made_for(plan):
            return folder, state
    return None


def half_written(run_dir: Path, step: int) -> Path:
    """Where the Trainer writes a checkpoint, its `output_dir` being `run_dir / FOLDER / WRITING`."""
    return run_dir / FOLDER / WRITING / f"{_PREFIX}{step}"


def seal(run_dir: Path, step: int, state: dict[str, Any]) -> None:
    """Make what was written for `step` the newest checkpoint, and remove the others."""
    half = half_written(run_dir, step)
    for name in _NOT_KEPT:
        (half / name).unlink(missing_ok=True)
    (half / STATE).write_text(json.dumps(state), encoding="utf-8")
    storage.flush(half)
    whole = run_dir / FOLDER / half.name
    if whole.exists():  # of another plan
        shutil.rmtree(whole)
    half.rename(whole)
    storage.flush_one(whole.parent)
    for other in (run_dir / FOLDER).iterdir():
        if other != whole:
            shutil.rmtree(other, ignore_errors=True)


def give_up(run_dir: Path) -> None:
    """Remove what was half written, and give its room back."""
    shutil.rmtree(run_dir / FOLDER / WRITING, ignore_errors=True)
    with contextlib.suppress(OSError):  # it is not there, or holds a checkpoint
        (run_dir / FOLDER).rmdir()


def _step(folder: Path) -> int:
    number = folder.name.removeprefix(_PREFIX)
    return int(number) if number.isdecimal() else -1
