"""The queue at work: starts workers, watches them, ends them. A worker that is killed goes on once more.

A worker outlives this process when that is killed, and is found again by its number and the time it began.
"""

from __future__ import annotations

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tunekit_hub import runfile, units
from tunekit_hub.errors import RunError
from tunekit_hub.runs import processes
from tunekit_hub.runs.settings import Settings
from tunekit_hub.runs.store import RunRow, Store

Reason = Literal["", "cancel", "time", "service"]
_TICK = 0.3  # seconds between looks at what is at work
_IDLE = (
    2.0  # the same where nothing is; whoever puts a run in the queue wakes the supervisor, unless from elsewhere
)
_CLEAR = 60.0  # seconds between looks at what is old
_KILLS = 1  # how often a run goes on after its process was killed
_OVERTIME = 1.25  # times the time a run may take: then it is stopped, whatever it is doing
_log = logging.getLogger(__name__)


@dataclass
class _Work:
    """A worker's process."""

    pid: int
    began: float  # as the system has it
    since: float  # when the run was set going
    process: subprocess.Popen[bytes] | None = None  # None: it was started by an earlier service
    reason: Reason = ""  # why it was asked to stop
    asked: float = field(default=0.0)  # when

    def over(self) -> bool:
        """Whether it has ended."""
        if self.process:
            return self.process.poll() is not None
        return not processes.same(self.pid, self.began)


