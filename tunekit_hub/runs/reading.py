"""What visitors see of their own runs, and of nobody else's."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunekit_hub import runfile
from tunekit_hub.errors import RunError, TunekitError
from tunekit_hub.facts import Options
from tunekit_hub.hub import login as hub_login
from tunekit_hub.runs import states
from tunekit_hub.runs.looking import Looking
from tunekit_hub.runs.settings import Settings
from tunekit_hub.runs.shown import Names, names_of
from tunekit_hub.runs.states import RunState
from tunekit_hub.runs.store import RunRow, Store
from tunekit_hub.runs.uploads import Uploads
from tunekit_hub.runs.visitors import Visitor
from tunekit_hub.scores.answers import NAME as ANSWERS
from tunekit_hub.scores.answers import Answer
from tunekit_hub.scores.answers import read as read_answers

PICTURES = ("loss.png", "confusion.png")
TABLES = ("confusion.csv", "labels.csv", "mistakes.jsonl", ANSWERS, "supervision.txt")
FILES = (*PICTURES, *TABLES)


class Reading(Looking):
    """The calls of the service about runs that change nothing."""

    def __init__(self, root: Path, settings: Settings, endpoint: str | None):
        self._store = Store(root)
        uploads = Uploads(root / "uploads", self._store, settings)
        super().__init__(root, settings, uploads, hub_login.normal(endpoint))
        self._folder = root / "runs"
        self._folder.mkdir(exist_ok=True)
        self._files = states.Files()
        self._lock = threading.Lock()

    def list(self, visitor: Visitor) -> tuple[RunState, ...]:
        """The visitor's runs, newest first."""
        return tuple(self._state(row) for row in self._store.runs(owner=visitor.key, newest_first=True))

    def state(self, visitor: Visitor, run_id: str) -> RunState:
        """How a run stands.

        Raises:
            RunError: there is no such run of this visitor's.
        """
        return self._state(self._own(visitor, run_id))

    def events(self, visitor: Visitor, run_id: str, after: int = 0) -> Sequence[dict[str, Any]]:
        """What the run has told since the event whose `at` is `after`."""
        row = self._own(visitor, run_id)
        names = self._names(row)
        return [names.values(event) for event in states.events(self._folder / row.id, after)]

    def curve(self, visitor: Visitor, run_id: str) -> tuple[tuple[int, float], ...]:
        """Step and loss, for a picture that grows."""
        return self._files.curve(self._folder / self._own(visitor, run_id).id)

    def record(self, visitor: Visitor, run_id: str) -> runfile.Run:
        """All that is known of a run, a record per stage."""
        row = self._own(visitor, run_id)
        return self._names(row).run(self._files.run(self._folder / row.id))

    def options(self, visitor: Visitor, run_id: str) -> Options:
        """What a run was asked for, with the handles of its data: to ask for another like it."""
        row = self._own(visitor, run_id)
        given = self._files.run(self._folder / row.id).options
        return given.but(source=row.source, test_file=row.test or None)

    def answers(self, visitor: Visitor, run_id: str) -> tuple[Answer, ...]:
        """Sample answers of a chat model, untuned beside tuned; none of other models, or before the evaluation."""
        path = self._folder / self._own(visitor, run_id).id / ANSWERS
        return read_answers(path) if path.is_file() else ()

    def file(self, visitor: Visitor, run_id: str, name: str) -> Path:
        """One of `FILES` of a run.

        Raises:
            RunError: it is none of them, or not there (yet).
        """
        path = self._folder / self._own(visitor, run_id).id / name
        if name not in FILES or not path.is_file():
            raise RunError("the run has no such file", f"files of a run are {', '.join(FILES)}")
        return path

    def _own(self, visitor: Visitor, run_id: str) -> RunRow:
        """The row of this visitor's run; of another's, the same words as where there is none."""
        row = self._store.run(run_id)
        if row is None or row.owner != visitor.key:
            raise RunError("there is no such run of yours", "your list of runs shows those that there are")
        return row

    def _names(self, row: RunRow) -> Names:
        """What stands for the paths in a run."""
        folder, paths = self._folder / row.id, {}
        try:
            given = self._files.run(folder).options
            paths = {given.source: row.source} | ({given.test_file: row.test} if given.test_file else {})
        except RunError:
            pass
        shown = {path: self._uploads.name_of(asked) for path, asked in paths.items()}
        return names_of(shown, self._root, folder)

    def _state(self, row: RunRow) -> RunState:
        folder = self._folder / row.id
        try:
            run = self._files.run(folder)
        except TunekitError:
            run = None
        place = None
        if row.status == "queued":
            waiting = [one.id for one in self._store.runs("queued")]
            place = waiting.index(row.id) + 1 if row.id in waiting else None
        return states.state(row, run, folder, place, self._names(row))
