"""The reload gate: what was saved, loaded in a fresh process from the files alone, predicts the same.

`python -m tunekit_hub.scores.reload` is that process: a job as JSON in, its outputs as JSON out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from tunekit_hub.errors import ReloadMismatch, RunError
from tunekit_hub.publishing.manifest import fingerprint
from tunekit_hub.records import Reload

NAME = "reload.json"  # in the run folder, and never published: it holds rows
_NOT_HANDED_ON = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")
# Largest difference of a number that rounding explains; kernels may differ from process to process.
TOLERANCE = {"fp32": 1e-3, "bf16": 3e-2, "fp16": 1e-2}


@dataclass(frozen=True)
class Job:
    """What to load and what to predict with it."""

    task: str
    model: str  # folder of whole weights
    adapter: str | None  # folder of an adapter to put on them
    precision: str
    payload: dict[str, Any]  # JSON values; what they mean is the task's


@dataclass(frozen=True)
class Outputs:
    """What a model predicts for a job; the same lengths each time."""

    numbers: list[list[float]]  # per row: logits, or the loss per token
    texts: list[str]  # per row: a label, tags, an answer


def keep(folder: Path, job: Job, measured: Outputs) -> None:
    """Leave in the run folder what the later gates ask for: of merged weights, and of what was published."""
    half = folder / f".{NAME}.{os.getpid()}"
    half.write_text(json.dumps({"job": asdict(job), "outputs": asdict(measured)}), encoding="utf-8")
    half.replace(folder / NAME)


def kept(folder: Path) -> tuple[Job, Outputs]:
    """What `keep` left. The folders that the job names are those of the evaluation.

    Raises:
        RunError: it is not there, or not to be read.
    """
    try:
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return Job(**content["job"]), Outputs(**content["outputs"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"`{folder / NAME}` cannot be read, so what is published could not be held against what was measured",
            f"measure again: `tunekit-hub evaluate {folder} --again`",
        ) from error


def gate(job: Job, measured: Outputs, *, source: Literal["disk", "hub"] = "disk", allowed: float = 0.0) -> Reload:
    """Run `job` in a fresh process and compare with what was measured.

    Args:
        job: what to load, from files alone: the process has no token and asks no Hub.
        measured: what it is to give.
        source: where the files come from.
        allowed: the largest difference of a number, where the weights were rounded since; then answers may
            differ. Without it, what rounding in the job's precision explains.

    Raises:
        ReloadMismatch: the process failed, or its outputs differ from those measured.
    """
    said = {"disk": "the saved files", "hub": "what was published"}[source]
    again = _replayed(job, said)
    largest = _largest_difference(measured.numbers, again.numbers)
    equal = measured.texts == again.texts
    exact = job.precision == "fp32" and not allowed
    if largest > (allowed or TOLERANCE[job.precision]) or (exact and not equal):
        raise ReloadMismatch(
            f"{said}, loaded afresh, gave other predictions: a number differs by {largest:.4f}, "
            f"answers {'equal' if equal else 'differ'}",
            "nothing will be published from this run; train again, and report it if it stays",
        )
    return Reload(
        source=source,
        rows=len(measured.numbers),
        largest_difference=largest,
        answers_equal=equal,
        passed=True,
        weights=fingerprint(Path(job.adapter or job.model)),
    )


def _replayed(job: Job, said: str) -> Outputs:
    """The outputs of a job in a fresh process, with a Hub cache of its own that is empty."""
    with tempfile.TemporaryDirectory(prefix="tunekit-") as home:
        done = subprocess.run(
            [sys.executable, "-m", "tunekit_hub.scores.reload"],
            input=json.dumps(asdict(job)),
            capture_output=True,
            text=True,
            env={name: value for name, value in os.environ.items() if name not in _NOT_HANDED_ON}
            | {"HF_HUB_OFFLINE": "1", "HF_HOME": home},
            check=False,
        )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:]
        raise ReloadMismatch(
            f"{said} cannot be loaded in a fresh process: {''.join(last) or f'exit code {done.returncode}'}",
            "the weights are in the run folder; `tunekit-hub evaluate RUN` tries again",
        )
    return Outputs(**json.loads(done.stdout.splitlines()[-1]))


def _largest_difference(before: list[list[float]], again: list[list[float]]) -> float:
    """Infinite where the shapes differ or a number is none."""
    if [len(row) for row in before] != [len(row) for row in again]:
        return float("inf")
    pairs = [(a, b) for row, other in zip(before, again, strict=True) for a, b in zip(row, other, strict=True)]
    differences = [abs(a - b) for a, b in pairs]
    return max(differences, default=0.0) if all(d == d for d in differences) else float("inf")


def _main() -> None:
    from tunekit_hub.tasks import TASKS

    job = Job(**json.load(sys.stdin))
    sys.stdout.write("\n" + json.dumps(asdict(TASKS[job.task].replay(job))) + "\n")


if __name__ == "__main__":
    _main()
