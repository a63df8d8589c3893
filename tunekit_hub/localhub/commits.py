"""A commit, as the client sends it: one JSON object a line, the header first. All of it or none of it."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tunekit_hub.localhub import cards
from tunekit_hub.localhub.context import text
from tunekit_hub.localhub.refusals import bad_request, entry_not_found, stale_parent
from tunekit_hub.localhub.repos import Commit, Entry, Repo, git_oid, large_entry

_LARGEST = 10 << 20  # bytes of a file within a commit, as on the Hub


@dataclass
class Change:
    """One commit to be."""

    title: str = ""
    message: str = ""
    parent: str | None = None
    operations: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def parse(body: bytes) -> Change:
    """Read the lines; 400 for anything that is not a commit."""
    change = Change()
    for number, line in enumerate(body.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            key, value = item["key"], item["value"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise bad_request(f"Line {number} of the commit is not an operation") from error
        if not isinstance(value, dict):
            raise bad_request(f"Line {number} of the commit has no value")
        if key == "header":
            change.title, change.message = text(value, "summary"), text(value, "description", "")
            change.parent = value.get("parentCommit")
        elif key in _OPERATIONS:
            change.operations.append((key, value))
        else:
            raise bad_request(f"Unknown operation {key!r} on line {number} of the commit")
    if not change.title.strip():
        raise bad_request("A commit needs a summary")
    return change


def legal_path(path: str) -> str:
    """A path inside a repo; 400 for one that leads out of a folder when somebody downloads it."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or len(part) > 255 for part in parts) or parts[0].lower() == ".git":
        raise bad_request(f"Invalid path: {path!r}")
    if any(character in "\\\0" or ord(character) < 32 for character in path):
        raise bad_request(f"Invalid path: {path!r}")
    return path


class Tree:
    """A tree that operations are tried on, before anything is written."""

    def __init__(self, repo: Repo, start: Commit, may_use: Callable[[str], bool]):
        self.repo = repo
        self.start = start
        self.may_use = may_use  # whether the caller has a right to that large file
        self.files = dict(start.tree)

    def add_file(self, value: dict[str, Any]) -> None:
        """A small file, with its content in the line."""
        path = legal_path(text(value, "path"))
        if value.get("encoding", "base64") != "base64":
            raise bad_request(f"Unknown encoding of {path}: {value['encoding']!r}")
        try:
            content = base64.b64decode(text(value, "content"), validate=True)
        except (binascii.Error, ValueError) as error:
            raise bad_request(f"The content of {path} is not base64") from error
        if len(content) > _LARGEST:
            raise bad_request(f"{path} has more than 10 MiB: it has to be uploaded as a large file")
        if path == "README.md":
            self._check_card(content)
        sha256, size = self.repo.storage.put(content)
        self.files[path] = Entry(oid=git_oid(content), size=size, sha256=sha256)

    def _check_card(self, content: bytes) -> None:
        errors, _ = cards.validate(content.decode("utf-8", "replace"), self.repo.kind)
        if errors:
            raise bad_request(f"Invalid metadata in README.md: {errors[0]}")

    def add_large_file(self, value: dict[str, Any]) -> None:
        """A file that was uploaded before. Knowing the hash of somebody's file gives no right to it."""
        path, oid = legal_path(text(value, "path")), text(value, "oid")
        if value.get("algo", "sha256") != "sha256" or not self.may_use(oid):
            raise bad_request(f"The content of {path} has not been uploaded")
        blob = self.repo.storage.blob(oid)
        self.files[path] = large_entry(oid, blob.stat().st_size)
        self.repo.add_object(oid)

    def delete_file(self, value: dict[str, Any]) -> None:
        """A file that must be there."""
        path = text(value, "path")
        if self.files.pop(path, None) is None:
            raise entry_not_found(path, self.start.id)

    def delete_folder(self, value: dict[str, Any]) -> None:
        """Everything under a folder that must be there."""
        folder = text(value, "path").strip("/") + "/"
        inside = [path for path in self.files if path.startswith(folder)]
        if not inside:
            raise entry_not_found(folder, self.start.id)
        for path in inside:
            del self.files[path]

    def check(self) -> None:
        """No name is a file and a folder at once."""
        for path in self.files:
            parts = path.split("/")
            for depth in range(1, len(parts)):
                if "/".join(parts[:depth]) in self.files:
                    raise bad_request(f"{'/'.join(parts[:depth])} is a file and a folder")


_OPERATIONS: dict[str, Callable[[Tree, dict[str, Any]], None]] = {
    "file": Tree.add_file,
    "lfsFile": Tree.add_large_file,
    "deletedFile": Tree.delete_file,
    "deletedFolder": Tree.delete_folder,
}


def apply(
    repo: Repo, change: Change, *, ref: str, start: str, author: str, may_use: Callable[[str], bool]
) -> Commit:
    """Put a change on top of commit `start` and let `ref` point there.

    `start` is the tip of `ref`, or where a new ref branches off.
    """
    with repo.storage.lock:
        base = repo.commit(start)
        if change.parent is not None and change.parent != base.id:
            raise stale_parent()
        tree = Tree(repo, base, may_use)
        for key, value in change.operations:
            _OPERATIONS[key](tree, value)
        tree.check()
        return repo.add_commit(ref, tree.files, author, change.title, change.message, parent=base.id)
