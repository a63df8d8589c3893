"""The folder: blobs by their sha256, one folder per repo, JSON written to a temporary file and renamed.

    blobs/ab/ab12…            contents, never changed, never deleted
    repos/models/NS/NAME/     one repo (repos.py)
    redirects.json            old id → new id, by kind
    collections/, oauth/      collections.py, oauth_apps.py
    serving.lock              held by the one server of the folder; serving.json says where it answers

A process killed at any moment leaves either the old state or the new one. Nothing from a request becomes a
file name unless `repo_id` or a hash check has passed it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from filelock import FileLock, Timeout

from tunekit_hub.errors import UsageError
from tunekit_hub.localhub.refusals import bad_request, no_room

KINDS = {"model": "models", "dataset": "datasets", "space": "spaces"}
SHA256 = re.compile(r"[0-9a-f]{64}")
_RESERVE = 16 << 20  # bytes that stay free for what goes with an upload: commits, refs
_SEGMENT = re.compile(r"(?![-.])[A-Za-z0-9._-]{1,96}(?<![-.])")


def repo_id(text: str) -> str:
    """The id, if it is one (`namespace/name`, as the Hub spells them); 400 otherwise."""
    parts = text.split("/")
    legal = all(_SEGMENT.fullmatch(part) for part in parts) and len(parts) <= 2 and len(text) <= 96
    if not legal or "--" in text or ".." in text or text.endswith(".git"):
        raise bad_request(f"Invalid repo id: {text!r}")
    return text


class BlobWriter:
    """Takes bytes as they come, and knows their hash and size at the end."""

    def __init__(self, storage: Storage):
        self.storage = storage
        self.path = storage.temporary()
        self._file = self.path.open("wb")
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Add bytes."""
        self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        """Of what was written so far."""
        return self._hash.hexdigest()

    def keep(self) -> str:
        """Move what was written among the blobs."""
        self._file.close()
        target = self.storage.blob(self.sha256)
        target.parent.mkdir(exist_ok=True)
        os.replace(self.path, target)
        return self.sha256

    def adopt(self, path: Path) -> None:
        """Take a file that was written elsewhere in the folder, as if its bytes had come one by one."""
        self.drop()
        self.path = path
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                self._hash.update(chunk)
                self.size += len(chunk)

    def drop(self) -> None:
        """Forget what was written, unless it was kept."""
        self._file.close()
        self.path.unlink(missing_ok=True)


class Storage:
    """All that a local Hub holds."""

    def __init__(self, folder: str | Path):
        self.folder = Path(folder).resolve()
        self.lock = threading.RLock()
        for name in ("blobs", "tmp", *(f"repos/{plural}" for plural in KINDS.values())):
            (self.folder / name).mkdir(parents=True, exist_ok=True)

    def __repr__(self) -> str:
        return f"Storage({str(self.folder)!r})"

    def hold(self, endpoint: str = "") -> AbstractContextManager[object]:
        """Keep every other process out of the folder while the block runs, and no longer than this one lives.

        Args:
            endpoint: Where the folder is served; empty for whoever only fills it.

        Raises:
            UsageError: Another process holds it.
        """
        path = self.folder / "serving.json"
        try:
            held = FileLock(self.folder / "serving.lock").acquire(timeout=0)
        except Timeout:
            holder = json.loads(path.read_text(encoding="utf-8"))["holder"] if path.exists() else "another process"
            raise UsageError(
                f"`{self.folder}` is in use already, by {holder}",
                "use that local Hub, stop it, or take another folder",
            ) from None
        holder = f"process {os.getpid()}" + (f", which serves it at {endpoint}" if endpoint else "")
        self.write_json(path, json.dumps({"endpoint": endpoint or self.served_at(), "holder": holder}))
        return held

    def served_at(self) -> str:
        """Where this folder was served last; empty where it never was."""
        path = self.folder / "serving.json"
        return json.loads(path.read_text(encoding="utf-8"))["endpoint"] if path.exists() else ""

    def check_room(self, size: int) -> None:
        """Refuse what the disk does not hold, before it is sent; 507."""
        free = shutil.disk_usage(self.folder).free
        if size > free - _RESERVE:
            raise no_room(f"{size} bytes do not fit on the disk of this local Hub, which has {free} left")

    def clean(self) -> None:
        """Remove what a killed process left half written. Only for whoever starts to serve the folder."""
        shutil.rmtree(self.folder / "tmp")
        (self.folder / "tmp").mkdir()

    def temporary(self) -> Path:
        """A new name on the same disk, so that a rename is atomic."""
        return self.folder / "tmp" / uuid.uuid4().hex

    def write_json(self, path: Path, text: str) -> None:
        """Replace a file in one step."""
        path.parent.mkdir(parents=True, exist_ok=True)
        new = self.temporary()
        new.write_text(text, encoding="utf-8")
        os.replace(new, path)

    def blob(self, sha256: str) -> Path:
        """Where the contents with this hash are, or would be."""
        if not SHA256.fullmatch(sha256):
            raise bad_request(f"Not a sha256: {sha256!r}")
        return self.folder / "blobs" / sha256[:2] / sha256

    def put(self, content: bytes | Path) -> tuple[str, int]:
        """Store bytes or a file; their sha256 and size."""
        writer = BlobWriter(self)
        try:
            if isinstance(content, bytes):
                writer.write(content)
            else:
                with content.open("rb") as source:
                    while chunk := source.read(1 << 20):
                        writer.write(chunk)
            return writer.keep(), writer.size
        finally:
            writer.drop()

    def repo_folder(self, kind: str, name: str) -> Path:
        """Where a repo is, or would be."""
        return self.folder / "repos" / KINDS[kind] / repo_id(name)

    def repo_names(self, kind: str) -> Iterator[str]:
        """Every repo of a kind, sorted."""
        root = self.folder / "repos" / KINDS[kind]
        for record in sorted(root.glob("*/*/repo.json")):
            yield record.parent.relative_to(root).as_posix()

    def current_id(self, kind: str, name: str) -> str | None:
        """The id of the repo that `name` means: a former id, or one in other letter case."""
        wanted = name.lower()
        former = {key.lower(): new for key, new in self._redirects().items()}
        spelled = {there.lower(): there for there in self.repo_names(kind)}
        return spelled.get(wanted) or former.get(f"{kind}/{wanted}")

    def add_redirect(self, kind: str, old: str, new: str) -> None:
        """From now on `old` leads to `new`, and so does whatever led to `old`."""
        with self.lock:
            moved = {k: new if v == old and k.startswith(f"{kind}/") else v for k, v in self._redirects().items()}
            moved[f"{kind}/{repo_id(old)}"] = repo_id(new)
            self.write_json(self.folder / "redirects.json", json.dumps(moved, indent=1))

    def drop_redirect(self, kind: str, old: str) -> None:
        """`old` is free for a repo of its own again."""
        with self.lock:
            kept = {k: v for k, v in self._redirects().items() if k != f"{kind}/{old}"}
            if len(kept) != len(self._redirects()):
                self.write_json(self.folder / "redirects.json", json.dumps(kept, indent=1))

    def _redirects(self) -> dict[str, str]:
        path = self.folder / "redirects.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
