"""One connection to one Hub: address, token, retries, time limits. `hub.py` says what is done with it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, Literal, NoReturn, TypeVar

# Read when huggingface_hub and transformers are first imported, so they stand before that. Without them the
# first reports to the default Hub what it runs under, and the second asks a Space to convert pickles.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")

from huggingface_hub import HfApi, constants, set_client_factory
from huggingface_hub.utils import _http, build_hf_headers, get_session, hf_raise_for_status, httpx

from tunekit_hub.hub import errors as hub_errors
from tunekit_hub.hub import login as hub_login
from tunekit_hub.version import __version__

T = TypeVar("T")
NAME = "tunekit-hub"
TIMEOUT = 10.0  # seconds for an answer about facts
PATIENCE = 120.0  # seconds for any other answer; the client itself would wait for ever
_sleep = time.sleep
_LOCK = threading.Lock()


class Connection:
    """One Hub, seen with one token.

    Args:
        token: The token to use; False for none. Left out, it is that of `HF_TOKEN`, else the one saved by
            `hf auth login`, which is sent to the default Hub only.
        endpoint: The address of the Hub; left out, that of `HF_ENDPOINT`, else the public one.
    """

    def __init__(self, token: str | Literal[False] | None = None, endpoint: str | None = None):
        self._endpoint = hub_login.normal(endpoint)
        self._token = hub_login.find_token(token, self._endpoint)
        if hub_login.is_loopback(self._endpoint):
            constants.HF_HUB_DISABLE_XET = True  # a Hub on this machine has no Xet storage to upload to
        _limit()  # here already, as it closes the connections that there are
        self._api = HfApi(
            endpoint=self._endpoint,
            token=self._token or False,  # None would let the client send a saved token anywhere
            library_name=NAME,
            library_version=__version__,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._endpoint!r}, {'with a token' if self._token else 'no token'})"

    @property
    def has_token(self) -> bool:
        """Whether there is a token to send."""
        return self._token is not None

    def holds_token(self, content: bytes) -> bool:
        """Whether the token occurs in content that is about to leave this machine."""
        return self._token is not None and self._token.encode() in content

    @property
    def endpoint(self) -> str:
        """The address of the Hub, without a slash at its end."""
        return self._endpoint

    def _call(self, what: str, action: Callable[[], T], tries: int = hub_errors.TRIES) -> T:
        """What `action` returns, retried after outages; what it raises becomes an error of ours."""
        try:
            return self._retried(action, tries)
        except hub_errors.CAUGHT as error:
            self._raise(error, what)

    def _retried(self, action: Callable[[], T], tries: int = hub_errors.TRIES) -> T:
        self._session()
        return hub_errors.retried(action, lambda seconds: _sleep(seconds), tries)

    def _raise(self, error: Exception, what: str) -> NoReturn:
        ours = hub_errors.translate(error, what, self._endpoint, self._token)
        if ours is None:
            raise error
        # Not chained: the client's own text may quote what the Hub said, and with it anything we sent.
        raise ours from None

    def _get(self, path: str) -> Any:
        answer = self._session().get(self._endpoint + path, headers=self._headers(), timeout=TIMEOUT)
        hf_raise_for_status(answer)
        return answer

    def _post(self, path: str, body: dict[str, str]) -> Any:
        return self._session().post(self._endpoint + path, json=body, headers=self._headers(), timeout=TIMEOUT)

    def _headers(self) -> dict[str, str]:
        return build_hf_headers(token=self._token or False, library_name=NAME, library_version=__version__)

    def _session(self) -> httpx.Client:
        """The client's connection, which must not wait for ever; a limit that somebody else set is kept."""
        _limit()
        return get_session()

    def _url(self, repo_id: str) -> str:
        return f"{self._endpoint}/{repo_id}"


def _limit() -> None:
    """Have the client make limited connections: it makes them anew after each that fails."""
    with _LOCK:
        make = _http._GLOBAL_CLIENT_FACTORY
        if not isinstance(make, _Limited):
            set_client_factory(_Limited(make))


class _Limited:
    """Connections as `make` makes them, that do not wait for ever, and not for long because the Hub says so."""

    def __init__(self, make: Callable[[], httpx.Client]):
        self._make = make

    def __call__(self) -> httpx.Client:
        client, hooks = self._make(), {}
        for kind, ours in (("request", _limit_wait), ("response", hub_errors.refuse_long_wait)):
            hooks[kind] = [*client.event_hooks.get(kind, []), ours]
        client.event_hooks = hooks
        return client


def _limit_wait(request: httpx.Request) -> None:
    """A limit for a request that has none; many of the client's calls say None, which goes before its default."""
    asked, limits = request.extensions.get("timeout") or {}, httpx.Timeout(PATIENCE, connect=TIMEOUT).as_dict()
    request.extensions["timeout"] = {
        name: limit if asked.get(name) is None else asked[name] for name, limit in limits.items()
    }
