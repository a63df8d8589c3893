"""One repo: its record, its refs, its commits. Everything but refs and the record is written once.

repo.json          the record           refs/heads%2Fmain   a commit id
commits/ID.json    with the whole tree  objects/SHA256      empty: this repo was given that large file
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from tunekit_hub.facts import Record
from tunekit_hub.localhub.refusals import bad_request, conflict, revision_not_found
from tunekit_hub.localhub.repo_records import RepoRecord, now
from tunekit_hub.localhub.storage import KINDS, Storage

MAIN = "refs/heads/main"
_COMMIT_ID = re.compile(r"[0-9a-f]{40}")


class Entry(Record):
    """One file of a tree. `oid` is git's id: of the content, or of the pointer of a large file."""

    oid: str
    size: int
    sha256: str
    lfs: bool = False


class Commit(Record):
    """One commit, with its whole tree."""

    id: str
    parent: str | None
    title: str
    message: str
    author: str
    date: str
    tree: dict[str, Entry]


def git_oid(content: bytes) -> str:
    """The id git gives to a file."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def pointer(sha256: str, size: int) -> bytes:
    """What git holds in place of a large file."""
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n".encode()


def large_entry(sha256: str, size: int) -> Entry:
    """The tree entry of a large file."""
    return Entry(oid=git_oid(pointer(sha256, size)), size=size, sha256=sha256, lfs=True)


@lru_cache(maxsize=4096)
def _read_commit(path: Path) -> Commit:
    """A commit's name is its hash, so what was read once holds for good."""
    return Commit.model_validate_json(path.read_bytes())


class Repo:
    """A repo on disk; every call reads what is there now."""

    def __init__(self, storage: Storage, folder: Path):
        self.storage = storage
        self.folder = folder
        self.record = self.reload()
        plural, namespace, name = folder.parts[-3:]
        self.kind = next(kind for kind, folder_name in KINDS.items() if folder_name == plural)
        self.id = f"{namespace}/{name}"

    @property
    def namespace(self) -> str:
        """Who owns it."""
        return self.id.split("/")[0]

    def reload(self) -> RepoRecord:
        """The record as it is now: another call may have changed it while this one waited for its body."""
        self.record = RepoRecord.model_validate_json((self.folder / "repo.json").read_bytes())
        return self.record

    def update(self, **changes: object) -> None:
        """Change the record."""
        with self.storage.lock:
            self.record = RepoRecord.model_validate(self.reload().but(**changes).model_dump())
            self.storage.write_json(self.folder / "repo.json", self.record.model_dump_json(indent=1))

    def refs(self) -> dict[str, str]:
        """Full ref name → commit id."""
        return {unquote(p.name): p.read_text(encoding="ascii") for p in sorted((self.folder / "refs").iterdir())}

    def set_ref(self, ref: str, commit: str) -> None:
        """Point a ref at a commit; this is what makes a commit visible."""
        if not re.fullmatch(r"refs/(heads|tags|pr)/[A-Za-z0-9_][A-Za-z0-9_./-]{0,199}", ref) or ".." in ref:
            raise bad_request(f"Invalid ref name: {ref!r}")
        self.storage.write_json(self.folder / "refs" / quote(ref, safe=""), commit)

    def delete_ref(self, ref: str) -> None:
        """Remove a branch or a tag."""
        if ref not in self.refs():
            raise revision_not_found(ref)
        (self.folder / "refs" / quote(ref, safe="")).unlink()

    def find_ref(self, revision: str) -> str | None:
        """The full name of the ref that `revision` means, if it means one."""
        candidates = (f"refs/heads/{revision}", f"refs/tags/{revision}", revision)
        return next((ref for ref in candidates if ref in self.refs()), None)

    def commit(self, revision: str) -> Commit:
        """The commit that a branch, a tag, a full ref or an id means; 404 if none."""
        ref = self.find_ref(revision)
        oid = self.refs()[ref] if ref else revision
        path = self.folder / "commits" / f"{oid}.json"
        if not _COMMIT_ID.fullmatch(oid) or not path.exists():
            raise revision_not_found(revision)
        return _read_commit(path)

    def history(self, revision: str) -> Iterator[Commit]:
        """That commit and its ancestors, newest first."""
        step: str | None = revision
        while step:
            commit = self.commit(step)
            yield commit
            step = commit.parent

    def add_commit(
        self,
        ref: str,
        tree: Mapping[str, Entry],
        author: str,
        title: str,
        message: str = "",
        parent: str | None = None,
    ) -> Commit:
        """Write a commit on top of `parent` (None: the tip of `ref`), then let the ref point at it."""
        with self.storage.lock:
            fields: dict[str, Any] = {
                "parent": parent or self.refs().get(ref),
                "title": title,
                "message": message,
                "author": author,
                "date": now(),
                "tree": {path: tree[path].model_dump() for path in sorted(tree)},
            }
            oid = hashlib.sha1(json.dumps([self.id, fields], sort_keys=True).encode()).hexdigest()
            commit = Commit(id=oid, **fields)
            self.storage.write_json(self.folder / "commits" / f"{oid}.json", commit.model_dump_json())
            self.set_ref(ref, oid)
            return commit

    def content(self, entry: Entry) -> bytes:
        """The bytes of a file."""
        return self.storage.blob(entry.sha256).read_bytes()

    def has_object(self, sha256: str) -> bool:
        """Whether this repo was given a large file, committed or not."""
        return (self.folder / "objects" / sha256).exists()

    def add_object(self, sha256: str) -> None:
        """Note that this repo was given a large file."""
        (self.folder / "objects" / sha256).touch()


def open_repo(storage: Storage, kind: str, name: str) -> Repo | None:
    """The repo, if there is one of this id."""
    folder = storage.repo_folder(kind, name)
    return Repo(storage, folder) if "/" in name and (folder / "repo.json").exists() else None


def create_repo(storage: Storage, kind: str, name: str, *, private: bool = False, app: str = "") -> Repo:
    """A new, empty repo without a commit."""
    with storage.lock:
        folder = storage.repo_folder(kind, name)
        if "/" not in name or (folder / "repo.json").exists():
            raise conflict(f"{name} cannot be created")
        for part in ("refs", "commits", "objects"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        record = RepoRecord(created=now(), private=private, app=app)
        storage.write_json(folder / "repo.json", record.model_dump_json(indent=1))
        storage.drop_redirect(kind, name)
        return Repo(storage, folder)


def delete_repo(repo: Repo) -> None:
    """Remove a repo. Its blobs stay: another repo may hold the same bytes."""
    gone = repo.storage.temporary()
    os.replace(repo.folder, gone)
    shutil.rmtree(gone)


def move_repo(repo: Repo, new: str) -> Repo:
    """Rename a repo and leave a redirect."""
    storage, target = repo.storage, repo.storage.repo_folder(repo.kind, new)
    with storage.lock:
        target.parent.mkdir(parents=True, exist_ok=True)
        storage.drop_redirect(repo.kind, new)
        storage.add_redirect(repo.kind, repo.id, new)  # first: a redirect from a repo that exists is harmless
        os.replace(repo.folder, target)
        return Repo(storage, target)
