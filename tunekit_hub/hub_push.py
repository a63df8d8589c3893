"""Publishing: one commit of what differs, or none; nothing half-written stays behind."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import RepoFile

from tunekit_hub import model_files
from tunekit_hub.errors import AccessDenied, HubError, RepoNotFound

Content = Path | bytes
Call = Callable[[str, Callable[[], Any]], Any]  # tries an action again after an outage, and maps its errors
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Push:
    """What became of a publish."""

    url: str
    commit: str
    changed: bool  # False: the repository held exactly this already
    private: bool  # as the repository is, which an existing one keeps


@dataclass(frozen=True)
class Head:
    """A repository as it stands."""

    repo_id: str  # canonical
    commit: str
    private: bool
    files: tuple[str, ...]


def push(
    api: HfApi, call: Call, repo_id: str, files: Mapping[str, Content], *, message: str, private: bool
) -> Push:
    """See `Hub.push`."""
    there = head(api, call, repo_id)
    if there is not None:
        return _commit(api, call, there, files, message)
    created = call(f"creating `{repo_id}`", lambda: _create(api, repo_id, private))
    try:
        there = head(api, call, repo_id)
        if there is None:
            raise AccessDenied(f"`{repo_id}` exists, and this token may not see it", "choose another name")
        return _commit(api, call, there, files, message)
    except BaseException as error:  # Ctrl-C as well: what was begun is taken back
        if created:
            _withdraw(api, call, repo_id, there, error)
        raise


def _create(api: HfApi, repo_id: str, private: bool) -> bool:
    """Whether it was this call that created the repository."""
    try:
        api.create_repo(repo_id, private=private)
    except HfHubHTTPError as error:
        if error.response.status_code == 409:
            return False
        raise
    return True


def head(api: HfApi, call: Call, repo_id: str) -> Head | None:
    """The repository as it stands; None if there is none."""
    try:
        info = call(
            f"looking at `{repo_id}`", lambda: api.model_info(repo_id, expand=["sha", "private", "siblings"])
        )
    except RepoNotFound:
        return None
    files = tuple(file.rfilename for file in info.siblings or ())
    return Head(info.id, info.sha, bool(info.private), files)


def _commit(api: HfApi, call: Call, there: Head, files: Mapping[str, Content], message: str) -> Push:
    url = f"{api.endpoint}/{there.repo_id}"
    todo, stale = _todo(api, call, there, files)
    if not todo and not stale:
        return Push(url, there.commit, changed=False, private=there.private)

    def commit() -> Any:
        added = [CommitOperationAdd(path, content) for path, content in todo.items()]
        deleted = [CommitOperationDelete(path) for path in stale]
        return api.create_commit(
            there.repo_id, [*added, *deleted], commit_message=message, parent_commit=there.commit
        )

    try:
        done = call(f"publishing to `{there.repo_id}`", commit)
    except HubError:
        # The answer may have been lost on the way, not the commit: then the repository holds it by now.
        now = head(api, call, there.repo_id)
        if now is None or now.commit == there.commit or any(_todo(api, call, now, files)):
            raise
        return Push(url, now.commit, changed=True, private=now.private)
    return Push(url, done.oid, changed=True, private=there.private)


def _todo(
    api: HfApi, call: Call, there: Head, files: Mapping[str, Content]
) -> tuple[dict[str, Content], list[str]]:
    """What to write, and what to delete."""
    known = [path for path in files if path in there.files]
    found = []
    if known:
        found = call(
            f"comparing with `{there.repo_id}`",
            lambda: api.get_paths_info(there.repo_id, known, revision=there.commit),
        )
    remote = {file.path: file for file in found if isinstance(file, RepoFile)}
    return differing(files, remote), model_files.superseded(there.files, files)


def _withdraw(api: HfApi, call: Call, repo_id: str, there: Head | None, error: BaseException) -> None:
    """Deletes the repository that was created for a commit that failed, unless somebody has written to it."""
    try:
        now = head(api, call, repo_id)
        if now is not None and (there is None or now.commit == there.commit):
            call(f"deleting the empty `{repo_id}`", lambda: api.delete_repo(repo_id, missing_ok=True))
    except HubError:
        error.add_note(f"`{repo_id}` was created for this and is still there, empty")


def differing(files: Mapping[str, Content], remote: Mapping[str, Any]) -> dict[str, Content]:
    """Those of `files` that the repository lacks or holds otherwise.

    Args:
        files: Path in the repository → content.
        remote: Path → huggingface_hub's `RepoFile`, for those that are there.
    """
    return {path: content for path, content in files.items() if not _same(content, remote.get(path))}


def _same(content: Content, there: Any) -> bool:
    if there is None or _size(content) != there.size:
        return False
    if there.lfs is not None:
        return _digest(content, hashlib.sha256) == there.lfs.sha256
    # Git names a small file by the SHA-1 of its kind, its length and its bytes.
    return _digest(content, hashlib.sha1, b"blob %d\0" % there.size) == there.blob_id


def _size(content: Content) -> int:
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
