"""A proxy before a Hub that notes every call, and spoils the one it is told to.

Addresses that the Hub hands out (upload links, redirects, next pages) are rewritten, so that what is done with
them comes through here as well; each origin gets a port of its own, as the client treats other origins otherwise.
"""

from __future__ import annotations

import re
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

_LOCAL = re.compile(r"http://(?:127\.0\.0\.1|localhost):\d+")
_COMMIT = re.compile(r"(?<=/)[0-9a-f]{40}(?=/|$)")
_SHA256 = re.compile(r"(?<=/)[0-9a-f]{64}(?=/|$)")


@dataclass(frozen=True, order=True)
class Spot:
    """One call of a command: the `nth` of its kind."""

    method: str
    route: str  # with `{repo}` and `{commit}` in place of names that differ from run to run
    nth: int

    def __str__(self) -> str:
        return f"{self.method} {self.route}{f' #{self.nth}' if self.nth > 1 else ''}"


@dataclass(frozen=True)
class Seen:
    """What there was to spoil about a call."""

    spot: Spot
    token: bool  # whether it carried one
    sent: int  # bytes of its body
    got: int  # bytes of the answer's body
    status: int

    @property
    def writes(self) -> bool:
        """Whether it changes something on the Hub."""
        asks = self.spot.route.endswith("/validate-yaml") or "/paths-info/" in self.spot.route
        return self.spot.method in ("POST", "PUT", "DELETE") and not asks


@dataclass
class Answer:
    """What the Hub said."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Fault:
    """One way to spoil a call.

    `act(exchange)` does it; `fits(seen)` says whether a call can suffer it. `lasting`: also every later call of
    the kind; `everywhere`: every later call that carries a token.
    """

    name: str
    act: Callable[..., None]
    fits: Callable[[Seen], bool] = lambda seen: True
    lasting: bool = False
    everywhere: bool = False
    waits: bool = False  # the client runs into its time limits


@dataclass
class Proxy:
    """One proxy before one Hub. `names`: what stands for a repository's name in a route."""

    hub: str
    names: dict[str, str] = field(default_factory=dict)
    endpoint: str = ""
    seen: list[Seen] = field(default_factory=list)
    spot: Spot | None = None
    fault: Fault | None = None
    met: int = 0  # how often the fault was done
    down: bool = False
    down_until_a_pause: bool = False
    fronts: dict[str, Front] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _counted: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.endpoint = self.front(self.hub)

    def front(self, origin: str) -> str:
        """Where an origin can be reached through here."""
        with self.lock:
            mine = {front.endpoint for front in self.fronts.values()}
            if origin in mine:
                return origin
            if origin not in self.fronts:
                self.fronts[origin] = Front(self, origin)
            return self.fronts[origin].endpoint

    def rewritten(self, text: str) -> str:
        """With every address on this machine led through here."""
        return _LOCAL.sub(lambda found: self.front(found[0].replace("localhost", "127.0.0.1")), text)

    def arm(self, spot: Spot | None = None, fault: Fault | None = None) -> None:
        """Start counting anew, and spoil that call; without arguments, only look on."""
        self.back()
        with self.lock:
            self.spot, self.fault, self.met = spot, fault, 0
            self.seen.clear()
            self._counted.clear()

    def meet(self, method: str, path: str, token: bool) -> tuple[Spot, Fault | None]:
        """Which call this is, and the fault that it is to suffer."""
        route = self._route(path)
        with self.lock:
            self._counted[method, route] += 1
            spot = Spot(method, route, self._counted[method, route])
            at, fault = self.spot, self.fault
            if at is None or fault is None:
                return spot, None
            same = (spot.method, spot.route) == (at.method, at.route)
            hit = same and (spot.nth == at.nth or (fault.lasting and spot.nth > at.nth))
            hit = hit or (fault.everywhere and token and self.met > 0)
            self.met += hit
            return spot, fault if hit else None

    def leave(self, until_a_pause: bool = False) -> None:
        """Stop listening: whoever connects is refused."""
        with self.lock:
            if not self.down:
                self.down, self.down_until_a_pause = True, until_a_pause
                for front in self.fronts.values():
                    front.close()

    def back(self) -> None:
        """Listen again."""
        with self.lock:
            if self.down:
                for front in self.fronts.values():
                    front.open()
                self.down = self.down_until_a_pause = False

    def paused(self) -> None:
        """The client waits before it tries again: a short absence is over by then."""
        if self.down_until_a_pause:
            self.back()

    def _route(self, path: str) -> str:
        route = urlsplit(path).path
        for name, shown in self.names.items():
            route = re.sub(rf"(?<=/){re.escape(name)}(?=/|\.git/|$)", shown, route)
        return _SHA256.sub("{sha256}", _COMMIT.sub("{commit}", route))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what is wanted here; anything else is said."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Front:
    """The port behind which one origin stands."""

    def __init__(self, proxy: Proxy, origin: str):
        self.proxy, self.origin = proxy, origin
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self._placeholder: socket.socket | None = None
        self.open()

    def open(self) -> None:
        from fault_exchange import handler

        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None
        self._server = _Server(("127.0.0.1", self.port), handler(self.proxy, self.origin))
        serve = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        serve.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        # The port stays ours: bound, and nobody listens.
        self._placeholder = socket.socket()
        self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._placeholder.bind(("127.0.0.1", self.port))

    def end(self) -> None:
        self.close()
        with suppress(OSError):
            self._placeholder.close()


@contextmanager
def standing(hub: str, names: Mapping[str, str] | None = None) -> Iterator[Proxy]:
    """A proxy before `hub` until the block ends."""
    proxy = Proxy(hub, dict(names or {}))
    try:
        yield proxy
    finally:
        proxy.arm()
        for front in list(proxy.fronts.values()):
            front.end()
