"""Predicted memory against measured memory, a process per cell.

    python benchmarks/memory.py --jobs 2              # measure what is not in memory.json yet
    python benchmarks/memory.py --only deberta --again
    python benchmarks/memory.py --table               # predicted beside measured, from memory.json

A cell trains a model of the real shape with random weights for two steps, by the product's own trainer: on a GPU
where there is one, else on the CPU. Measured is the peak above what the process holds with everything imported
(CPU, resident), or the peak that the allocator has reserved (CUDA). Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1")  # before torch is imported
HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import memory_cells  # noqa: E402 - lies beside this file

RESULTS = HERE / "memory.json"


def main() -> None:
    """Measure what is missing, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="cells whose name has this in it")
    parser.add_argument("--again", action="store_true", help="measure cells that were measured before, too")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time")
    parser.add_argument("--table", action="store_true", help="measure nothing, print the table")
    asked = parser.parse_args()
    if asked.table:
        say(memory_cells.table(recorded()))
    else:
        _measure_all(memory_cells.grid(), asked)


def _measure_all(cells: list[dict[str, Any]], asked: argparse.Namespace) -> None:
    known = set() if asked.again else {_name(cell) for cell in recorded()}
    wanted = [cell for cell in cells if asked.only in _name(cell) and _name(cell) not in known]
    bases = Path(os.environ.get("TUNEKIT_BENCH_BASES") or tempfile.mkdtemp(prefix="tunekit-bases-"))
    for model in dict.fromkeys(cell["model"] for cell in wanted):
        if not (bases / model.replace("/", "--") / "config.json").exists():
            _in_child(lambda model=model: memory_cells.make_base(model, bases))
    memory_cells.import_all()
    running: dict[int, tuple[dict[str, Any], Path, float]] = {}
    for cell in wanted:
        if len(running) >= asked.jobs:
            _collect(running)
        answer = Path(tempfile.mkstemp(prefix="tunekit-cell-")[1])
        child = _fork(
            lambda cell=cell, answer=answer: answer.write_text(json.dumps(memory_cells.measure(cell, bases)))
        )
        running[child] = (cell, answer, time.monotonic())
    while running:
        _collect(running)


def _collect(running: dict[int, tuple[dict[str, Any], Path, float]]) -> None:
    """Wait for one cell, and record it."""
    child, status = os.wait()
    cell, answer, began = running.pop(child)
    text = answer.read_text()
    answer.unlink()
    if status or not text:
        say(f"{_name(cell)}: failed")
        return
    kept = [old for old in recorded() if _name(old) != _name(cell)]
    found = cell | json.loads(text)
    lines = ",\n".join(json.dumps(one) for one in sorted([*kept, found], key=_name))
    RESULTS.write_text(f"[\n{lines}\n]\n")
    say(f"{_name(cell)}: {found['peak'] / 1e9:.2f} GB in {time.monotonic() - began:.0f} s")


def _in_child(work: Callable[[], object]) -> None:
    _, status = os.waitpid(_fork(work), 0)
    if status:
        raise SystemExit("a base model could not be made")


def _fork(work: Callable[[], object]) -> int:
    """A child that does the work and ends. It shares the imports, which take long, and nothing else."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def _name(cell: dict[str, Any]) -> str:
    keys = ("model", "device", "method", "precision", "batch", "tokens", "accumulation", "checkpointing")
    return " ".join(str(cell[key]) for key in keys)


def recorded() -> list[dict[str, Any]]:
    """What was measured before."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else []


def say(text: str) -> None:
    """To stdout, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
