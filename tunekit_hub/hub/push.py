"""Publishing to a repository that is made if need be; nothing half-written stays behind.

An outage before the commit leaves a repository that was just created empty, and what was sent stays stored: the
same publish again sends the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError

from tunekit_hub.errors import AccessDenied, HubError, HubUnreachable, RepoNotFound, TunekitError
from tunekit_hub.hub.commit import Created, Push, commit
from tunekit_hub.hub.state import MAIN, Client, Content, Head, head, refs
from tunekit_hub.hub.state import differing as differing


@dataclass(frozen=True)
class Where:
    """Where in a repository a push goes."""

    private: bool = True  # a repository that is created; an existing one stays as it is
    branch: str = MAIN
    tags: Sequence[str] = ()  # that are to be on the commit; set later, refused now where they are elsewhere


def push(client: Client, repo_id: str, files: Mapping[str, Content], where: Where, message: str) -> Push:
    """See `Hub.push`."""
    begun = _Begun(client, repo_id, where)
    try:
        there = begun.open()
        return replace(commit(client, there, files, message, where.tags), created=begun.created)
    except BaseException as error:  # Ctrl-C as well
        begun.take_back(error)
        raise


class _Begun:
    """The repository or branch that a push goes to, made if need be.

    Where the Hub refuses the push it is taken back. After an outage or a Ctrl-C it stays: it is empty, and holds
    what was sent so far for the next try.
    """

    def __init__(self, client: Client, repo_id: str, where: Where):
        self.created: Created = ""
        self._client, self._repo_id, self._where = client, repo_id, where
        self._there: Head | None = None

    def open(self) -> Head:
        """Its head."""
        client, repo_id, branch = self._client, self._repo_id, self._where.branch
        found = head(client, repo_id)
        if found is None:
            try:
                new = client.call(
                    f"creating `{repo_id}`", lambda: _create(client.api, repo_id, self._where.private)
                )
            except HubUnreachable as error:  # the Hub may have done it before its answer was lost
                _add(error, f"if `{repo_id}` is there by now it is empty, and the next try goes on with it")
                raise
            self.created = "repository" if new else ""
            found = head(client, repo_id)
        if found is None:
            hint = "sign in with a token that may, then run again; or choose another name"
            raise AccessDenied(f"`{repo_id}` exists, and this token may not see it", hint)
        if branch != MAIN:
            found = self._branched(found, branch)
        self._there = found
        return found

    def _branched(self, main: Head, branch: str) -> Head:
        client, repo_id = self._client, main.repo_id
        if branch not in refs(client, repo_id).branches:
            what = f"creating the branch `{branch}` of `{repo_id}`"
            client.call(what, lambda: client.api.create_branch(repo_id, branch=branch, exist_ok=True))
            self.created = self.created or "branch"
        found = head(client, repo_id, branch)
        if found is None:
            raise RepoNotFound(f"`{repo_id}` is gone", "somebody deleted it meanwhile; publish again")
        return found

    def take_back(self, error: BaseException) -> None:
        """Delete what was made here, unless somebody has written to it or it serves the next try."""
        if not self.created:
            return
        name = f"`{self._repo_id}`" if self.created == "repository" else f"its branch `{self._where.branch}`"
        if isinstance(error, HubUnreachable | KeyboardInterrupt | SystemExit):
            _add(error, f"{name} was created for this and is empty so far; the next try goes on with it")
            return
        try:
            now = head(self._client, self._repo_id, self._where.branch)
            if now is not None and (self._there is None or now.commit == self._there.commit):
                undo(self._client, self._repo_id, self.created, self._where.branch)
        except HubError:
            _add(error, f"{name} was created for this and is still there, empty")


def _add(error: BaseException, words: str) -> None:
    """Say more with an error of ours."""
    if isinstance(error, TunekitError):
        error.hint = f"{error.hint}; {words}" if error.hint else words
    else:
        error.add_note(words)


def _create(api: HfApi, repo_id: str, private: bool) -> bool:
    """Whether it was this call that created the repository."""
    try:
        api.create_repo(repo_id, private=private)
    except HfHubHTTPError as error:
        if error.response.status_code == 409:
            return False
        raise
    return True


def undo(client: Client, repo_id: str, created: Created, revision: str) -> None:
    """Delete the repository or the branch that a push made, or close its pull request."""
    api = client.api
    if created == "repository":
        client.call(f"deleting `{repo_id}`", lambda: api.delete_repo(repo_id, missing_ok=True))
    elif created == "branch":
        what = f"deleting the branch `{revision}` of `{repo_id}`"
        client.call(what, lambda: api.delete_branch(repo_id, branch=revision))
    elif created == "pull request":
        number = int(revision.rpartition("/")[2])
        client.call(
            f"closing the pull request {number} of `{repo_id}`",
            lambda: api.change_discussion_status(repo_id, number, "closed"),
        )
