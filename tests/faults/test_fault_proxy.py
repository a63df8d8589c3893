"""The proxy does what its faults are called, and nothing passes beside it."""

from __future__ import annotations

import pytest
from fault_cases import FAULTS
from fault_proxy import Spot, standing
from huggingface_hub import HfApi
from huggingface_hub.utils import httpx

NAME = {"you/model": "{repo}"}
WHO = Spot("GET", "/api/whoami-v2", 1)
BY_NAME = {fault.name: fault for fault in FAULTS}


@pytest.fixture
def proxy(local_hub):
    with standing(local_hub.endpoint, NAME) as proxy:
        yield proxy


@pytest.fixture
def ask(local_hub, proxy):
    with httpx.Client(timeout=60, headers={"Authorization": f"Bearer {local_hub.tokens['you']}"}) as client:
        yield lambda **limits: client.get(f"{proxy.endpoint}/api/whoami-v2", **limits)


def test_uploads_and_downloads_pass_through_it_and_are_noted(proxy, local_hub):
    api = HfApi(endpoint=proxy.endpoint, token=local_hub.tokens["you"])
    api.create_repo("you/model")
    api.upload_file(path_or_fileobj=b"w" * 5000, path_in_repo="model.safetensors", repo_id="you/model")
    noted = [str(seen.spot) for seen in proxy.seen]
    assert "PUT /lfs/models/{repo}/{sha256}" in noted  # by an address that the Hub handed out
    assert len(noted) == len(local_hub.log)
    assert next(seen for seen in proxy.seen if seen.spot.method == "PUT").sent == 5000
    assert not next(seen for seen in proxy.seen if seen.spot.method == "PUT").token


def test_other_origins_get_a_port_of_their_own(proxy, local_hub):
    led = proxy.rewritten(
        f'{{"a": "{local_hub.endpoint}/x", "b": "http://127.0.0.1:9/y", "c": "{proxy.endpoint}/z"}}'
    )
    assert local_hub.endpoint not in led
    assert f'"a": "{proxy.endpoint}/x"' in led
    assert f'"c": "{proxy.endpoint}/z"' in led
    assert "127.0.0.1:9/" not in led
    assert len(proxy.fronts) == 2


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("refused, lasting", httpx.TransportError),
        ("reset answering", httpx.TransportError),
        ("no answer", httpx.ReadTimeout),
    ],
)
def test_connections_break(name, error, proxy, ask):
    proxy.arm(WHO, BY_NAME[name])
    with pytest.raises(error):
        ask(timeout=0.3 if error is httpx.ReadTimeout else 60)
    if name == "refused, lasting":
        with pytest.raises(httpx.ConnectError):
            ask()
    proxy.arm()
    assert ask().json()["name"] == "you"


def test_a_short_absence_ends_with_a_pause(proxy, ask):
    proxy.arm(WHO, BY_NAME["refused"])
    with pytest.raises(httpx.TransportError):
        ask()
    with pytest.raises(httpx.ConnectError):
        ask()
    proxy.paused()
    assert ask().status_code == 200


@pytest.mark.parametrize("name", [name for name in BY_NAME if name[:3].isdigit()])
def test_errors_are_answered(name, proxy, ask, local_hub):
    proxy.arm(WHO, BY_NAME[name])
    before = len(local_hub.log)
    assert ask().status_code == int(name[:3])
    assert len(local_hub.log) - before == ("done" in name)
    assert ask().status_code == (int(name[:3]) if BY_NAME[name].lasting else 200)


def test_only_the_call_that_is_meant_is_spoiled(proxy, ask):
    proxy.arm(Spot("GET", "/api/whoami-v2", 2), BY_NAME["503"])
    assert [ask().status_code for _ in range(3)] == [200, 503, 200]


def test_bodies_are_cut_changed_and_slow(proxy, ask):
    whole = ask().content
    for name, wanted in (("truncated", whole[: len(whole) // 2]), ("trickle", whole)):
        proxy.arm(WHO, BY_NAME[name])
        assert ask().content == wanted
    proxy.arm(WHO, BY_NAME["corrupted"])
    assert sum(a != b for a, b in zip(whole, ask().content, strict=True)) == 1
