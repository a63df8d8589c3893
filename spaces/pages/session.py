"""Who the visitor is: the only module that reads the session's identity. And the one service of this process.

On a Space visitors sign in at the Hub (OAuth), and are guests before that. Anywhere else there is one visitor:
who sits at this machine, with the machine's own token for its Hub.
"""

from __future__ import annotations

import ipaddress
import os
import re
import time
import uuid
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import gradio as gr

from tunekit_hub import runs
from tunekit_hub.errors import AccessDenied

_ASKED_EVERY = 60.0  # seconds
_SESSION = re.compile(r"[\w-]{8,64}")


@dataclass(frozen=True)
class Caller:
    """A visitor, and their own token for this one call."""

    visitor: runs.Visitor
    token: str | None = field(default=None, repr=False)
    page: str = field(default="", repr=False)  # the random id of the window; empty: the request is not from a page

    @property
    def name(self) -> str:
        """Their name on the Hub; empty for a guest."""
        return "" if self.visitor.kind == "guest" else self.visitor.name


def on_a_space() -> bool:
    """Whether this is a Space of the Hub, where visitors are many and sign in."""
    return os.environ.get("SYSTEM") == "spaces" and bool(os.environ.get("SPACE_ID"))


@lru_cache(maxsize=1)
def service() -> runs.Service:
    """The service of this process; it is started by `home.build`."""
    made = runs.Service(_root(), runs.Settings.from_environment())
    made.start()
    return made


def _root() -> Path:
    """Where runs and uploads are kept: as told, on the Space's lasting disk if it has one, or in this folder."""
    if told := os.environ.get("TUNEKIT_SPACE_DIR"):
        return Path(told)
    lasting = Path("/data")
    return lasting / "tunekit" if on_a_space() and os.access(lasting, os.W_OK) else Path("runs") / "space"


def local() -> runs.Local:
    """Who sits at this machine; asked again now and then, as they may sign in with another token."""
    return _local(int(time.monotonic() // _ASKED_EVERY))


@lru_cache(maxsize=1)
def _local(_: int) -> runs.Local:
    return runs.local(service().endpoint)


def caller(request: gr.Request | None) -> Caller:
    """Who sends this request, by its signed session; nothing that the page says is asked.

    Raises:
        AccessDenied: another site's page sends it, with the visitor's cookies.
    """
    headers = dict(request.headers) if request is not None else {}
    _refuse_other_sites(headers)
    page = _page(request)
    if not on_a_space():
        return Caller(local().visitor, local().token, page)
    signed = _signed_in(request)
    if signed is None:  # without a page, nobody will come back to what this guest leaves
        return Caller(runs.Visitor(page or uuid.uuid4().hex, kind="guest"), None, page)
    who = signed["userinfo"]
    visitor = runs.Visitor(who["preferred_username"], kind="user", id=str(who.get("sub") or ""))
    return Caller(visitor, signed["access_token"], page)


def _signed_in(request: gr.Request | None) -> dict | None:
    """What the Hub has said when the visitor signed in; None before that and when it has run out.

    The cookie it comes in is signed with a secret of the Space.
    """
    scope = getattr(getattr(request, "request", None), "scope", None) or {}
    found = (scope.get("session") or {}).get("oauth_info")
    if not found or (found.get("expires_at") or 0) <= time.time():
        return None
    return found


def _page(request: gr.Request | None) -> str:
    """The page's own long random id, new with each load; empty where there is none."""
    given = getattr(request, "session_hash", None) or ""
    return given if _SESSION.fullmatch(given) else ""


def _refuse_other_sites(headers: dict[str, str]) -> None:
    """A browser says which site's page sends a request; only our own may use the visitor's session.

    At home the name that this machine is asked under must be its own, too: a foreign name that leads here is how
    a web page reaches a server on loopback.
    """
    host, origin = headers.get("host", ""), headers.get("origin", "")
    ours = {host, *(name.strip() for name in os.environ.get("SPACE_HOST", "").split(","))}
    foreign = origin and urlsplit(origin).netloc not in ours
    if not on_a_space() and host and not _is_address(urlsplit(f"//{host}").hostname or ""):
        foreign = True
    if foreign:
        raise AccessDenied(
            "this request comes from a page of another site, so it is not answered",
            "open the app under its own address",
        )


def _is_address(host: str) -> bool:
    """Whether a host is this machine by name, a bare address, or the name the server was started under."""
    if host in ("localhost", os.environ.get("GRADIO_SERVER_NAME", "localhost")):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def guest(me: Caller) -> str:
    """The random id of a guest; empty for anybody else."""
    return me.visitor.name if me.visitor.kind == "guest" else ""


def words(me: Caller) -> str:
    """Who the visitor is and with which Hub they talk, in a sentence."""
    if not on_a_space():
        return local().words
    if me.visitor.kind == "guest":
        may = "train" if service().settings.guests_train else "look at data and plans"
        return f"You are not signed in: you can {may}, and see what everybody may see of the Hub."
    return f"Signed in as `{me.visitor.name}`. Everything is read and published with your own access."
