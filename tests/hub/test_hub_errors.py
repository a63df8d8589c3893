"""Every way in which a call can fail is an error of ours, with a way out; and waiting has an end."""

from __future__ import annotations

import socket
import time
from email.utils import formatdate

import pytest
from faulty import Fault, faulty
from huggingface_hub import HfApi
from huggingface_hub.errors import FileMetadataError, HfHubHTTPError, LocalEntryNotFoundError
from huggingface_hub.utils import _http, get_session, httpx

from tunekit_hub.errors import AccessDenied, HubError, HubUnreachable
from tunekit_hub.hub import Hub
from tunekit_hub.hub import connection as hub_connection
from tunekit_hub.hub import errors as hub_errors

REQUEST = httpx.Request("GET", "http://127.0.0.1:9/x")
TRANSPORT = [
    getattr(httpx, name)
    for name in dir(httpx)
    if isinstance(getattr(httpx, name), type)
    and issubclass(getattr(httpx, name), httpx.HTTPError)
    and getattr(httpx, name) is not httpx.HTTPStatusError
]


def answered(status, method="GET", headers=None, token=True, **answer):
    asked = httpx.Request(method, "http://127.0.0.1:9/x", headers={"Authorization": "Bearer t"} if token else {})
    return HfHubHTTPError("said", response=httpx.Response(status, request=asked, headers=headers, **answer))


def translated(error):
    return hub_errors.translate(error, "doing it", "http://127.0.0.1:9", None)


@pytest.mark.parametrize("kind", TRANSPORT, ids=lambda kind: kind.__name__)
def test_every_error_of_the_http_client_is_an_outage(kind):
    found = translated(kind("what httpx says"))
    assert isinstance(found, HubUnreachable)
    assert found.hint.endswith("run again")
    assert "what httpx says" not in found.message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("Cannot send a request, as the client has been closed."), "no connection"),
        (OSError("Consistency check failed: file should be of size 9 but has size 4 (x)."), "cut short"),
        (FileMetadataError("no header"), "without its headers"),
        (hub_errors.Damaged("`model.safetensors`"), "`model.safetensors` arrived damaged"),
        (httpx.InvalidURL("no URL"), "cannot be read"),
        (ConnectionResetError(104, "reset"), "no connection"),
        (answered(400, "PUT", token=False), "did not take an upload"),
        (answered(403, "PUT", token=False), "did not take an upload"),
    ],
)
def test_other_outages_are_told_in_words(error, words):
    found = translated(error)
    assert isinstance(found, HubUnreachable)
    assert words in found.message


def test_a_wrapped_error_is_seen_through():
    outer = LocalEntryNotFoundError("not here")
    outer.__cause__ = FileMetadataError("no header")
    assert "without its headers" in translated(outer).message


def test_an_upload_with_a_token_that_is_refused_is_a_refusal():
    assert isinstance(translated(answered(403, "PUT")), AccessDenied)
    assert type(translated(answered(400))) is HubError


@pytest.mark.parametrize("status", [400, 401, 403, 409, 412, 418])
def test_a_refusal_says_how_to_go_on(status):
    found = translated(answered(status))
    assert isinstance(found, HubError)
    assert not isinstance(found, HubUnreachable)
    assert found.hint.endswith("run again")


def test_a_date_to_wait_for_is_read():
    asked = hub_errors.wait_asked(
        answered(503, headers={"Retry-After": formatdate(time.time() + 30, usegmt=True)})
    )
    assert 25 < asked <= 30
    assert hub_errors.wait_asked(answered(503, headers={"Retry-After": "soon"})) is None


def test_the_clients_own_loops_do_not_wait_for_long_either(local_hub, make, naps, monkeypatch):
    """Of `HEAD`, which the client itself tries again, as long as the Hub says."""
    slept = []
    monkeypatch.setattr(_http.time, "sleep", slept.append)
    make()
    fault = Fault("HEAD ", 429, headers={"Retry-After": "3000"})
    with faulty(fault, behind=local_hub.endpoint) as server, pytest.raises(HubUnreachable) as caught:
        Hub(local_hub.tokens["you"], server.endpoint).fetch("ada/model", "main")
    assert "wait 3000 seconds" in caught.value.hint
    assert not [seconds for seconds in (*slept, *naps) if seconds > hub_errors.LONGEST_WAIT]


def test_no_call_waits_for_ever_though_the_client_says_so(you, monkeypatch):
    """Also on connections that the client made anew, and where it asks for no limit by name, as for pages."""
    from huggingface_hub import close_session

    close_session()
    monkeypatch.setattr(hub_connection, "PATIENCE", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_hub = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(httpx.ReadTimeout):
            get_session().get(silent_hub, timeout=None)
        with pytest.raises(httpx.ReadTimeout):
            HfApi(endpoint=silent_hub, token=False).model_info("a/b")


def test_limits_that_somebody_else_set_are_kept(local_hub, make, monkeypatch):
    from huggingface_hub import set_client_factory

    make()
    monkeypatch.setattr(_http, "_GLOBAL_CLIENT_FACTORY", _http._GLOBAL_CLIENT_FACTORY)
    try:
        set_client_factory(lambda: httpx.Client(timeout=7, headers={"X-Mine": "1"}))
        assert Hub(local_hub.tokens["you"], local_hub.endpoint).facts("ada/model").access == "open"
        session = get_session()
        assert (session.timeout, session.headers["X-Mine"]) == (httpx.Timeout(7), "1")
    finally:
        _http.close_session()
