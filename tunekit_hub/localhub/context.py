"""What every route needs: the hub behind the app, the caller, the repo in the path, the body."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse

from tunekit_hub.localhub import access
from tunekit_hub.localhub.access import Accounts, User
from tunekit_hub.localhub.refusals import Refusal, bad_request, repo_not_found
from tunekit_hub.localhub.repos import Commit, Repo, open_repo
from tunekit_hub.localhub.storage import Storage, repo_id


@dataclass
class LocalHub:
    """What the routes share."""

    storage: Storage
    accounts: Accounts = field(repr=False)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)  # signs upload URLs
    log: list[tuple[str, str, int]] = field(default_factory=list)
    sessions: dict[str, User] = field(default_factory=dict, repr=False)  # browsers that signed in; see pages.py


class Moved(Exception):
    """The repo in the path has another id now."""

    def __init__(self, location: str):
        super().__init__(location)
        self.location = location


class Call:
    """One request, with the repo questions answered."""

    def __init__(self, request: Request):
        self.request = request
        self.hub: LocalHub = request.app.state.hub
        self.user: User | None = self.hub.accounts.user(request.headers.get("authorization"))

    @property
    def kind(self) -> str:
        """`model`, `dataset` or `space`: from the path, which has the plural or, for a model, nothing."""
        return self.request.path_params.get("kind", "models").removesuffix("s")

    @property
    def base(self) -> str:
        """The endpoint, as the caller spells it."""
        return str(self.request.base_url).rstrip("/")

    def param(self, name: str) -> str:
        """A piece of the path, unquoted."""
        return unquote(self.request.path_params[name])

    def flag(self, name: str) -> bool:
        """A yes-or-no query parameter."""
        return self.request.query_params.get(name, "").lower() in ("true", "1")

    def page_url(self, repo: Repo) -> str:
        """The address of a repo."""
        return f"{self.base}/{'' if repo.kind == 'model' else repo.kind + 's/'}{repo.id}"

    def known_user(self) -> User:
        """The caller; 401 when anonymous."""
        if self.user is None:
            raise repo_not_found(signed_in=False)
        return self.user

    def repo(self) -> Repo:
        """The repo in the path, if its metadata may be read."""
        name = repo_id(self.param("repo"))
        repo = open_repo(self.hub.storage, self.kind, name)
        if repo is None:
            self._follow_redirect(name)
            raise repo_not_found(self.user is not None)
        access.check_seen(self.user, repo)
        return repo

    def _follow_redirect(self, name: str) -> None:
        new = self.hub.storage.current_id(self.kind, name)
        target = open_repo(self.hub.storage, self.kind, new) if new else None
        if new and target and access.may_see(self.user, target):
            query = self.request.url.query
            path = self.request.url.path.replace(self.request.path_params["repo"], new, 1)
            raise Moved(path + (f"?{query}" if query else ""))

    def readable_repo(self) -> Repo:
        """The repo in the path, if its files may be read."""
        repo = self.repo()
        refusal = access.gate(self.user, repo, self.page_url(repo))
        if refusal:
            raise refusal
        return repo

    def writable_repo(self) -> Repo:
        """The repo in the path, if it may be changed."""
        repo = self.repo()
        access.check_write(self.user, repo)
        return repo

    def commit(self, repo: Repo) -> Commit:
        """The commit in the path, or the tip of main."""
        return repo.commit(self.param("revision") if "revision" in self.request.path_params else "main")

    async def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        try:
            body = json.loads(await self.request.body() or b"{}")
        except ValueError as error:
            raise bad_request(f"The body is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise bad_request("The body must be a JSON object")
        return body

    async def form(self) -> dict[str, list[str]]:
        """The body, as a form."""
        return parse_qs((await self.request.body()).decode("utf-8", "replace"), keep_blank_values=True)

    def page(self, items: list[dict[str, Any]], size: int) -> JSONResponse:
        """One page of a list, with a link to the next."""
        start = self.number("cursor", 0)
        headers = {}
        if start + size < len(items):
            query = [(k, v) for k, v in self.request.query_params.multi_items() if k != "cursor"]
            following = urlencode([*query, ("cursor", str(start + size))])
            headers["Link"] = f'<{self.base}{self.request.url.path}?{following}>; rel="next"'
        return JSONResponse(items[start : start + size], headers=headers)

    def number(self, name: str, default: int) -> int:
        """A query parameter that must be a whole number from 0."""
        text = self.request.query_params.get(name)
        if text is not None and not text.isdecimal():
            raise bad_request(f"`{name}` must be a number, not {text!r}")
        return default if text is None else int(text)


def refusal_response(refusal: Refusal) -> JSONResponse:
    """The response that makes the client raise the right error."""
    message = refusal.message.encode("ascii", "replace").decode().replace("\n", " ").replace("\r", " ")
    headers = {**refusal.headers, "X-Error-Message": message}
    if refusal.code:
        headers["X-Error-Code"] = refusal.code
    return JSONResponse(refusal.body, status_code=refusal.status, headers=headers)


def text(body: dict[str, Any], key: str, default: str | None = None) -> str:
    """A string field of a JSON body; 400 when it is missing or something else."""
    value = body.get(key, default)
    if value is None and default is not None:
        value = default
    if not isinstance(value, str):
        raise bad_request(f"`{key}` must be a string")
    return value
