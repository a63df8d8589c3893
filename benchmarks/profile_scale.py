"""How a profile grows with the data: rows per second, memory and seconds by stage, a fresh process per figure.

    python benchmarks/profile_scale.py                       # 10k, 100k and 1M rows of each kind, three times
    python benchmarks/profile_scale.py --kinds csv --sizes 10000 100000 --repeat 1
    python benchmarks/profile_scale.py --json > profile_scale.json

The data is made up from a seed: Zipf-distributed words, 2 % of the rows equal to an earlier one and 2 % nearly so.
`csv` is text classification with 20 labels, `jsonl` are chats of one or two answers, `conll` are sentences with
tagged words. Each process is pinned to one core. Peak memory is what the process held at most, less what it held
with everything imported; all figures are medians of the runs. `growth` is the time per row against that of the
size before: 1.0 is linear.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

SEED = 7
_VOCABULARY = 20_000
_PIECE = 50_000  # rows that are made at once
_PAIR = 50  # of so many rows one repeats another, and one nearly does


def main() -> None:
    """Measure and print, or be the process that is measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="rows")
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--repeat", type=int, default=3, help="runs per figure; the median counts")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        say(json.dumps(measure(asked.one)))
        return
    results = [row for kind in asked.kinds for row in _kind(kind, sorted(asked.sizes), asked.repeat)]
    say(json.dumps(results, indent=2) if asked.json else table(results))


def say(text: str) -> None:
    """Write a line to stdout."""
    sys.stdout.write(text + "\n")


def measure(path: str) -> dict[str, Any]:
    """Profile one file in this process: seconds in all and by stage, and the peak of memory in bytes."""
    import pyarrow

    from tunekit_hub import profiling
    from tunekit_hub.hardware import peak

    _pin()
    profiling.detect_languages(["What is loaded once, such as the model of languages, belongs to the baseline."])
    pyarrow.array([""])
    before = peak.resident()
    peak.restart()
    stages = _watched(profiling)
    start, busy = time.perf_counter(), time.process_time()
    found = profiling.profile(path)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    notes = {note.code: note.count for note in found.notes}
    return {
        "rows": found.num_rows,
        "task": found.task,
        "seconds": seconds,
        "cpu": busy,
        "memory": peak.peak_memory() - before,
        "stages": {**stages, "other": seconds - sum(stages.values())},
        "notes": notes,
    }


def _pin() -> None:
    """One core, where the system can do that: figures of one machine then say something about another."""
    import pyarrow

    pyarrow.set_cpu_count(1)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def table(results: list[dict[str, Any]]) -> str:
    """The figures, a line per kind and size."""
    stages = list(dict.fromkeys(stage for row in results for stage in row["stages"]))
    head = ["kind", "rows", "seconds", "rows/s", "growth", "CPU s", "MB", "MB file", *stages]
    lines = [head]
    for row in results:
        figures = [
            f"{row['seconds']:.2f}",
            f"{row['rows'] / row['seconds']:,.0f}",
            row["growth"],
            f"{row['cpu']:.2f}",
        ]
        sizes = [f"{row['memory'] / 1e6:,.0f}", f"{row['bytes'] / 1e6:,.1f}"]
        seconds = [f"{row['stages'].get(stage, 0):.2f}" for stage in stages]
        lines.append([row["kind"], f"{row['rows']:,}", *figures, *sizes, *seconds])
    widths = [max(len(line[n]) for line in lines) for n in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )


def _kind(kind: str, sizes: list[int], repeat: int) -> Iterator[dict[str, Any]]:
    per_row = None
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"rows.{kind}"
            with path.open("w", encoding="utf-8", newline="") as file:
                file.writelines(KINDS[kind](size))
            runs = [_fresh(path) for _ in range(repeat)]
            row: dict[str, Any] = {"kind": kind, **_median(runs), "bytes": path.stat().st_size}
        now = row["seconds"] / row["rows"]
        row["growth"] = f"{now / per_row:.2f}" if per_row else ""
        per_row = now
        yield row


def _fresh(path: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--one", str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    middle = {name: statistics.median(run[name] for run in runs) for name in ("seconds", "cpu", "memory")}
    stages = {stage: statistics.median(run["stages"].get(stage, 0) for run in runs) for stage in runs[0]["stages"]}
    return {**runs[0], **middle, "stages": stages}


def _watched(profiling: Any) -> dict[str, float]:
    """Wrap what a profile is made of; the seconds of each are added up in what is returned."""
    stages: dict[str, float] = defaultdict(float)

    def timed(name: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return run(*args, **options)
            finally:
                stages[name] += time.perf_counter() - start

        return wrapped

    def recognise(*args: Any) -> Any:
        task, match = _recognise(*args)
        return replace(task, examine=timed("examine", task.examine)), match

    _recognise = timed("recognise", profiling.recognise)
    profiling.recognise = recognise
    profiling.data.open_source = timed("read", profiling.data.open_source)
    for name, part in (
        ("columns", "describe"),
        ("duplicates", "find_duplicates"),
        ("secrets", "find_sensitive"),
        ("languages", "detect_languages"),
        ("domain", "detect_domain"),
    ):
        setattr(profiling, part, timed(name, getattr(profiling, part)))
    return stages


def _sentences(rows: int) -> Iterator[list[str]]:
    """As many lists of 4 to 23 words, some of which repeat another."""
    chance = np.random.default_rng(SEED)
    letters = np.array(list("etaoinshrdlucmfwyp"))
    lengths = chance.integers(2, 10, _VOCABULARY)
    vocabulary = np.array(["".join(chance.choice(letters, length)) for length in lengths])
    # As often as in natural text: Mandelbrot's form of Zipf's law.
    often = 1 / (np.arange(_VOCABULARY) + 2.7)
    reached = np.cumsum(often / often.sum())
    for start in range(0, rows, _PIECE):
        count = min(_PIECE, rows - start)
        sizes = chance.integers(4, 24, count)
        words = vocabulary[np.searchsorted(reached, chance.random(int(sizes.sum()))).clip(max=_VOCABULARY - 1)]
        made = [part.tolist() for part in np.split(words, np.cumsum(sizes)[:-1])]
        for place in range(_PAIR, count, _PAIR):
            made[place] = list(made[place - 1])
            made[place - 2] = [*made[place - 3], "again"]
        yield from made


def _csv(rows: int) -> Iterator[str]:
    yield "text,label\n"
    for words in _sentences(rows):
        text, length = " ".join(words).capitalize(), len(words)
        quoted = f'"{text}, please."' if length % 5 == 0 else f"{text}?"
        yield f"{quoted},topic_{length % 20}\n"


def _jsonl(rows: int) -> Iterator[str]:
    answers = _sentences(rows)
    for number, words in enumerate(_sentences(rows)):
        turns = [
            {"role": "user", "content": " ".join(words)},
            {"role": "assistant", "content": " ".join(next(answers)[::-1])},
        ]
        yield json.dumps({"messages": turns * (1 + number % 2)}) + "\n"


def _conll(rows: int) -> Iterator[str]:
    for words in _sentences(rows):
        yield "".join(f"{word}\t{'B-THING' if len(word) == 9 else 'O'}\n" for word in words) + "\n"


KINDS: dict[str, Callable[[int], Iterator[str]]] = {"csv": _csv, "jsonl": _jsonl, "conll": _conll}

if __name__ == "__main__":
    main()
