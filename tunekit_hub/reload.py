"""The reload gate: what was saved, loaded in a fresh process from the files alone, predicts the same.

`python -m tunekit_hub.reload` is that process: a job as JSON in, its outputs as JSON out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tunekit_hub.errors import ReloadMismatch
from tunekit_hub.manifest import fingerprint
from tunekit_hub.records import Reload

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


def gate(job: Job, measured: Outputs) -> Reload:
    """Run `job` in a fresh process and compare with what was measured.

    Raises:
        ReloadMismatch: the process failed, or its outputs differ from those measured.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tunekit_hub.reload"],
        input=json.dumps(asdict(job)),
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "HF_TOKEN"} | {"HF_HUB_OFFLINE": "1"},
        check=False,
    )
    if done.returncode:
        raise ReloadMismatch(
            f"the saved files do not load in a fresh process: {done.stderr.strip().splitlines()[-1:]}",
            "the weights are in the run folder; `tunekit-hub evaluate RUN` tries again",
        )
    again = Outputs(**json.loads(done.stdout.splitlines()[-1]))
    largest = _largest_difference(measured.numbers, again.numbers)
    equal = measured.texts == again.texts
    passed = largest <= TOLERANCE[job.precision] and (equal or job.precision != "fp32")
    if not passed:
        raise ReloadMismatch(
            f"the saved files, loaded afresh, predict otherwise: a number differs by {largest:.4f}, "
            f"answers {'equal' if equal else 'differ'}",
            "nothing will be published from this run; train again, and report it if it stays",
        )
    return Reload(
        source="disk",
        rows=len(measured.numbers),
        largest_difference=largest,
        answers_equal=equal,
        passed=passed,
        weights=fingerprint(Path(job.adapter or job.model)),
    )


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
