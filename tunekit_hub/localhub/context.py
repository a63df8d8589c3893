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
from tunekit_hub.localhub.oauth_tokens import Grants
from tunekit_hub.localhub.refusals import Refusal, bad_request, repo_not_found, too_large
from tunekit_hub.localhub.repos import Commit, Repo, open_repo
from tunekit_hub.localhub.storage import Storage, repo_id

LONGEST_JSON = 8 << 20  # bytes of a body that is read whole


@dataclass
class LocalHub:
    """What the routes share."""

    storage: Storage
    accounts: Accounts = field(repr=False)
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)  # signs upload URLs
    log: list[tuple[str, str, int]] = field(default_factory=list)
    sessions: dict[str, User] = field(default_factory=dict, repr=False)  # browsers that signed in; see pages.py
    second_origin: str = ""  # where large files are sent from, as the Hub sends them from its CDN
    multipart_from: int = 512 << 20  # bytes of a file from which on it is uploaded in parts
    part_size: int = 64 << 20
    parts: dict[str, dict[int, str]] = field(default_factory=dict, repr=False)  # uploads under way; lfs_parts.py
    grants: Grants = field(default_factory=Grants, repr=False)  # what they allowed apps; see oauth.py


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
        # Where an app exchanges a code it names itself in this header; everywhere else the header holds a token.
        sent = None if request.url.path == "/oauth/token" else request.headers.get("authorization")
        self.user: User | None = self.hub.accounts.user(sent)

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
            path, query = self.request.url.path, self.request.url.query
            # The id is no word of its own in the path: `models` or `a` may be a name too. It follows the prefix.
            kind = self.request.path_params.get("kind")
            before = ("" if kind is None else f"/{kind}") + "/"
            start = len(f"/api{before}" if kind and path.startswith(f"/api{before}") else before)
            rest = path[start + len(self.request.path_params["repo"]) :]
            raise Moved(f"{path[:start]}{new}{rest}" + (f"?{query}" if query else ""))

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

    def managed_repo(self) -> Repo:
        """The repo in the path, if it may be opened, closed, renamed and deleted."""
        repo = self.repo()
        access.check_manage(self.user, repo)
        return repo

    def commit(self, repo: Repo) -> Commit:
        """The commit in the path, or the tip of main."""
        return repo.commit(self.param("revision") if "revision" in self.request.path_params else "main")

    async def body(self, most: int = LONGEST_JSON) -> bytes:
        """The body; 413 for one of more bytes than `most`."""
        declared = self.request.headers.get("content-length", "")
        size = int(declared) if declared.isdecimal() and len(declared) < 20 else 0
        parts: list[bytes] = []
        if size <= most:
            size = 0
            async for chunk in self.request.stream():
                size += len(chunk)
                if size > most:
                    break
                parts.append(chunk)
        if size > most:
            raise too_large(f"The body of this call may have {most} bytes")
        return b"".join(parts)

    async def json(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        try:
            body = json.loads(await self.body() or b"{}")
        except (ValueError, RecursionError) as error:
            raise bad_request(f"The body is not JSON: {error}") from error
        if not isinstance(body, dict):
            raise bad_request("The body must be a JSON object")
        return body

    async def form(self) -> dict[str, list[str]]:
        """The body, as a form."""
        return parse_qs((await self.body()).decode("utf-8", "replace"), keep_blank_values=True)

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
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise bad_request(f"`{key}` holds half a character, which no file can")
    return value


def objects(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """A list of objects in a JSON body; 400 when it is something else."""
    items = body.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise bad_request(f"`{key}` must be a list of objects")
    return items
