"""What a run looks like from outside: its row in the database, its `run.json`, its `events.jsonl`."""

from __future__ import annotations

import json
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunekit_hub import event_log, runfile
from tunekit_hub.errors import RunError
from tunekit_hub.runfile import Failure, Run
from tunekit_hub.runs.memory import Memory
from tunekit_hub.runs.shown import Names
from tunekit_hub.runs.store import RunRow, Status

POINTS = 500  # of a loss curve
_TAIL = 1 << 15  # bytes at the end of the events, among which the last step is looked for
_CURVES = 64  # runs whose losses are remembered
_MOST = 1 << 20  # bytes of events that are given at once


@dataclass(frozen=True)
class Progress:
    """The last step of a training that was told."""

    step: int
    steps: int
    loss: float
    tokens_per_second: float
    seconds_left: float
    memory: int  # bytes; 0: not told


@dataclass(frozen=True)
class RunState:
    """A run as it stands. Times are seconds since the epoch."""

    id: str
    title: str
    status: Status
    stage: str  # the one in progress, or the last one done
    place: int | None  # in the queue, from 1; None: it does not wait
    created: float
    started: float | None
    ended: float | None
    error: Failure | None  # why it failed
    note: str  # a word about the last thing that happened to it, such as going on after its process was killed
    source: str  # how its data are called
    task: str | None
    model: str | None
    gain: str  # what the evaluation says, in a sentence
    published: str | None  # the address
    progress: Progress | None
    can: frozenset[str]  # of "cancel", "resume", "publish", "answer", "delete"


class Files:
    """Reads run folders; what did not change is not read twice."""

    def __init__(self) -> None:
        self._runs: Memory[Run] = Memory(64)
        self._losses: OrderedDict[Path, _Losses] = OrderedDict()
        self._lock = threading.Lock()

    def run(self, folder: Path) -> Run:
        """The run in `folder`.

        Raises:
            RunError: there is none that can be read.
        """
        try:
            seen = (folder / runfile.NAME).stat()
        except OSError as error:
            raise RunError("the folder of this run is not there", "delete the run, and start another") from error
        return self._runs.get((str(folder), seen.st_mtime_ns, seen.st_size), lambda: runfile.load(folder))

    def curve(self, folder: Path) -> tuple[tuple[int, float], ...]:
        """Step and loss, at most `POINTS` of them, evenly spread; where a step was told twice, the later one."""
        with self._lock:
            losses = self._losses.setdefault(folder, _Losses())
            self._losses.move_to_end(folder)
            while len(self._losses) > _CURVES:
                self._losses.popitem(last=False)
        return losses.read(folder)


class _Losses:
    """The losses of a run that is looked at: what was read of its events is not read again."""

    def __init__(self) -> None:
        self._at, self._points = 0, dict[int, float]()
        self._lock = threading.Lock()

    def read(self, folder: Path) -> tuple[tuple[int, float], ...]:
        """Those told so far."""
        with self._lock:
            if _size(folder) < self._at:  # another run, in a folder of that name
                self._at, self._points = 0, {}
            while more := list(events(folder, self._at)):
                self._at = more[-1]["at"]
                for event in more:
                    self._tell(event)
            steps = sorted(self._points)
            if len(steps) > POINTS:
                steps = [steps[i * (len(steps) - 1) // (POINTS - 1)] for i in range(POINTS)]
            return tuple((step, self._points[step]) for step in steps)

    def _tell(self, event: dict[str, Any]) -> None:
        if event.get("event") == "resumed":
            after = event.get("step", 0)
            self._points = {step: loss for step, loss in self._points.items() if step <= after}
        elif event.get("event") == "step":
            self._points[event["step"]] = event["loss"]


def _size(folder: Path) -> int:
    try:
        return (folder / event_log.NAME).stat().st_size
    except OSError:
        return 0


def state(row: RunRow, run: Run | None, folder: Path, place: int | None, names: Names) -> RunState:
    """How a run stands; `run` is None where its folder cannot be read."""
    run = names.run(run) if run else None
    failed = row.status == "failed"
    error = (
        (run.error if run else Failure(code="run-error", message="its folder is gone", hint=""))
        if failed
        else None
    )
    selection, evaluation = (run.selection, run.evaluation) if run else (None, None)
    going = row.status in ("running", "stopping") and run is not None and run.stage == "training"
    return RunState(
        id=row.id,
        title=row.title,
        status=row.status,
        stage=run.stage if run else "",
        place=place,
        created=row.created,
        started=row.started,
        ended=row.ended,
        error=error,
        note=names.plain(row.why),
        source=run.options.source if run else row.source,
        task=run.profile.task if run and run.profile else None,
        model=selection.repo_id if selection else None,
        gain=evaluation.verdict if evaluation else "",
        published=run.publication.url if run and run.publication else None,
        progress=last_step(folder) if going else None,
        can=_can(row.status, run),
    )


def _can(status: Status, run: Run | None) -> frozenset[str]:
    allowed = {
        "queued": {"cancel"},
        "running": {"cancel"},
        "needs sign-in": {"resume", "delete"},
        "failed": {"resume", "delete"},
        "cancelled": {"resume", "delete"},
        "done": {"delete"},
    }.get(status, set())
    if status in ("done", "failed", "cancelled") and run:
        allowed |= {"answer"} if run.training else set()
        allowed |= {"publish"} if run.evaluation and run.evaluation.reload.passed else set()
    return frozenset(allowed)


def last_step(folder: Path) -> Progress | None:
    """The last step of the training that stands in the events."""
    try:
        with (folder / event_log.NAME).open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - _TAIL))
            lines = log.read().split(b"\n")
    except OSError:
        return None
    for line in reversed(lines):
        if b'"step"' in line and (event := _event(line)) and event.get("event") == "step":
            return Progress(
                step=event["step"],
                steps=event["steps"],
                loss=event["loss"],
                tokens_per_second=event["tokens_per_second"],
                seconds_left=event["seconds_left"],
                memory=event.get("memory") or 0,
            )
    return None


def events(folder: Path, after: int) -> Iterator[dict[str, Any]]:
    """The events that stand behind byte `after`, each with the byte it ends at, as `at`."""
    try:
        with (folder / event_log.NAME).open("rb") as log:
            log.seek(max(0, after))
            told = log.read(_MOST)
    except OSError:
        return
    at = max(0, after)
    for line in told.splitlines(keepends=True):
        if not line.endswith(b"\n"):  # being written, or cut off here
            return
        at += len(line)
        if event := _event(line):
            yield event | {"at": at}


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
