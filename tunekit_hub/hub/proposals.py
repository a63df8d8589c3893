"""Publishing as a pull request: one that is open already is brought up to date, never doubled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tunekit_hub.errors import RepoNotFound
from tunekit_hub.hub.commit import Push, commit, prepared, send_ahead
from tunekit_hub.hub.state import Client, Content, head, todo


def propose(client: Client, repo_id: str, files: Mapping[str, Content], message: str, author: str) -> Push:
    """See `Hub.propose`.

    Opening a pull request is no call that may simply be made again: before every try it is looked for.
    """
    there = head(client, repo_id)
    if there is None:
        raise RepoNotFound(
            f"there is no `{repo_id}` to propose anything to", "publish without `--pr`, which creates it"
        )
    differ, stale = todo(client, there, files)
    url = f"{client.api.endpoint}/{there.repo_id}"
    if not differ and not stale:
        return Push(url, there.commit, changed=False, private=there.private)
    found = _open(client, there.repo_id, message, author)
    if found is not None:
        return _updated(client, there.repo_id, found, files, message)
    added, send = prepared(client, there, differ, stale, message, create_pr=True)
    send_ahead(client, there, added, create_pr=True)

    def once() -> Any:
        return _open(client, there.repo_id, message, author) or send()

    opened = client.call(f"opening a pull request in `{there.repo_id}`", _after_the_first(send, once))
    if isinstance(opened, int):
        return replace(_updated(client, there.repo_id, opened, files, message), created="pull request")
    return Push(
        url,
        opened.oid,
        changed=True,
        private=there.private,
        created="pull request",
        pull_request=opened.pr_url,
        revision=opened.pr_revision,
    )


def _after_the_first(first: Any, later: Any) -> Any:
    """An action that is `first` when it is called first, and `later` after that."""
    tries = [first]
    return lambda: (tries.pop() if tries else later)()


def _open(client: Client, repo_id: str, title: str, author: str) -> int | None:
    """The number of our open pull request; of several the newest."""

    def ask() -> list[Any]:
        return list(
            client.api.get_repo_discussions(
                repo_id, author=author, discussion_type="pull_request", discussion_status="open"
            )
        )

    found = client.call(f"looking for a pull request in `{repo_id}`", ask)
    return max((one.num for one in found if one.is_pull_request and one.title == title), default=None)


def _updated(client: Client, repo_id: str, number: int, files: Mapping[str, Content], message: str) -> Push:
    """An open pull request with one more commit, or as it is where that holds these files already."""
    there = head(client, repo_id, f"refs/pr/{number}")
    if there is None:
        raise RepoNotFound(f"`{repo_id}` is gone", "somebody deleted it meanwhile")
    address = f"{client.api.endpoint}/{there.repo_id}/discussions/{number}"
    return replace(commit(client, there, files, message), pull_request=address)
