"""Who owns what, what waits and what works: one SQLite file. Everything else about a run is in its folder.

Every call opens the file, does one short transaction and closes it, so threads and processes need no agreement.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from tunekit_hub.errors import StorageError

Status = Literal["queued", "running", "stopping", "needs sign-in", "done", "failed", "cancelled"]
WAITING: tuple[Status, ...] = ("queued", "needs sign-in")
AT_WORK: tuple[Status, ...] = ("running", "stopping")
ENDED: tuple[Status, ...] = ("done", "failed", "cancelled")
NAME = "service.sqlite"
SCHEMA = 1
_PATIENCE = 30.0  # seconds for another transaction to end
_TABLES = """
create table uploads (
    id text primary key, owner text not null, name text not null, path text not null, size integer not null,
    sha256 text not null, created real not null, used real not null
) strict;
create index uploads_owner on uploads (owner, created);
create table runs (
    id text primary key, owner text not null, title text not null, source text not null, test text not null,
    status text not null, needs_token integer not null, created real not null, queued real not null,
    started real, ended real, kills integer not null, pid integer, pid_started real, why text not null
) strict;
create index runs_owner on runs (owner, created);
create index runs_status on runs (status, queued);
"""


@dataclass(frozen=True)
class UploadRow:
    """A file that a visitor gave."""

    id: str
    owner: str  # `Visitor.key`
    name: str  # as the visitor calls it
    path: str
    size: int
    sha256: str
    created: float
    used: float  # when a run with it was submitted, or ended, or a look was taken


@dataclass(frozen=True)
class RunRow:
    """A run: whose it is, and where it stands in the queue."""

    id: str
    owner: str
    title: str
    source: str  # as the visitor named it: a handle, or a dataset of the Hub
    test: str  # the same of the rows to test on; empty: none
    status: Status
    needs_token: bool
    created: float
    queued: float  # place in the queue
    started: float | None = None
    ended: float | None = None
    kills: int = 0  # how often its process was killed since the visitor set it going
    pid: int | None = None
    pid_started: float | None = None  # by which a process is told from a later one with the same number
    why: str = ""  # a word about the last thing that happened to it


Row = TypeVar("Row", UploadRow, RunRow)


class Store:
    """The database in `folder`.

    Raises:
        StorageError: it was written by a later version.
    """

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)  # it holds what visitors upload
        self._path = folder / NAME
        with self._transaction() as data:
            version = data.execute("pragma user_version").fetchone()[0]
            if version == 0:
                for statement in _TABLES.split(";"):
                    data.execute(statement)
                data.execute(f"pragma user_version = {SCHEMA}")
            elif version != SCHEMA:
                raise StorageError(
                    f"`{self._path.name}` has the form {version}, and this version reads {SCHEMA}",
                    "install the version that wrote it, or give another folder: `--root DIR`",
                )

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        data = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        try:
            data.execute("pragma journal_mode = wal")
            data.execute("pragma synchronous = normal")
            data.execute("begin immediate")
            yield data
            data.execute("commit")
        except BaseException:
            if data.in_transaction:
                data.execute("rollback")
            raise
        finally:
            data.close()

    def _read(self, kind: type[Row], table: str, where: str = "1", values: tuple[Any, ...] = ()) -> list[Row]:
        data = sqlite3.connect(self._path, timeout=_PATIENCE, isolation_level=None)
        try:
            names = ", ".join(field.name for field in fields(kind))
            found = data.execute(f"select {names} from {table} where {where}", values)  # noqa: S608 - our own words
            return [kind(*row) for row in found.fetchall()]
        finally:
            data.close()

    def add(self, row: UploadRow | RunRow) -> None:
        """Keep a new row."""
        names = [field.name for field in fields(row)]
        marks, table = ", ".join("?" * len(names)), "uploads" if isinstance(row, UploadRow) else "runs"
        with self._transaction() as data:
            data.execute(
                f"insert into {table} ({', '.join(names)}) values ({marks})",  # noqa: S608
                tuple(getattr(row, name) for name in names),
            )

    def upload(self, upload_id: str) -> UploadRow | None:
        """The upload of that id."""
        return next(iter(self._read(UploadRow, "uploads", "id = ?", (upload_id,))), None)

    def uploads(self, owner: str | None = None) -> list[UploadRow]:
        """All uploads of a visitor, or of everybody; newest first."""
        where, values = ("owner = ?", (owner,)) if owner else ("1", ())
        return self._read(UploadRow, "uploads", f"{where} order by created desc, rowid desc", values)

    def run(self, run_id: str) -> RunRow | None:
        """The run of that id."""
        return next(iter(self._read(RunRow, "runs", "id = ?", (run_id,))), None)

    def runs(self, *statuses: Status, owner: str | None = None, newest_first: bool = False) -> list[RunRow]:
        """Runs in these states, or all; of one visitor, or of everybody; in the order of the queue."""
        marks = ", ".join("?" * len(statuses))
        where = [f"status in ({marks})"] if statuses else []
        where += ["owner = ?"] if owner else []
        order = "created desc, rowid desc" if newest_first else "queued, rowid"
        values = (*statuses, *([owner] if owner else []))
        return self._read(RunRow, "runs", f"{' and '.join(where) or '1'} order by {order}", values)

    def move(self, run_id: str, *before: Status, **changes: Any) -> bool:
        """Change columns of a run that is in one of the states `before` (any, if none is named).

        Returns:
            Whether it was, so that of two who want to move it only one does.
        """
        columns = ", ".join(f"{name} = ?" for name in changes)
        where = f" and status in ({', '.join('?' * len(before))})" if before else ""
        with self._transaction() as data:
            done = data.execute(
                f"update runs set {columns} where id = ?{where}",  # noqa: S608
                (*changes.values(), run_id, *before),
            )
            return done.rowcount == 1

    def give(self, upload_id: str, before: str, owner: str) -> bool:
        """An upload has another owner; whether it was that of `before`."""
        with self._transaction() as data:
            sql = "update uploads set owner = ? where id = ? and owner = ?"
            return data.execute(sql, (owner, upload_id, before)).rowcount == 1

    def touch(self, upload_id: str, now: float) -> None:
        """An upload was used."""
        with self._transaction() as data:
            data.execute("update uploads set used = max(used, ?) where id = ?", (now, upload_id))

    def remove_upload(self, upload_id: str) -> None:
        """Forget an upload."""
        with self._transaction() as data:
            data.execute("delete from uploads where id = ?", (upload_id,))

    def remove_run(self, run_id: str, *before: Status) -> bool:
        """Forget a run that is in one of the states `before`; whether it was."""
        with self._transaction() as data:
            marks = ", ".join("?" * len(before))
            sql = f"delete from runs where id = ? and status in ({marks})"  # noqa: S608
            return data.execute(sql, (run_id, *before)).rowcount == 1
