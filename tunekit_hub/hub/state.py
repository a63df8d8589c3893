"""A repository as it stands, held against what is to be in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import HfApi
from huggingface_hub.hf_api import RepoFile

from tunekit_hub import model_files
from tunekit_hub.errors import RepoNotFound

Content = Path | bytes
Call = Callable[[str, Callable[[], Any]], Any]  # tries an action again after an outage, and maps its errors
State = Literal["new", "changed", "unchanged", "deleted"]
MAIN = "main"
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Client:
    """The real client, how it is called, and where a long upload tells of itself."""

    api: HfApi
    call: Call
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Head:
    """A repository as it stands at a revision."""

    repo_id: str  # canonical
    commit: str
    private: bool
    files: tuple[str, ...]
    revision: str = MAIN


@dataclass(frozen=True)
class Refs:
    """Branches and tags, each with its commit."""

    branches: Mapping[str, str]
    tags: Mapping[str, str]


def refs(client: Client, repo_id: str) -> Refs:
    """All branches and tags of a repository."""
    found = client.call(f"reading branches and tags of `{repo_id}`", lambda: client.api.list_repo_refs(repo_id))
    branches, tags = ({ref.name: ref.target_commit for ref in kind} for kind in (found.branches, found.tags))
    return Refs(branches, tags)


def head(client: Client, repo_id: str, revision: str = MAIN) -> Head | None:
    """The repository as it stands at a revision that exists; None if there is no such repository."""
    fields: Any = ["sha", "private", "siblings"]
    at = None if revision == MAIN else revision
    try:
        info = client.call(
            f"looking at `{repo_id}`", lambda: client.api.model_info(repo_id, revision=at, expand=fields)
        )
    except RepoNotFound:
        return None
    files = tuple(file.rfilename for file in info.siblings or ())
    return Head(info.id, info.sha, bool(info.private), files, revision)


def compare(client: Client, there: Head, files: Mapping[str, Content]) -> dict[str, State]:
    """What a push would do to each file, and to those that it would delete."""
    differ, stale = todo(client, there, files)
    found: dict[str, State] = {
        path: "unchanged" if path not in differ else "changed" if path in there.files else "new" for path in files
    }
    for path in stale:
        found[path] = "deleted"
    return found


def todo(client: Client, there: Head, files: Mapping[str, Content]) -> tuple[dict[str, Content], list[str]]:
    """What to write, and what to delete."""
    known = [path for path in files if path in there.files]
    found = []
    if known:
        found = client.call(
            f"comparing with `{there.repo_id}`",
            lambda: client.api.get_paths_info(there.repo_id, known, revision=there.commit),
        )
    remote = {file.path: file for file in found if isinstance(file, RepoFile)}
    return differing(files, remote), model_files.superseded(there.files, files)


def differing(files: Mapping[str, Content], remote: Mapping[str, Any]) -> dict[str, Content]:
    """Those of `files` that the repository lacks or holds otherwise.

    Args:
        files: Path in the repository → content.
        remote: Path → huggingface_hub's `RepoFile`, for those that are there.
    """
    return {path: content for path, content in files.items() if not _same(content, remote.get(path))}


def _same(content: Content, there: Any) -> bool:
    if there is None or size(content) != there.size:
        return False
    if there.lfs is not None:
        return _digest(content, hashlib.sha256) == there.lfs.sha256
    # Git names a small file by the SHA-1 of its kind, its length and its bytes.
    return _digest(content, hashlib.sha1, b"blob %d\0" % there.size) == there.blob_id


def size(content: Content) -> int:
    """In bytes."""
    return len(content) if isinstance(content, bytes) else content.stat().st_size


def _digest(content: Content, kind: Callable[[bytes], Any], start: bytes = b"") -> str:
    digest = kind(start)
    if isinstance(content, bytes):
        digest.update(content)
        return digest.hexdigest()
    with content.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
