"""Data that visitors give: kept under a handle that nobody can guess, and only its visitor can use."""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tunekit_hub import dataset_ids, storage, units
from tunekit_hub.demo import DEMOS
from tunekit_hub.errors import DataError, UsageError
from tunekit_hub.runs import measuring
from tunekit_hub.runs.settings import Settings
from tunekit_hub.runs.store import Store, UploadRow
from tunekit_hub.runs.visitors import Visitor

UPLOAD, EXAMPLE = "upload-", "example-"
_HUB = "hf://datasets/"
_ASKS = "upload a file, or name a dataset of the Hub as `owner/name`"
_GUESTS = 86_400.0  # seconds that data of guests are kept
_LONGEST = 100  # characters of a file's name
_ODD = re.compile(r"[^\w.()+-]+")


@dataclass(frozen=True)
class Upload:
    """Data that somebody may use, by its handle."""

    handle: str
    name: str
    size: int  # bytes


@dataclass(frozen=True)
class Source:
    """Data as the visitor named it, and as the stages take it."""

    asked: str  # a handle, or a dataset of the Hub
    path: str  # of the file on this machine, or the same dataset
    name: str  # how it is called in front of visitors
    sha256: str | None = None  # of the file; None: a dataset of the Hub


class Uploads:
    """The uploads under `folder`."""

    def __init__(self, folder: Path, store: Store, settings: Settings):
        self._folder, self._store, self._settings = folder, store, settings
        self._examples = {f"{EXAMPLE}{kind}": demo.path for kind, demo in DEMOS.items()}
        self._digests: dict[str, str] = {}  # of the examples, which do not change

    def keep(self, visitor: Visitor, path: Path, name: str) -> Upload:
        """A copy of a file that was sent, under a new handle.

        Raises:
            DataError: it is too large, as it is or unpacked; or this visitor has too many.
        """
        limits, size = self._settings, path.stat().st_size
        if size > limits.max_upload:
            raise DataError(
                f"the file has {units.size(size)}, and at most {units.size(limits.max_upload)} are taken here",
                "give fewer rows, or pack it with gzip; or publish it as a dataset of the Hub and name that",
            )
        if len(self._store.uploads(visitor.key)) >= limits.max_uploads:
            raise DataError(
                f"there are {limits.max_uploads} uploads of yours already, and no more are kept",
                "delete one first",
            )
        if sum(row.size for row in self._store.uploads()) + size > limits.max_kept:
            raise DataError("there is no room for more uploads just now", "try again tomorrow, or name a dataset")
        called = _plain_name(name)
        measuring.refuse_large(path, called, limits.max_unpacked)
        upload_id = secrets.token_hex(16)
        place = self._folder / upload_id / called
        with storage.writing(self._folder):
            place.parent.mkdir(parents=True)
            shutil.copyfile(path, place)
        now = time.time()
        row = UploadRow(upload_id, visitor.key, called, str(place.resolve()), size, _digest(place), now, now)
        self._store.add(row)
        return _upload(row)

    def of(self, visitor: Visitor) -> tuple[Upload, ...]:
        """What this visitor has given, newest first."""
        return tuple(_upload(row) for row in self._store.uploads(visitor.key))

    def examples(self) -> tuple[Upload, ...]:
        """Data of our own that everybody may use."""
        return tuple(Upload(handle, path.name, path.stat().st_size) for handle, path in self._examples.items())

    def source(self, visitor: Visitor, asked: str) -> Source:
        """The data that this visitor means.

        Raises:
            DataError: an upload that there is not, or that is somebody else's.
            UsageError: neither a handle nor a dataset of the Hub; no path or address is ever read.
        """
        asked = asked.strip()
        if asked in self._examples:
            path = self._examples[asked].resolve()
            if asked not in self._digests:
                self._digests[asked] = _digest(path)
            return Source(asked, str(path), path.name, self._digests[asked])
        if asked.startswith((UPLOAD, EXAMPLE)) and "/" not in asked:
            row = self._store.upload(asked.removeprefix(UPLOAD))
            if row is None or row.owner != visitor.key or not Path(row.path).is_file():
                raise DataError("there is no such upload of yours, or it was deleted", "upload the file again")
            return Source(asked, row.path, row.name, row.sha256)
        return _dataset(asked)

    def name_of(self, asked: str) -> str:
        """How data are called that a run was made from, whether they are still there or not."""
        if asked in self._examples:
            return self._examples[asked].name
        row = self._store.upload(asked.removeprefix(UPLOAD)) if asked.startswith(UPLOAD) else None
        return row.name if row else "your upload" if asked.startswith(UPLOAD) else asked

    def give(self, owner: Visitor, handle: str, other: Visitor) -> Upload:
        """Make an upload another visitor's.

        Raises:
            DataError: it is not `owner`'s.
        """
        self.source(owner, handle)
        row = self._store.upload(handle.removeprefix(UPLOAD))
        if row is None or not self._store.give(row.id, owner.key, other.key):
            raise DataError("this is no upload of yours", "upload the file again")
        return _upload(row)

    def forget(self, visitor: Visitor, handle: str) -> None:
        """Delete an upload.

        Raises:
            DataError: there is none of this visitor's.
        """
        found = self.source(visitor, handle)
        if found.sha256 is None or handle in self._examples:
            raise DataError("this is no upload of yours", "only what was uploaded can be deleted")
        self.remove(handle.removeprefix(UPLOAD))

    def remove(self, upload_id: str) -> None:
        """Take an upload from the disk, and then from the list."""
        shutil.rmtree(self._folder / upload_id, ignore_errors=True)
        self._store.remove_upload(upload_id)

    def _kept_for(self, row: UploadRow) -> float:
        """Guests cannot train, and nobody else finds what they have left."""
        return (
            min(self._settings.retention, _GUESTS) if row.owner.startswith("guest:") else self._settings.retention
        )

    def clear(self, in_use: set[str], now: float) -> int:
        """Delete what nobody has used for the time of retention, and what no list knows; how many."""
        kept = self._store.uploads()
        late = [
            row.id for row in kept if f"{UPLOAD}{row.id}" not in in_use and now - row.used > self._kept_for(row)
        ]
        there = {path.name: path for path in self._folder.iterdir()} if self._folder.is_dir() else {}
        # A copy under way is not listed yet, and never an hour old.
        stray = [name for name in there.keys() - {r.id for r in kept} if now - there[name].stat().st_mtime > 3600]
        for upload_id in (*late, *stray):
            self.remove(upload_id)
        return len(late) + len(stray)


def _dataset(asked: str) -> Source:
    found = dataset_ids.parse(f"{_HUB}{asked}")
    if found is None or found.path or "/" not in found.repo or ".." in asked:
        shown = asked if len(asked) < 200 else f"{asked[:200]}…"
        raise UsageError(f"`{shown}` is neither an upload nor a dataset of the Hub", _ASKS)
    # A folder of that name here, or an ending such as `.csv`, would make a path of the short form.
    plain = asked if dataset_ids.parse(asked) else f"{_HUB}{asked}"
    return Source(asked, plain, asked)


def _upload(row: UploadRow) -> Upload:
    return Upload(f"{UPLOAD}{row.id}", row.name, row.size)


def _plain_name(name: str) -> str:
    """A file name with the ending it came with, which says something of the format, and nothing of a path."""
    last = re.split(r"[/\\]", name)[-1]
    stem, dot, ending = _ODD.sub("_", last).strip("._").partition(".")
    return f"{stem[: _LONGEST - 20] or 'data'}{dot}{ending[-19:]}"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
