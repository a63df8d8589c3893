"""What the Space needs of the Hub: whether a visitor may read a dataset, how large it is; and its own repo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunekit_hub.hub import Hub  # isort: skip, it sets the client's environment

from huggingface_hub import CommitOperationAdd, CommitOperationDelete
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.hf_api import RepoFile

from tunekit_hub import units
from tunekit_hub.dataset_ids import DatasetId
from tunekit_hub.errors import DataError, HubError, RepoNotFound
from tunekit_hub.hub import datasets as hub_datasets
from tunekit_hub.hub.connection import TIMEOUT
from tunekit_hub.hub.push import Push, differing

KIND: Any = "space"


def check_dataset(hub: Hub, dataset: DatasetId) -> None:
    """That this token may read a dataset. Asked each time: another visitor may have had it fetched.

    Raises:
        HubError: it is missing, or this token may not read it.
    """
    path = f"/api/datasets/{quote(dataset.repo)}/auth-check"
    hub._call(f"asking for the dataset `{dataset.repo}`", lambda: hub._get(path))


def fetch_dataset(hub: Hub, dataset: DatasetId, limit: int) -> list[Path]:
    """The files that are read of a dataset, on this machine; not fetched where they have more than `limit` bytes.

    Raises:
        DataError: they have more, or it is not clear which are meant.
        HubError: as `check_dataset`.
    """
    what = f"reading the files of the dataset `{dataset.repo}`"
    options: Any = {"revision": dataset.revision, "files_metadata": True, "timeout": TIMEOUT}
    info = hub._call(what, lambda: hub._api.dataset_info(dataset.repo, **options))
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or ()}
    if sum(sizes.values()) > limit:  # all of them; it may be a small part that is meant
        total = sum(sizes.get(name, 0) for name in _names(hub, dataset))
        if total > limit:
            raise DataError(
                f"the files of the dataset `{dataset.repo}` have {units.size(total)}, and at most "
                f"{units.size(limit)} are fetched here",
                "name a smaller part of it, as `owner/name:CONFIG`; or train on your own machine",
            )
    found = hub_datasets.fetch(hub, dataset)
    return [found.folder / name for name in (*found.parts.train, *found.parts.test)]


def _names(hub: Hub, dataset: DatasetId) -> tuple[str, ...]:
    """Which files are read of a dataset, found with its card alone."""
    _, commit, *_, files = hub_datasets._listing(hub, dataset)
    card = {}
    if "README.md" in files:
        folder = hub_datasets._download(hub, dataset.repo, commit, ["README.md"])
        card = hub_datasets._front_matter(folder / "README.md")
    parts = hub_datasets._choose(files, card, dataset, f"the dataset `{dataset.repo}`")
    return (*parts.train, *parts.test)


def deploy(hub: Hub, repo_id: str, files: Mapping[str, bytes], *, private: bool, message: str) -> Push:
    """The Space's repository, made if it is not there, with these files; one commit of what differs, or none.

    Files that an earlier deployment put there and this one does not have are deleted; others are left alone.

    Args:
        hub: with a token that may write there.
        repo_id: `owner/name`.
        files: path in the repository → content.
        private: of a Space that is made; an existing one stays as it is.
        message: what the commit says.

    Raises:
        HubError: as the Hub answers.
    """
    there = _head(hub, repo_id)
    if there is None:
        hub._call(f"creating the Space `{repo_id}`", lambda: _create(hub, repo_id, private))
        there = _head(hub, repo_id)
    if there is None:
        raise RepoNotFound(
            f"`{repo_id}` was created, and this token may not see it", "use a token that may read it"
        )
    commit, is_private, held = there
    url = f"{hub.endpoint}/spaces/{repo_id}"
    todo, stale = _todo(hub, repo_id, commit, files, held)
    if not todo and not stale:
        return Push(url, commit, changed=False, private=is_private)
    try:
        done = hub._call(
            f"writing to the Space `{repo_id}`", lambda: _commit(hub, repo_id, todo, stale, message, commit)
        )
    except HubError:  # the answer may have been lost on the way, and not the commit
        now = _head(hub, repo_id)
        if now is None or now[0] == commit or any(_todo(hub, repo_id, now[0], files, now[2])):
            raise
        return Push(url, now[0], changed=True, private=is_private)
    return Push(url, done.oid, changed=True, private=is_private)


def request_hardware(hub: Hub, repo_id: str, hardware: str) -> None:
    """Have the Space run on a machine of this name, such as `t4-small`, which its owner pays for.

    Raises:
        HubError: there is no such machine, or this token may not ask for it.
    """
    wanted: Any = hardware
    hub._call(f"asking for `{hardware}`", lambda: hub._api.request_space_hardware(repo_id, wanted))


def _head(hub: Hub, repo_id: str) -> tuple[str, bool, tuple[str, ...]] | None:
    """Commit, visibility and files; None if there is no such Space that this token sees."""
    try:
        info = hub._call(
            f"looking at the Space `{repo_id}`",
            lambda: hub._api.space_info(repo_id, expand=["sha", "private", "siblings"], timeout=TIMEOUT),
        )
    except RepoNotFound:
        return None
    return str(info.sha), bool(info.private), tuple(file.rfilename for file in info.siblings or ())


def _create(hub: Hub, repo_id: str, private: bool) -> None:
    try:
        hub._api.create_repo(repo_id, repo_type="space", space_sdk="gradio", private=private)
    except HfHubHTTPError as error:
        if error.response.status_code != 409:
            raise


def _commit(hub: Hub, repo_id: str, todo: Mapping[str, bytes], stale: list[str], message: str, parent: str) -> Any:
    added = [CommitOperationAdd(path, content) for path, content in todo.items()]
    deleted = [CommitOperationDelete(path) for path in stale]
    return hub._api.create_commit(
        repo_id, [*added, *deleted], commit_message=message, parent_commit=parent, repo_type=KIND
    )


def _todo(
    hub: Hub, repo_id: str, commit: str, files: Mapping[str, bytes], held: tuple[str, ...]
) -> tuple[dict[str, bytes], list[str]]:
    """What to write, and what to delete."""
    known = [path for path in files if path in held]
    found = []
    if known:
        found = hub._call(
            f"comparing with the Space `{repo_id}`",
            lambda: hub._api.get_paths_info(repo_id, known, revision=commit, repo_type=KIND),
        )
    remote = {file.path: file for file in found if isinstance(file, RepoFile)}
    changed: Any = differing(files, remote)
    return changed, [path for path in held if _ours(path) and path not in files]


def _ours(path: str) -> bool:
    """What only a deployment puts there: the pages, and this package."""
    return path.startswith(("pages/", "tunekit_hub/", "tunekit_hub-"))
