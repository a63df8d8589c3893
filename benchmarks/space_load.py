"""Many visitors at once: how many recommendations a second the Space gives, and how long the slowest wait.

    python benchmarks/space_load.py                            # 5 and 50 visitors, then 50 beside 20 runs
    python benchmarks/space_load.py --visitors 5,50,200 --runs 0

The real app in a process of its own, asked over its HTTP API on loopback, beside a local Hub. Each visitor, a
guest with a session of their own, asks for a profile and then for a recommendation, again and again.
Some of the data are our examples, the others datasets of the Hub, for which access is asked each time.
Each number of visitors comes several times, in turns, and the median of its speeds counts.
At last as many runs as told are put in the queue at once, and the most visitors ask while it is worked through.
Exit code 1 where an answer is an error, a run ends in one, or more visitors get fewer answers a second in all.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import space_world

WISHES = ("", "commercial", "", "")  # description, use, hardware, model
DATA = (
    "example-chat",
    "example-classification",
    "example-ner",
    *(f"load/rows-{i}" for i in range(space_world.DATASETS)),
)
DONE = ("done", "failed", "cancelled")
SPREAD = 0.95  # times the speed of few visitors: less is lower, and not by chance


@dataclass
class Told:
    """What the visitors saw."""

    profiles: list[float] = field(default_factory=list)  # seconds each
    recommendations: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)  # recommendations a second, in each round
    memory: int = 0  # bytes, at most, of the app and all its processes

    def add(self, other: Told) -> None:
        """Another round of as many visitors."""
        for name in ("profiles", "recommendations", "errors", "speeds"):
            getattr(self, name).extend(getattr(other, name))
        self.memory = max(self.memory, other.memory)


def main() -> int:
    """Print the tables."""
    arguments = _arguments()
    with (
        tempfile.TemporaryDirectory() as scratch,
        space_world.hub(Path(scratch)) as hub,
        space_world.app(Path(scratch), hub) as app,
    ):
        process, address = app
        _say(f"app at {address}, process {process.pid}")
        _visits(address, max(arguments.visitors), 3.0, process)  # what is loaded once is loaded
        rows = {visitors: Told() for visitors in arguments.visitors}
        for turn in range(arguments.repeats):
            for visitors in list(rows)[:: -1 if turn % 2 else 1]:
                rows[visitors].add(_visits(address, visitors, arguments.seconds, process))
        wrong = _table(rows) + _lower(rows)
        if arguments.runs:
            wrong += _queue(Path(scratch), hub, arguments, app)
    return int(wrong > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=lambda text: [int(one) for one in text.split(",")], default=[5, 50])
    parser.add_argument("--seconds", type=float, default=30.0, help="for each number of visitors, each time")
    parser.add_argument("--repeats", type=int, default=3, help="of each number of visitors")
    parser.add_argument("--runs", type=int, default=20, help="put in the queue at the end")
    return parser.parse_args()


def _visits(address: str, visitors: int, seconds: float, process: psutil.Process) -> Told:
    """All visitors at once, each in a thread, until the time is over."""
    told, started = Told(), time.monotonic()
    threads = [
        threading.Thread(target=_visit, args=(address, number, started + seconds, told))
        for number in range(visitors)
    ]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        told.memory = max(told.memory, _memory(process))
        time.sleep(0.5)
    told.speeds.append(len(told.recommendations) / (time.monotonic() - started))
    return told


def _visit(address: str, number: int, stop: float, told: Told) -> None:
    """One visitor: a profile and a recommendation, of one set of data after the other."""
    session, place = f"visitor{number:08d}", number
    while time.monotonic() < stop:
        data, place = DATA[place % len(DATA)], place + 1
        asks = (
            ("profile", [data, "", ""], told.profiles),
            ("recommend", [data, *WISHES], told.recommendations),
        )
        for name, values, kept in asks:
            began = time.monotonic()
            try:
                wrong = _ask(address, name, values, session)
            except (OSError, ValueError, http.client.HTTPException) as error:
                wrong = f"{type(error).__name__}: {error}"
            kept.append(time.monotonic() - began)
            if wrong:
                told.errors.append(f"{name} {data}: {wrong}")


def _memory(process: psutil.Process) -> int:
    """Bytes of the app and of every process that it has started."""
    whole = 0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            whole += one.memory_info().rss
    return whole


def _ask(address: str, name: str, data: list[Any], session: str) -> str:
    """One call of the API; what went wrong, or nothing."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    try:
        body = json.dumps({"data": data, "session_hash": session})
        headers = {"Content-Type": "application/json"}
        connection.request("POST", f"/gradio_api/call/{name}", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            return f"{answer.status} {text[:200]!r}"
        connection.request("GET", f"/gradio_api/call/{name}/{json.loads(text)['event_id']}")
        said = connection.getresponse().read().decode()
        return "" if "event: complete" in said else said[-300:]
    finally:
        connection.close()


def _queue(folder: Path, endpoint: str, arguments: argparse.Namespace, app: tuple[psutil.Process, str]) -> int:
    """Runs put in the queue at once, and visitors beside them; how much of it ended otherwise than well."""
    from tunekit_hub import runs

    desk = runs.Service(folder / "service", endpoint=endpoint)  # the app works through the same queue
    options = runs.options(source="example-classification", settings={"epochs": 1}, max_rows=100)
    visitors = [runs.Visitor(f"visitor{i}") for i in range(arguments.runs)]
    began = time.monotonic()
    ids = [desk.submit(visitor, options) for visitor in visitors]
    _say(f"\n{len(ids)} runs in the queue after {time.monotonic() - began:.1f} s; beside them")
    process, address = app
    told = _visits(address, max(arguments.visitors), arguments.seconds, process)
    wrong, memory = _table({max(arguments.visitors): told}), 0
    while True:
        states = [desk.state(visitor, run) for visitor, run in zip(visitors, ids, strict=True)]
        memory = max(memory, _memory(process))
        if all(state.status in DONE for state in states):
            break
        time.sleep(0.5)
    failed = [state for state in states if state.status != "done"]
    took = time.monotonic() - began
    _say(
        f"{len(ids) - len(failed)} of {len(ids)} runs done after {took:.0f} s, one at a time, "
        f"{took / len(ids):.1f} s each; app and workers {memory / 1e6:.0f} MB at most"
    )
    for state in failed[:3]:
        _say(f"  {state.status}: {state.error.message if state.error else state.note}")
    return wrong + len(failed)


def _table(rows: dict[int, Told]) -> int:
    """Prints a line for each number of visitors; how many errors there were."""
    _say("visitors  recommends/s      (of rounds)      p50      p95  profile p95  errors    memory")
    for visitors, told in rows.items():
        rounds = f"{min(told.speeds):.1f} to {max(told.speeds):.1f}"
        _say(
            f"{visitors:>8} {statistics.median(told.speeds):>13.1f} {rounds:>16} "
            f"{statistics.median(told.recommendations):>7.2f}s "
            f"{_p95(told.recommendations):>7.2f}s {_p95(told.profiles):>11.2f}s {len(told.errors):>7} "
            f"{told.memory / 1e6:>6.0f} MB"
        )
        for error in told.errors[:3]:
            _say(f"  {error}")
    return sum(len(told.errors) for told in rows.values())


def _lower(rows: dict[int, Told]) -> bool:
    """Whether the most visitors get fewer recommendations a second in all than the fewest."""
    few, many = (statistics.median(rows[which(rows)].speeds) for which in (min, max))
    _say(f"{max(rows)} visitors get {many / few:.2f} times the recommendations of {min(rows)}")
    return many < SPREAD * few


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
