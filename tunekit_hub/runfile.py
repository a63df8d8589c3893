"""`run.json`: history, resume point, card source and what a page shows, in one file.

Flat on disk, a key per record; loading nests the records again. Written to a temporary file and renamed, so a
reader sees the old one or the new one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from tunekit_hub import records
from tunekit_hub.errors import RunError, TunekitError
from tunekit_hub.facts import Options, Record

SCHEMA = 1
NAME = "run.json"
# key in run.json → the record, and the field that holds its predecessor
CHAIN: dict[str, tuple[type[Record], str | None]] = {
    "profile": (records.Profile, None),
    "recommendation": (records.Recommendation, "profile"),
    "selection": (records.Selection, "recommendation"),
    "plan": (records.Plan, "selection"),
    "training": (records.TrainResult, "plan"),
    "evaluation": (records.Evaluation, "training"),
    "publication": (records.Publication, "evaluation"),
}


class Failure(Record):
    """What ended a run early."""

    code: str
    message: str
    hint: str

    @classmethod
    def of(cls, error: TunekitError) -> Failure:
        """What an error of ours says."""
        return cls(code=error.code, message=error.message, hint=error.hint)


class Run(Record):
    """One run as it stands."""

    options: Options
    status: Literal["running", "paused", "done", "failed", "interrupted"] = "running"  # paused: as asked
    stage: str = "profile"  # the one in progress, or the last one done
    error: Failure | None = None
    versions: dict[str, str] = {}
    rehearsal: records.Rehearsal | None = None
    record: Record | None = None  # the deepest stage record there is

    def __getattr__(self, name: str) -> Any:
        """The record of a stage, by its key; None where the run has not come so far."""
        if name not in CHAIN:
            raise AttributeError(name)
        return chain(self.record).get(name)


def chain(record: Record | None) -> dict[str, Record]:
    """A stage record and all it was made from, by key, first stage first."""
    found: dict[str, Record] = {}
    while record is not None:
        key = next(key for key, (kind, _) in CHAIN.items() if isinstance(record, kind))
        found[key] = record
        before = CHAIN[key][1]
        record = getattr(record, before) if before else None
    return dict(reversed(found.items()))


def flat(record: Record | None) -> dict[str, Any]:
    """A stage record as plain JSON values, a key per stage, nothing twice."""
    return {
        key: part.model_dump(mode="json", exclude={before} if (before := CHAIN[key][1]) else set())
        for key, part in chain(record).items()
    }


@contextmanager
def locked(folder: Path) -> Generator[None]:
    """Nobody else works on the run in `folder` meanwhile. The lock goes with its process, however that ends.

    Raises:
        RunError: another process is at work there.
    """
    import filelock

    if not folder.is_dir():  # then there is no run to guard, and loading it says so
        yield
        return
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise RunError(
            f"another process is at work on the run in `{folder}`", "wait until it is done, or end it first"
        ) from error
    try:
        yield
    finally:
        lock.release()


def save(run: Run, folder: Path) -> None:
    """Write `run` to `folder/run.json`, whole or not at all."""
    data = run.profile.data if run.profile else None
    content = {
        "schema": SCHEMA,
        "status": run.status,
        "stage": run.stage,
        "error": run.error.model_dump() if run.error else None,
        "data": data.model_dump() if data else {"source": run.options.source},
        "versions": run.versions,
        "seed": run.options.seed,
        "options": run.options.model_dump(mode="json"),
        "rehearsal": run.rehearsal.model_dump(mode="json") if run.rehearsal else None,
        **flat(run.record),
    }
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{NAME}.{os.getpid()}"
    try:
        half.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        half.replace(folder / NAME)
    except OSError:
        half.unlink(missing_ok=True)
        raise


def load(folder: str | Path) -> Run:
    """The run in `folder`.

    Raises:
        RunError: there is none, or it was written by another version and cannot be read.
    """
    folder = Path(folder)
    path = folder / NAME
    if not path.is_file():
        raise RunError(
            f"`{folder}` holds no run: there is no {NAME}", "`tunekit-hub runs` lists the runs that are here"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        record: Record | None = None
        for key, (kind, before) in CHAIN.items():
            if key not in content:
                break
            record = kind.model_validate(content[key] | ({before: record} if before else {}))
            if isinstance(record, records.TrainResult):
                record = record.but(run_dir=str(folder))
        return Run(
            options=Options.model_validate(content["options"]),
            status=content["status"],
            stage=content["stage"],
            error=content["error"],
            versions=content["versions"],
            rehearsal=content["rehearsal"],
            record=record,
        )
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise RunError(
            f"`{path}` cannot be read: {str(error).splitlines()[0]}", "start the run again in a new folder"
        ) from error
