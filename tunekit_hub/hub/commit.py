"""One commit of what differs from a repository, or none. Files go first, the commit that shows them comes last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from huggingface_hub import CommitOperationAdd, CommitOperationDelete

from tunekit_hub import units
from tunekit_hub.errors import HubError, PublishError
from tunekit_hub.hub import state as hub_state
from tunekit_hub.hub.state import MAIN, Client, Content, Head, todo

Created = Literal["", "repository", "branch", "pull request"]
AHEAD = 1_000_000_000  # bytes of a push from which its large files are sent one by one, each tried again alone
LARGE = 10_000_000  # bytes from which the Hub stores a file as a large one, whatever its name


@dataclass(frozen=True)
class Push:
    """What became of a publish."""

    url: str
    commit: str
    changed: bool  # False: the repository held exactly this already
    private: bool  # as the repository is, which an existing one keeps
    created: Created = ""  # by this push, and gone with it
    pull_request: str | None = None  # its address
    revision: str = MAIN  # the branch, or `refs/pr/N`


def commit(
    client: Client, there: Head, files: Mapping[str, Content], message: str, tags: Sequence[str] = ()
) -> Push:
    """One commit on top of `there`, of what differs; none where nothing does."""
    url = f"{client.api.endpoint}/{there.repo_id}"
    differ, stale = todo(client, there, files)
    if tags:
        refuse_taken(client, there, tags, moves=bool(differ or stale))
    done = Push(url, there.commit, changed=False, private=there.private, revision=there.revision)
    if not differ and not stale:
        return done
    added, send = prepared(client, there, differ, stale, message)
    try:
        send_ahead(client, there, added)
        made = client.call(f"publishing to `{there.repo_id}`", send)
    except HubError:
        # The answer may have been lost on the way, not the commit: then the repository holds it by now.
        now = _arrived(client, there, files)
        if now is None:
            raise
        return replace(done, commit=now.commit, changed=True)
    return replace(done, commit=made.oid, changed=True)


def _arrived(client: Client, there: Head, files: Mapping[str, Content]) -> Head | None:
    """The head of a repository that moved on and holds all of `files`; None where it does not, or says nothing."""
    try:
        now = hub_state.head(client, there.repo_id, there.revision)
        held = now is not None and now.commit != there.commit and not any(todo(client, now, files))
    except HubError:
        return None
    return now if held else None


def prepared(
    client: Client, there: Head, differ: Mapping[str, Content], stale: Sequence[str], message: str, **more: Any
) -> tuple[list[CommitOperationAdd], Callable[[], Any]]:
    """The files to add, each hashed once however often it is tried, and the call that commits them."""
    added = [CommitOperationAdd(path, content) for path, content in differ.items()]
    deleted = [CommitOperationDelete(path) for path in stale]

    def send() -> Any:
        return client.api.create_commit(
            there.repo_id,
            [*added, *deleted],
            commit_message=message,
            parent_commit=there.commit,
            revision=None if there.revision == MAIN else there.revision,
            **more,
        )

    return added, send


def send_ahead(client: Client, there: Head, added: Sequence[CommitOperationAdd], **more: Any) -> None:
    """Of a large push, send the large files before the commit, so that an outage costs one of them at most.

    Where the repository has a `.gitignore`, all are sent here, with another in its place: the Hub would leave out
    what it names, and say nothing.
    """
    more |= {"revision": None if there.revision == MAIN else there.revision, "free_memory": False}
    large = [one for one in added if one.upload_info.size >= LARGE]
    if sum(one.upload_info.size for one in large) >= AHEAD:
        for number, one in enumerate(large, 1):
            client.say(
                f"sending {one.path_in_repo} ({units.size(one.upload_info.size)}), {number} of {len(large)}"
            )
            _send(client, there, [one], more)
    if ".gitignore" in there.files:
        _send(client, there, added, more)


def _send(client: Client, there: Head, files: Sequence[CommitOperationAdd], how: dict[str, Any]) -> None:
    named = f"`{files[0].path_in_repo}`" if len(files) == 1 else f"{len(files)} files"
    if ".gitignore" in there.files:
        how = how | {"gitignore_content": "# what is published is all meant\n"}
    client.call(
        f"sending {named} to `{there.repo_id}`",
        lambda: client.api.preupload_lfs_files(there.repo_id, files, **how),
    )


def refuse_taken(client: Client, there: Head, tags: Sequence[str], *, moves: bool) -> None:
    """Tags stay where they are: refuse those that are on another commit than the one that will be published."""
    known = hub_state.refs(client, there.repo_id).tags
    taken = next((tag for tag in tags if tag in known and (moves or known[tag] != there.commit)), None)
    if taken:
        raise PublishError(
            f"the tag `{taken}` of `{there.repo_id}` is on another commit, {known[taken][:8]}, and tags stay put",
            "name another `--tag`, or delete this one on the Hub first",
        )
