"""An outage is tried again, then said; it is never an answer. Offline, the registry answers."""

from __future__ import annotations

import socket

import pytest
from faulty import Fault, faulty
from hub_cases import SMOL

from tunekit_hub import registry
from tunekit_hub.errors import AccessDenied, HubUnreachable
from tunekit_hub.hub import Hub
from tunekit_hub.hub import connection as hub_connection
from tunekit_hub.hub import look as hub_look


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 520])
def test_an_outage_is_never_a_verdict(status, naps):
    entry = registry.load().entry(SMOL)
    with faulty(Fault(".", status)) as server:
        with pytest.raises(HubUnreachable, match=str(status)) as caught:
            Hub(False, server.endpoint).facts(SMOL, entry)
        assert len(server.log) == 8  # two questions, four times each
    assert server.endpoint in caught.value.message
    assert caught.value.hint
    assert 8 < sum(naps) < 60


def test_an_outage_of_the_access_question_is_no_verdict_either(local_hub, make):
    make()
    with faulty(Fault("auth-check", 503), behind=local_hub.endpoint) as server, pytest.raises(HubUnreachable):
        Hub(local_hub.tokens["you"], server.endpoint).facts("ada/model")


def test_a_refused_connection_is_an_outage(naps):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(HubUnreachable, match="no connection"):
            Hub(False, f"http://127.0.0.1:{taken.getsockname()[1]}").facts("a/b")
    assert len(naps) == 6


def test_a_hub_that_never_answers_is_an_outage(monkeypatch, naps):
    monkeypatch.setattr(hub_look, "TIMEOUT", 0.05)
    monkeypatch.setattr(hub_connection, "TIMEOUT", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(HubUnreachable, match="no answer in time"):
            Hub(False, endpoint).facts("a/b")


def test_a_page_that_is_no_json_is_an_outage():
    page = Fault(".", 200, body=b"<html>Please sign in to this network</html>")
    with faulty(page) as server, pytest.raises(HubUnreachable, match="not the Hub's"):
        Hub(False, server.endpoint).facts("a/b")


def test_two_failures_and_then_an_answer(local_hub, make, naps):
    make()
    with faulty(Fault(r"GET /api/models/ada/model\?", 503, times=2), behind=local_hub.endpoint) as server:
        assert Hub(local_hub.tokens["you"], server.endpoint).facts("ada/model").access == "open"
    assert len(naps) == 2
    assert naps[1] > naps[0]


@pytest.mark.parametrize("headers", [{"Retry-After": "7"}, {"RateLimit": '"api";r=0;t=7'}])
def test_the_hub_says_how_long_to_wait(local_hub, make, naps, headers):
    make()
    with faulty(Fault("GET", 429, times=1, headers=headers), behind=local_hub.endpoint) as server:
        Hub(local_hub.tokens["you"], server.endpoint).facts("ada/model")
        assert len(server.log) == 4  # two questions, the one that was put off again, and config.json
    assert naps == [7.0]


def test_a_long_wait_is_handed_to_the_user(naps):
    with faulty(Fault(".", 429, headers={"Retry-After": "300"})) as server:
        with pytest.raises(HubUnreachable) as caught:
            Hub(False, server.endpoint).facts("a/b")
        assert len(server.log) == 2
    assert naps == []
    assert "wait 300 seconds" in caught.value.hint


def test_a_refusal_is_not_tried_again(naps):
    with faulty(Fault(".", 403)) as server, pytest.raises(AccessDenied):
        Hub("hf_x", server.endpoint).whoami()
    assert naps == []


def test_offline_the_registry_answers_and_says_so(you, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    entry = registry.load().entry("meta-llama/Llama-2-7b-chat-hf")
    found = you.facts(entry.id, entry)
    assert (found.access, found.recorded, found.gated) == ("unverified", "2026-11-21", "manual")
    assert found.license == ("llama2",)
    assert found.revision is None
    with pytest.raises(HubUnreachable, match="offline"):
        you.facts("ada/model")
    with pytest.raises(HubUnreachable) as caught:
        you.whoami()
    assert "HF_HUB_OFFLINE" in caught.value.hint


def test_offline_what_was_fetched_can_still_be_used(you, make, monkeypatch):
    from huggingface_hub import constants

    entry = registry.load().entry(SMOL)
    revision = make(SMOL).commit("main").id
    folder = you.fetch(SMOL, revision)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    found = you.facts(SMOL, entry)
    assert found.revision == revision
    assert "model.safetensors" in found.files
    assert you.fetch(SMOL, revision) == folder
    with pytest.raises(HubUnreachable):
        you.fetch("ada/other", "main")
