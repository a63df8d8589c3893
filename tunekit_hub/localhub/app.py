"""The app: every route of the Hub that the local Hub knows. Any other answers 501 and is logged."""

from __future__ import annotations

import errno
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tunekit_hub.localhub import (
    collection_items,
    collections,
    discussions,
    jobs,
    lfs,
    lfs_parts,
    manage,
    more_pages,
    oauth,
    pages,
    pulls,
    read,
    sign_in,
    spaces,
    trees,
    write,
)
from tunekit_hub.localhub.access import Accounts
from tunekit_hub.localhub.context import Call, LocalHub, Moved, refusal_response
from tunekit_hub.localhub.refusals import Refusal, bad_request, forbidden, no_room, unsupported
from tunekit_hub.localhub.storage import Storage

_logger = logging.getLogger(__name__)
_LOG_LIMIT = 10_000
Handler = Callable[[Call], Awaitable[Response]]


class _Raw(Convertor[str]):
    """A piece of a path that may hold slashes. Paths are matched before they are unquoted."""

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _Kind(_Raw):
    regex = "models|datasets|spaces"


class _Space(_Raw):
    regex = "spaces"


class _Repo(_Raw):
    regex = "[^/]+(?:/[^/]+)?"


class _Revision(_Raw):
    regex = "refs/(?:heads|tags|pr)/[^/]+|[^/]+"


class _Number(_Raw):
    regex = "[0-9]{1,9}"


register_url_convertor("kind", _Kind())
register_url_convertor("space", _Space())
register_url_convertor("number", _Number())
register_url_convertor("repo", _Repo())
register_url_convertor("revision", _Revision())


def create_app(
    storage: Storage,
    *,
    tokens: Mapping[str, str] | None = None,
    orgs: Mapping[str, Sequence[str]] | None = None,
    any_host: bool = False,
) -> Starlette:
    """The local Hub over a folder.

    Args:
        storage: The folder.
        tokens: Token → user name; `name:read` for a token that cannot write. Only hashes are kept.
        orgs: Organization → names of its members, who may all write there.
        any_host: Answer whatever the `Host` header says. Otherwise only loopback names are answered, so that
            a web page cannot reach this server through a DNS name of its own.
    """
    groups = (
        *(jobs, read, trees, write, lfs, lfs_parts, discussions, pulls, collections, collection_items),
        *(manage, spaces, sign_in, oauth, pages, more_pages),
    )
    handlers: list[tuple[str, str, Handler]] = [route for group in groups for route in group.ROUTES]
    # A repo id has one or two segments, so `ns/name` could be read as `repo/refs`: longest patterns first.
    handlers.sort(key=lambda item: item[1].count("/"), reverse=True)
    app = Starlette(
        routes=[Route(path, _endpoint(handler), methods=[method]) for method, path, handler in handlers],
        exception_handlers={HTTPException: _unknown},
    )
    app.state.hub = LocalHub(storage, Accounts(tokens or {}, orgs or {}))
    app.add_middleware(_Outer, log=app.state.hub.log, any_host=any_host)
    return app


def _endpoint(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(Call(request))
        except Refusal as refusal:
            return refusal_response(refusal)
        except Moved as moved:
            return RedirectResponse(moved.location, status_code=307)
        except ClientDisconnect:
            return refusal_response(bad_request("The caller went away before all of it had arrived"))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                return _broken(request)
            return refusal_response(no_room("The disk of this local Hub is full; nothing was changed"))
        except Exception:  # the server's last line: said in the log, and to the client as what it is
            return _broken(request)

    return endpoint


def _broken(request: Request) -> Response:
    _logger.exception("%s %s failed", request.method, request.url.path)
    return refusal_response(Refusal(500, "Internal error of the local Hub; its log has the details"))


async def _unknown(request: Request, error: Exception) -> Response:
    """No route, or not with this method."""
    _logger.warning("unknown route: %s %s (%s)", request.method, request.url.path, error)
    return refusal_response(unsupported(f"{request.method} {request.url.path}"))


class _Outer:
    """Matches on the path as it was sent, keeps strangers' hosts out, notes and numbers every request."""

    def __init__(self, app: ASGIApp, *, log: list[tuple[str, str, int]], any_host: bool):
        self.app = app
        self.log = log
        self.any_host = any_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")

        request_id = uuid.uuid4().hex

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._note(scope["method"], path, message["status"], request_id)
                message = {**message, "headers": [*message["headers"], (b"x-request-id", request_id.encode())]}
            await send(message)

        if not self.any_host and not _is_loopback(dict(scope["headers"]).get(b"host", b"").decode("latin-1")):
            refusal = forbidden("This server only answers to loopback names")
            await refusal_response(refusal)(scope, receive, noting_send)
            return
        await self.app({**scope, "path": path}, receive, noting_send)

    def _note(self, method: str, path: str, status: int, request_id: str) -> None:
        if len(self.log) >= _LOG_LIMIT:
            del self.log[: _LOG_LIMIT // 10]
        self.log.append((method, path, status))
        _logger.info("%s %s %s %s", method, path, status, request_id)


def _is_loopback(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return name in ("localhost", "127.0.0.1", "[::1]") or name.startswith("127.")
