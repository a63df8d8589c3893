"""The reload gate: what was saved, loaded in a fresh process from the files alone, gives the same answers.

`python -m tunekit_hub.reload` is that process: a job as JSON in, losses and answers as JSON out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tunekit_hub.errors import ReloadMismatch
from tunekit_hub.manifest import fingerprint
from tunekit_hub.records import Reload
from tunekit_hub.scoring import Answer, RowLoss

# Largest difference of a row's loss per token that rounding explains; kernels may differ from process to process.
TOLERANCE = {"fp32": 1e-3, "bf16": 3e-2, "fp16": 1e-2}


@dataclass(frozen=True)
class Job:
    """What to load and what to score with it."""

    base: str
    adapter: str | None
    precision: str
    rows: list[tuple[list[int], list[int]]]
    prompts: list[str]
    max_new_tokens: int


def gate(job: Job, losses: list[RowLoss], answers: list[Answer]) -> Reload:
    """Run `job` in a fresh process and compare.

    Raises:
        ReloadMismatch: the process failed, or its figures differ from those measured.
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
    again = json.loads(done.stdout.splitlines()[-1])
    differences = [abs(a.total - b) / max(a.tokens, 1) for a, b in zip(losses, again["losses"], strict=True)]
    equal = [answer.text for answer in answers] == again["answers"]
    largest = max(differences)
    passed = largest <= TOLERANCE[job.precision] and (equal or job.precision != "fp32")
    if not passed:
        raise ReloadMismatch(
            f"the saved files, loaded afresh, give other results: a row's loss differs by {largest:.4f} nats "
            f"per token, answers {'equal' if equal else 'differ'}",
            "nothing will be published from this run; train again, and report it if it stays",
        )
    return Reload(
        source="disk",
        rows=len(losses),
        largest_difference=largest,
        answers_equal=equal,
        passed=passed,
        weights=fingerprint(Path(job.adapter or job.base)),
    )


def _main() -> None:
    from tunekit_hub import scoring

    job = Job(**json.load(sys.stdin))
    model, tokenizer = scoring.load(Path(job.base), Path(job.adapter) if job.adapter else None, job.precision)
    losses = scoring.row_losses(model, job.rows)
    answers = scoring.answers(model, tokenizer, job.prompts, job.max_new_tokens)
    found = {"losses": [row.total for row in losses], "answers": [answer.text for answer in answers]}
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    _main()
