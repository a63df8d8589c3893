"""The service: what a page, an API call or a script asks for on behalf of one visitor."""

from __future__ import annotations

import atexit
import secrets
import shutil
import time
from pathlib import Path

import filelock

from tunekit_hub import pipeline, runfile
from tunekit_hub.errors import AccessDenied, RunError, TunekitError
from tunekit_hub.facts import Options
from tunekit_hub.hardware import named as named_hardware
from tunekit_hub.runs.results import Results
from tunekit_hub.runs.settings import Settings
from tunekit_hub.runs.store import ENDED, WAITING, RunRow
from tunekit_hub.runs.supervisor import Supervisor
from tunekit_hub.runs.uploads import UPLOAD, Upload
from tunekit_hub.runs.visitors import Visitor

_STRAY = 3600.0  # seconds after which a folder that no list knows is no run that is just being made


class Service(Results):
    """All that visitors do, in the folder `root`; one service at a time.

    Args:
        root: where data, runs and the queue are kept; made if it is not there.
        settings: the limits.
        endpoint: the Hub's; left out, that of `HF_ENDPOINT`, else the public one.

    Raises:
        StorageError: what lies in `root` is of a later version.
    """

    def __init__(self, root: Path, settings: Settings | None = None, *, endpoint: str | None = None):
        settings = settings or Settings()
        super().__init__(Path(root).resolve(), settings, endpoint)
        self._supervisor = Supervisor(self._folder, self._store, settings, self.endpoint, self.clear)
        self._alone = filelock.FileLock(self._root / ".lock", timeout=0, thread_local=False)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self._root)!r}, {self.endpoint!r})"

    def start(self) -> None:
        """Begin to work through the queue, with what an earlier service has left. The end of the process stops it.

        Raises:
            RunError: another service is at work in this folder.
        """
        try:
            self._alone.acquire()
        except filelock.Timeout as error:
            raise RunError(
                f"another service is at work in `{self._root}`",
                "end it first, or give another folder: `--root DIR`",
            ) from error
        atexit.register(self.stop)
        self._supervisor.start()

    def stop(self) -> None:
        """Have the workers save and end; their runs go on with the next service."""
        atexit.unregister(self.stop)
        self._talks.close()
        self._supervisor.stop()
        self._alone.release()

    def keep(self, visitor: Visitor, path: str | Path, name: str) -> Upload:
        """A copy of a file that a visitor has sent, under a handle of its own.

        Raises:
            DataError: it is too large, or damaged; or there are too many.
        """
        return self._uploads.keep(visitor, Path(path), name)

    def uploads(self, visitor: Visitor) -> tuple[Upload, ...]:
        """What a visitor has sent, newest first."""
        return self._uploads.of(visitor)

    def adopt(self, guest: Visitor, handle: str, visitor: Visitor) -> Upload:
        """Make what a guest has sent that of the user they turned out to be.

        Raises:
            DataError: it is not the guest's.
        """
        return self._uploads.give(guest, handle, visitor)

    def forget(self, visitor: Visitor, handle: str) -> None:
        """Delete an upload; runs that were made from it cannot be gone on with.

        Raises:
            DataError: it is not this visitor's, or a run needs it.
        """
        waiting = self._store.runs(*WAITING, "running", "stopping", owner=visitor.key)
        if any(handle in (row.source, row.test) for row in waiting):
            raise RunError("a run that waits or works needs these data", "cancel the run first")
        self._uploads.forget(visitor, handle)

    def examples(self) -> tuple[Upload, ...]:
        """Data of our own that everybody may use."""
        return self._uploads.examples()

    def submit(self, visitor: Visitor, options: Options, token: str | None = None, *, title: str = "") -> str:
        """Put a run in the queue; its id.

        Raises:
            AccessDenied: a guest, or somebody who wants to publish and is not signed in.
            DataError, UsageError: the data or the options are not theirs, or a limit is met.
        """
        if visitor.kind == "guest" and not self.settings.guests_train:
            raise AccessDenied("only those who are signed in can train here", "sign in with Hugging Face")
        if options.push_to and not token:
            raise AccessDenied("nothing can be published without signing in", "sign in, or publish later")
        if len(self._store.runs(*WAITING, "running", owner=visitor.key)) >= self.settings.max_runs:
            raise RunError(f"{self.settings.max_runs} runs of yours wait already", "wait, or cancel one")
        if len(self._store.runs("queued")) >= self.settings.max_queue:
            raise RunError(f"{self.settings.max_queue} runs wait already, which is the most", "try again later")
        asked, run_id, now = self._asked(visitor, options), secrets.token_hex(8), time.time()
        folder = self._folder / run_id
        with asked.names.told():
            named_hardware.require_here(named_hardware.chosen(options.hardware))
            self._refuse_many_rows(asked, self._hub(token))
            pipeline.start(asked.options, folder)
        for one in (asked.train, asked.test):
            if one and one.asked.startswith(UPLOAD):
                self._store.touch(one.asked.removeprefix(UPLOAD), now)
        test = asked.test.asked if asked.test else ""
        row = RunRow(
            id=run_id,
            owner=visitor.key,
            title=" ".join(title.split())[:120] or asked.train.name,
            source=asked.train.asked,
            test=test,
            status="queued",
            needs_token=bool(token),
            created=now,
            queued=now,
        )
        self._supervisor.keep(run_id, token)
        self._store.add(row)
        self._supervisor.wake()
        return run_id

    def cancel(self, visitor: Visitor, run_id: str) -> None:
        """Take a run out of the queue; one at work saves first, and can be gone on with.

        Raises:
            RunError: it neither waits nor works.
        """
        self._supervisor.cancel(self._own(visitor, run_id))

    def resume(self, visitor: Visitor, run_id: str, token: str | None = None) -> None:
        """Put a run that was cancelled, failed or waits for its visitor back in the queue.

        Raises:
            AccessDenied: it was begun by somebody who was signed in, and goes on with their token only.
            RunError: it is none of these.
        """
        row = self._own(visitor, run_id)
        if row.needs_token and not token:
            raise AccessDenied("this run was begun by somebody who was signed in", "sign in to go on with it")
        if row.status not in ("cancelled", "failed", "needs sign-in"):
            raise RunError("this run is not one to go on with", f"it is {row.status}")
        folder = self._folder / row.id
        with runfile.locked(folder), self._names(row).told():
            runfile.save(runfile.load(folder).but(status="running", error=None), folder)
        self._talks.close(folder)
        self._supervisor.keep(row.id, token)
        queued = row.queued if row.status == "needs sign-in" else time.time()
        fresh = {"needs_token": bool(token), "kills": 0, "why": "", "ended": None, "queued": queued}
        self._store.move(row.id, row.status, status="queued", **fresh)
        self._supervisor.wake()

    def signed_in(self, visitor: Visitor, token: str) -> int:
        """A visitor is back: the runs that wait for them go on; how many.

        One whose folder is broken has failed, and holds up neither the others nor its visitor.
        """
        went = 0
        for row in self._store.runs("needs sign-in", owner=visitor.key):
            try:
                self.resume(visitor, row.id, token)
                went += 1
            except TunekitError:  # or another window of theirs was first, or is at it
                self._fail_if_broken(row)
        return went

    def _fail_if_broken(self, row: RunRow) -> None:
        try:
            runfile.load(self._folder / row.id)
        except TunekitError as error:
            self._store.move(row.id, "needs sign-in", status="failed", ended=time.time(), why=error.message)

    def delete(self, visitor: Visitor, run_id: str) -> None:
        """Delete a run with its model; what was published stays.

        Raises:
            RunError: it waits or works, or is being published.
        """
        row = self._own(visitor, run_id)
        if row.id in self._at_publishing or not self._store.remove_run(row.id, *ENDED, "needs sign-in"):
            raise RunError("a run that waits or works cannot be deleted", "cancel it first")
        self._supervisor.keep(row.id, None)
        self._talks.close(self._folder / row.id)
        shutil.rmtree(self._folder / row.id, ignore_errors=True)

    def clear(self) -> None:
        """Delete what was kept for long enough: runs, data, and what a process that was killed left half done."""
        now, limits = time.time(), self.settings
        self._talks.tidy()
        rows = self._store.runs()
        for row in rows:
            if row.status in ENDED and now - (row.ended or row.created) > limits.keep_runs:
                self._store.remove_run(row.id, *ENDED)
                shutil.rmtree(self._folder / row.id, ignore_errors=True)
        known = {row.id for row in self._store.runs()}
        for folder in self._folder.iterdir():
            if folder.name not in known and now - folder.stat().st_mtime > _STRAY:
                shutil.rmtree(folder, ignore_errors=True)
        in_use = [row for row in rows if row.status not in ENDED or now - (row.ended or now) <= limits.retention]
        self._uploads.clear({source for row in in_use for source in (row.source, row.test)}, now)
