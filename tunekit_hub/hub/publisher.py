"""The writing half of a Hub: who signs in, what they may write, and what becomes of a publish."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tunekit_hub.hub.look import Looker  # isort: skip, it sets the client's environment

from huggingface_hub.utils import hf_raise_for_status

from tunekit_hub.errors import AccessDenied, RepoNotFound
from tunekit_hub.hub import access as hub_access
from tunekit_hub.hub import collections as hub_collections
from tunekit_hub.hub import errors as hub_errors
from tunekit_hub.hub import proposals as hub_proposals
from tunekit_hub.hub import push as hub_push
from tunekit_hub.hub import state as hub_state
from tunekit_hub.hub.commit import Created, Push, commit
from tunekit_hub.hub.push import Where
from tunekit_hub.hub.state import MAIN, Client, Content, Head, Refs, State


@dataclass(frozen=True)
class Identity:
    """Who a token belongs to, and what the Hub says they may do."""

    name: str
    writes_to: tuple[str, ...]  # the user and organizations that this token can create repositories in
    pro: bool | None = None  # a paid account; None: the Hub does not say


class Publisher(Looker):
    """A connection that can write. Its arguments are those of `Looker`."""

    def identity(self) -> Identity:
        """Whose token this is, asked in one call.

        Raises:
            AccessDenied: There is no token.
            InvalidToken: The Hub does not know it.
        """
        if self._token is None:
            hint = "sign in with `hf auth login`, or set `HF_TOKEN`"
            raise AccessDenied(f"no token is known for {self._endpoint}, so nothing can be published there", hint)
        who = self._call("asking who this token belongs to", lambda: self._get("/api/whoami-v2").json())
        return Identity(who["name"], _writable(who), who.get("isPro"))

    def whoami(self) -> str:
        """The name of the token's owner; raises as `identity`."""
        return self.identity().name

    def namespaces(self) -> tuple[str, ...]:
        """The user and organizations that this token can create repositories in."""
        return self.identity().writes_to

    def write_access(self, repo_id: str) -> bool | None:
        """Whether this token may write to a repository; None where there is none that it can see."""
        try:
            self._retried(lambda: self._get(f"/api/models/{repo_id}/auth-check/write"))
        except hub_errors.CAUGHT as error:
            if hub_errors.status(error) == 403:
                return False
            if hub_access.state(error, self._token) == "private-or-missing":
                return None
            self._raise(error, f"asking for write access to `{repo_id}`")
        return True

    def head(self, repo_id: str, revision: str = MAIN) -> Head | None:
        """A repository as it stands: commit, visibility, files; None where there is none that this token sees."""
        return hub_state.head(self._client(), repo_id, revision)

    def refs(self, repo_id: str) -> Refs:
        """The branches and tags of a repository."""
        return hub_state.refs(self._client(), repo_id)

    def validate_card(self, text: str) -> list[str]:
        """What the Hub objects to in a README; empty when it would take it."""

        def ask() -> Any:
            answer = self._post("/api/validate-yaml", {"repoType": "model", "content": text})
            if answer.status_code != 400:
                hf_raise_for_status(answer)
            return answer.json()

        problems = self._call("validating the card", ask).get("errors") or ()
        return [str(problem.get("message", problem)) for problem in problems]

    def compare(self, there: Head, files: Mapping[str, Content]) -> dict[str, State]:
        """What pushing these files would do, by path; also the paths that would be deleted."""
        return hub_state.compare(self._client(), there, files)

    def push(
        self,
        repo_id: str,
        files: Mapping[str, Content],
        *,
        message: str,
        where: Where | None = None,
        private: bool = True,
        say: Callable[[str], None] = lambda _: None,
    ) -> Push:
        """Publishes files as one commit, in a repository that is created if need be.

        Files that are there already are left alone; when all are, there is no commit. Weights of an earlier
        publish that would be loaded beside these are deleted in the same commit, and nothing else is. What this
        call created is deleted again when the Hub refuses the commit; after an outage it stays, empty, and the
        next try sends only what is not stored yet.

        Args:
            repo_id: Where to; `owner/name`.
            files: Path in the repository → a file, or its content.
            message: What the commit says.
            where: The branch, and the tags that are to be free; without it `main`, and `private` counts.
            private: For a repository that is created; an existing one stays as it is.
            say: Called with a line about each large file that is sent.

        Raises:
            PublishError: A tag is on another commit already, or a `.gitignore` keeps files out.
            AccessDenied: This token may not write there.
            HubError: The Hub refused it, or could not be reached.
        """
        return hub_push.push(self._client(say), repo_id, files, where or Where(private), message)

    def propose(
        self,
        repo_id: str,
        files: Mapping[str, Content],
        *,
        message: str,
        author: str,
        say: Callable[[str], None] = lambda _: None,
    ) -> Push:
        """Publishes files as a pull request against `main`, which needs no write access.

        An open pull request of this author with this message is brought up to date by one more commit; where it,
        or `main`, holds exactly these files, nothing is written.

        Args:
            repo_id: An existing repository.
            files: As of `push`.
            message: The title of the pull request.
            author: The name of the token's owner.
            say: As of `push`.
        """
        return hub_proposals.propose(self._client(say), repo_id, files, message, author)

    def amend(self, repo_id: str, revision: str, files: Mapping[str, Content], *, message: str) -> Push:
        """One more commit of a few files, at a branch or `refs/pr/N` that is there."""
        there = self.head(repo_id, revision)
        if there is None:
            raise RepoNotFound(f"`{repo_id}` is gone", "somebody deleted it meanwhile")
        return commit(self._client(), there, files, message)

    def take_back(self, repo_id: str, created: Created, revision: str, oid: str) -> bool:
        """Delete the repository or branch that a push created, or close its pull request.

        False, and nothing is done, where nothing was created or somebody has written to it since the commit `oid`.
        """
        now = self.head(repo_id, revision) if created else None
        if now is None or now.commit != oid:
            return False
        hub_push.undo(self._client(), repo_id, created, revision)
        return True

    def tag(self, repo_id: str, name: str, commit: str) -> None:
        """Set a git tag on a commit; one that is there stays where it is."""
        hub_collections.tag(self._client(), repo_id, name, commit)

    def find_collection(self, wanted: str, namespace: str) -> str | None:
        """The slug of a collection, by slug or title; None where none of `namespace` has that title."""
        return hub_collections.find(self._client(), wanted, namespace)

    def collect(self, repo_id: str, wanted: str, *, private: bool) -> str:
        """Add a model to a collection, once; its slug. A title that nobody uses yet makes one."""
        return hub_collections.add(self._client(), wanted, repo_id, private=private)

    def _client(self, say: Callable[[str], None] = lambda _: None) -> Client:
        return Client(self._api, self._call, say)


def _writable(who: Mapping[str, Any]) -> tuple[str, ...]:
    token = (who.get("auth") or {}).get("accessToken") or {}
    if token.get("role") == "read":
        return ()
    if token.get("role") == "fineGrained":
        scopes = (token.get("fineGrained") or {}).get("scoped") or []
        writing = [scope["entity"] for scope in scopes if "repo.write" in scope.get("permissions", ())]
        return tuple(entity["name"] for entity in writing if entity.get("type") in ("user", "org"))
    orgs = [org["name"] for org in who.get("orgs") or () if org.get("roleInOrg") != "read"]
    return (who["name"], *orgs)