class Supervisor:
    """Works through the queue of `store`; runs lie in `folder`.

    Args:
        folder: of the runs' folders.
        store: the queue.
        settings: the limits.
        endpoint: the Hub's.
        clear: called now and then, to remove what nobody needs.
    """

    def __init__(self, folder: Path, store: Store, settings: Settings, endpoint: str, clear: Callable[[], object]):
        self._folder, self._store, self._settings, self._endpoint = folder, store, settings, endpoint
        self._clear, self._cleared = clear, 0.0
        self._tokens: dict[str, str] = {}  # of runs that wait or are at work; nowhere else
        self._work: dict[str, _Work] = {}
        self._lock = threading.RLock()
        self._wake, self._ending = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self._work)} at work)"

    def start(self) -> None:
        """Find what an earlier service left at work, and begin."""
        for row in self._store.runs("running", "stopping"):
            if row.pid and row.pid_started and processes.same(row.pid, row.pid_started):
                reason: Reason = "cancel" if row.status == "stopping" else ""
                asked = time.time() if reason else 0.0
                work = _Work(row.pid, row.pid_started, row.started or time.time(), None, reason, asked)
                self._work[row.id] = work
            else:
                self._ended(row, None, "cancel" if row.status == "stopping" else "")
        self._thread = threading.Thread(target=self._go, name="tunekit-supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Have all workers save and end; their runs wait for the next service."""
        self._ending.set()
        self._wake.set()
        if self._thread:
            self._thread.join()
        with self._lock:
            for work in self._work.values():
                self._ask(work, work.reason or "service")
        while self._work:
            self._look()
            time.sleep(0.05)
        self._tokens.clear()

    def keep(self, run_id: str, token: str | None) -> None:
        """The token that a run is to go on with, until it ends; None: there is none."""
        with self._lock:
            self._tokens.pop(run_id, None)
            if token:
                self._tokens[run_id] = token

    def wake(self) -> None:
        """Something was put in the queue."""
        self._wake.set()

    def cancel(self, row: RunRow) -> None:
        """Take a run out of the queue, or have its worker save and end.

        Raises:
            RunError: it neither waits nor works.
        """
        with self._lock:
            now = time.time()
            if self._store.move(row.id, "queued", "needs sign-in", status="cancelled", ended=now, why=""):
                self._tokens.pop(row.id, None)
                return
            if self._store.move(row.id, "running", status="stopping"):
                if row.id in self._work:
                    self._ask(self._work[row.id], "cancel")
                return
        if (again := self._store.run(row.id)) is None or again.status != "stopping":
            raise RunError("this run neither waits nor works, so there is nothing to cancel", "look at it again")

    def _go(self) -> None:
        while not self._ending.is_set():
            try:
                self._look()
                self._begin()
                if time.time() - self._cleared > _CLEAR:
                    self._cleared = time.time()
                    self._clear()
            except Exception:  # the queue goes on, whatever one run or the disk does
                _log.exception("the queue stumbled")
            self._wake.wait(_TICK if self._work else _IDLE)
            self._wake.clear()

    def _look(self) -> None:
        """Workers that have ended, that are over their time, or that do not obey."""
        with self._lock:
            now, limits = time.time(), self._settings
            for row in self._store.runs("stopping"):  # whoever said so
                if row.id in self._work and not self._work[row.id].reason:
                    self._ask(self._work[row.id], "cancel")
            for run_id, work in list(self._work.items()):
                if work.over():
                    del self._work[run_id]
                    row = self._store.run(run_id)
                    if row:
                        self._ended(row, work.process.returncode if work.process else None, work.reason)
                elif work.reason and now - work.asked > limits.grace:
                    processes.end(work.pid)
                elif not work.reason and now - work.since > limits.max_time * _OVERTIME + limits.grace:
                    self._ask(work, "time")

    def _begin(self) -> None:
        """Start what waits, as far as there is room."""
        for row in self._store.runs("queued"):
            if row.needs_token and row.id not in self._tokens:
                self._store.move(row.id, "queued", status="needs sign-in")
            elif len(self._work) < self._settings.workers and not self._ending.is_set():
                self._launch(row)

    def _launch(self, row: RunRow) -> None:
        """The job is sent after its process is written down, so that no worker works unknown."""
        with self._lock:
            now = time.time()
            if not self._store.move(row.id, "queued", status="running", started=now, pid=None, ended=None):
                return
            try:
                process = processes.start("worker", self._folder / row.id, self._endpoint, answers=False)
            except OSError as error:
                _log.error("no process for %s: %s", row.id, error)
                self._fail(row, f"no process could be started for it: {error.strerror}", "try again later")
                return
            began = processes.started(process.pid) or now
            self._work[row.id] = _Work(process.pid, began, now, process)
            self._store.move(row.id, "running", pid=process.pid, pid_started=began)
            limits = {"max_upload": self._settings.max_upload, "max_unpacked": self._settings.max_unpacked}
            job = {"token": self._tokens.get(row.id), "endpoint": self._endpoint} | limits
            processes.send(process, job, last=True)

    def _ask(self, work: _Work, reason: Reason) -> None:
        work.reason, work.asked = reason, time.time()
        processes.ask_to_stop(work.pid)

    def _ended(self, row: RunRow, code: int | None, reason: Reason) -> None:
        """What becomes of a run whose process is no more."""
        try:
            status = runfile.load(self._folder / row.id).status
        except RunError as error:
            self._fail(row, error.message, error.hint)
            return
        now = time.time()
        if status in ("done", "failed"):
            self._move(row, status=status, ended=now)
        elif reason == "cancel":
            self._move(row, status="cancelled", ended=now, why="stopped by you; what it had done is kept")
        elif reason == "time":
            limit = units.duration(self._settings.max_time)
            self._fail(row, f"it took longer than the {limit} that a run may take here", "plan for less time")
        elif reason == "service":
            self._store.move(row.id, status="queued", pid=None, why="goes on where the Space was stopped")
        elif row.kills < _KILLS:
            why = f"{_how(code)}; it goes on after its last checkpoint"
            self._store.move(row.id, status="queued", pid=None, kills=row.kills + 1, why=why)
        else:
            hint = "too little memory is the usual reason: choose a smaller model, or fewer tokens a row"
            self._fail(row, f"{_how(code)}, and again after it had gone on", hint)

    def _fail(self, row: RunRow, message: str, hint: str) -> None:
        """Failed for a reason that the run itself could not write down."""
        folder = self._folder / row.id
        try:
            with runfile.locked(folder):
                failure = runfile.Failure(code=RunError("").code, message=message, hint=hint)
                runfile.save(runfile.load(folder).but(status="failed", error=failure), folder)
        except (RunError, OSError):  # then the database alone knows
            _log.warning("the reason why %s failed could not be kept", row.id)
        self._move(row, status="failed", ended=time.time(), why=message)

    def _move(self, row: RunRow, **changes: object) -> None:
        """To an end: what was kept for its work is forgotten."""
        self._tokens.pop(row.id, None)
        self._store.move(row.id, **{"pid": None, "why": ""} | changes)


def _how(code: int | None) -> str:
    """How a process ended that should not have."""
    if code is None:
        return "its process ended while nobody was watching"
    if code < 0:
        name = signal.Signals(-code).name
        return f"its process was killed ({name})" + (", as systems do without memory" if code == -9 else "")
    return f"its process ended with code {code}"
