"""Who is calling, and what they may do. Tokens are kept as hashes, in memory only."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast, get_args

from tunekit_hub.errors import UsageError
from tunekit_hub.localhub.refusals import Refusal, bad_token, disabled, forbidden, gated, repo_not_found
from tunekit_hub.localhub.repos import AccessRequest, Repo, now

Status = Literal["pending", "accepted", "rejected"]
# The last two read and write, but not the files of gated repos: a fine-grained token, and one of an app (OAuth).
Role = Literal["write", "read", "no-gated", "app"]


@dataclass(frozen=True)
class User:
    """Somebody with a token. `role` is what the token was made for."""

    name: str
    role: Role
    namespaces: tuple[str, ...]  # their own, then their organizations

    def may_write(self, namespace: str) -> bool:
        """Whether this token may create and change repos there."""
        return self.can_write and namespace in self.namespaces

    @property
    def can_write(self) -> bool:
        """Whether this token may change anything at all."""
        return self.role != "read"


class Accounts:
    """The tokens of a local Hub: `TOKEN → USER`, or `TOKEN → USER:ROLE` for one that may do less."""

    def __init__(self, tokens: Mapping[str, str], orgs: Mapping[str, Sequence[str]]):
        self._users: dict[bytes, User] = {}
        for token, owner in tokens.items():
            name, _, role = owner.partition(":")
            namespaces = (name, *(org for org, members in orgs.items() if name in members))
            if role not in ("", *get_args(Role)):
                raise UsageError(f"`{role}` is not a role of a token", f"use one of {', '.join(get_args(Role))}")
            self._users[_digest(token)] = User(name, cast("Role", role or "write"), namespaces)

    def __repr__(self) -> str:
        return f"Accounts({sorted({user.name for user in self._users.values()})})"

    def user(self, authorization: str | None) -> User | None:
        """Whose `Authorization` header this is; None for no header at all."""
        if not authorization:
            return None
        scheme, _, token = authorization.partition(" ")
        user = self._users.get(_digest(token.strip())) if scheme.lower() == "bearer" else None
        if user is None:
            raise bad_token()
        return user

    def exists(self, name: str) -> bool:
        """Whether anybody has this name."""
        return any(user.name == name for user in self._users.values())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def may_see(user: User | None, repo: Repo) -> bool:
    """Whether the repo exists, as far as this caller can tell."""
    return not repo.record.private or (user is not None and repo.namespace in user.namespaces)


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
    if not user.may_write(repo.namespace):
        raise forbidden(f"{user.name} may not write to {repo.kind} {repo.id} with this token")


def gate(user: User | None, repo: Repo, page: str) -> Refusal | None:
    """What stands between this caller and the files of a gated repo; None when nothing does."""
    if not repo.record.gated or (user is not None and repo.namespace in user.namespaces):
        return None
    state = _gate_state(user, repo.record.requests)
    return None if state == "accepted" else gated(f"{repo.kind} {repo.id}", state, page)


def _gate_state(user: User | None, requests: Mapping[str, AccessRequest]) -> str:
    if user is None:
        return "anonymous"
    if user.role in ("no-gated", "app"):
        return "scope" if user.role == "no-gated" else "app"
    return requests[user.name].status if user.name in requests else "not-asked"


def set_request(repo: Repo, user: str, status: Status) -> None:
    """Record what became of a user's request to read a gated repo."""
    old = repo.record.requests.get(user)
    request = AccessRequest(id=old.id if old else uuid.uuid4().hex[:24], status=status, date=now())
    repo.update(requests={**repo.record.requests, user: request})
