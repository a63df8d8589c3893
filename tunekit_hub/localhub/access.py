"""Who is calling, and what they may do. Tokens are kept as hashes, in memory only."""

from __future__ import annotations

import hashlib
import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from tunekit_hub.errors import UsageError
from tunekit_hub.localhub.refusals import Refusal, bad_token, disabled, forbidden, gated, repo_not_found
from tunekit_hub.localhub.repo_records import AccessRequest, now
from tunekit_hub.localhub.repos import Repo

Status = Literal["pending", "accepted", "rejected"]
# The last two read and write, but not the files of gated repos: a fine-grained token, and one of an app (OAuth).
Role = Literal["write", "read", "no-gated", "app"]
# What an app's token may do that was given on the command line: everything but read gated repos.
_APP_SCOPES = frozenset(("read-repos", "write-repos", "manage-repos", "write-discussions", "write-collections"))


@dataclass(frozen=True)
class User:
    """Somebody with a token. `role` is what the token was made for."""

    name: str
    role: Role
    namespaces: tuple[str, ...]  # their own, then their organizations
    scopes: frozenset[str] | None = None  # what an app was allowed; None: not an app's token
    app: str = ""  # the id of that app
    expires: float = math.inf  # seconds since the epoch

    @property
    def can_write(self) -> bool:
        """Whether this token may change anything at all."""
        return self.role != "read"

    def has(self, *scopes: str) -> bool:
        """Whether the token is not an app's, or the app was given one of these scopes."""
        return self.scopes is None or not self.scopes.isdisjoint(scopes)

    def may_create(self, namespace: str) -> bool:
        """Whether this token may make repos there."""
        return self.can_write and namespace in self.namespaces and self.has("contribute-repos", "manage-repos")

    def made(self, repo: Repo) -> bool:
        """Whether the app behind this token created the repo, and may therefore work with it."""
        return bool(self.app) and self.app == repo.record.app and self.has("contribute-repos")

    def may_see_private(self, repo: Repo) -> bool:
        """Whether a private repo exists, as far as this token can tell."""
        reading = ("read-repos", "write-repos", "manage-repos")
        return repo.namespace in self.namespaces and (self.has(*reading) or self.made(repo))

    def may_write(self, repo: Repo) -> bool:
        """Whether this token may change the files of a repo."""
        allowed = self.has("write-repos", "manage-repos") or self.made(repo)
        return self.can_write and repo.namespace in self.namespaces and allowed

    def may_manage(self, repo: Repo) -> bool:
        """Whether this token may rename, delete, open or close a repo."""
        return self.may_write(repo) and (self.has("manage-repos") or self.made(repo))


class Accounts:
    """The tokens of a local Hub: `TOKEN → USER`, or `TOKEN → USER:ROLE` for one that may do less."""

    def __init__(self, tokens: Mapping[str, str], orgs: Mapping[str, Sequence[str]]):
        self._users: dict[bytes, User] = {}
        for token, owner in tokens.items():
            name, _, role = owner.partition(":")
            namespaces = (name, *(org for org, members in orgs.items() if name in members))
            if role not in ("", *get_args(Role)):
                raise UsageError(f"`{role}` is not a role of a token", f"use one of {', '.join(get_args(Role))}")
            scopes = _APP_SCOPES if role == "app" else None
            self._users[_digest(token)] = User(name, cast("Role", role or "write"), namespaces, scopes)

    def __repr__(self) -> str:
        return f"Accounts({sorted({user.name for user in self._users.values()})})"

    def user(self, authorization: str | None) -> User | None:
        """Whose `Authorization` header this is; None for no header at all."""
        if not authorization:
            return None
        scheme, _, token = authorization.partition(" ")
        user = self._users.get(_digest(token.strip())) if scheme.lower() == "bearer" else None
        if user is None or user.expires < time.time():
            raise bad_token()
        return user

    def add(self, token: str, user: User) -> None:
        """From now on this token is that user's. Those that have expired are forgotten."""
        now = time.time()
        self._users = {key: known for key, known in self._users.items() if known.expires >= now}
        self._users[_digest(token)] = user

    def remove(self, token: str) -> None:
        """This token is nobody's any more."""
        self._users.pop(_digest(token), None)

    def exists(self, name: str) -> bool:
        """Whether anybody has this name."""
        return any(user.name == name for user in self._users.values())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def may_see(user: User | None, repo: Repo) -> bool:
    """Whether the repo exists, as far as this caller can tell."""
    return not repo.record.private or (user is not None and user.may_see_private(repo))


def may_read(user: User | None, repo: Repo) -> bool:
    """Whether this caller gets the contents of the files."""
    return may_see(user, repo) and not repo.record.disabled and gate(user, repo, page="") is None


def check_seen(user: User | None, repo: Repo) -> None:
    """Refuse unless metadata may be read."""
    if not may_see(user, repo):
        raise repo_not_found(user is not None)
    if repo.record.disabled:
        raise disabled()


def check_write(user: User | None, repo: Repo) -> None:
    """Refuse unless the repo may be changed."""
    check_seen(user, repo)
    if user is None:
        raise repo_not_found(signed_in=False)
    if not user.may_write(repo):
        raise forbidden(f"{user.name} may not write to {repo.kind} {repo.id} with this token")


def check_manage(user: User | None, repo: Repo) -> None:
    """Refuse unless the repo may be renamed, deleted, opened and closed."""
    check_write(user, repo)
    if user is None or not user.may_manage(repo):
        raise forbidden(
            f"This app was not given the scope manage-repos, which {repo.kind} {repo.id} needs for that"
        )


def check_discuss(user: User | None, repo: Repo) -> User:
    """Refuse unless the caller may propose changes to a repo they see, and comment."""
    check_seen(user, repo)
    if user is None:
        raise repo_not_found(signed_in=False)
    if not user.can_write or not (user.has("write-discussions") or user.may_write(repo)):
        raise forbidden(f"{user.name} may not open pull requests or discussions with this token")
    return user


def gate(user: User | None, repo: Repo, page: str) -> Refusal | None:
    """What stands between this caller and the files of a gated repo; None when nothing does."""
    if not repo.record.gated or (user is not None and repo.namespace in user.namespaces):
        return None
    state = _gate_state(user, repo.record.requests)
    return None if state == "accepted" else gated(f"{repo.kind} {repo.id}", state, page)


def _gate_state(user: User | None, requests: Mapping[str, AccessRequest]) -> str:
    if user is None:
        return "anonymous"
    if user.role == "no-gated":
        return "scope"
    if not user.has("gated-repos"):
        return "app"
    return requests[user.name].status if user.name in requests else "not-asked"


def set_request(repo: Repo, user: str, status: Status) -> None:
    """Record what became of a user's request to read a gated repo."""
    old = repo.reload().requests.get(user)
    request = AccessRequest(id=old.id if old else uuid.uuid4().hex[:24], status=status, date=now())
    repo.update(requests={**repo.record.requests, user: request})
