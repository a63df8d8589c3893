"""Which Hub, with which token; and no token where it does not belong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback

import pytest
from faulty import Fault, faulty
from hub_cases import FILES, ROOT

from tunekit_hub.errors import AccessDenied, InvalidToken, TunekitError, UsageError
from tunekit_hub.hub import Hub
from tunekit_hub.localhub import seed
from tunekit_hub.localhub.repos import create_repo


def test_the_endpoint_loses_its_slash_and_must_be_one():
    assert Hub(False, "http://127.0.0.1:9/").endpoint == "http://127.0.0.1:9"
    for wrong in ("huggingface.co", "ftp://x", "http://"):
        with pytest.raises(UsageError):
            Hub(False, wrong)


def test_the_client_is_told_not_to_report_home():
    """Both are read on import, so they have to be set by then."""
    names = ("HF_HUB_DISABLE_TELEMETRY", "DISABLE_SAFETENSORS_CONVERSION")
    env = {name: value for name, value in os.environ.items() if name not in names}
    code = (
        "import os, tunekit_hub.hub\nfrom huggingface_hub import constants\n"
        "print(constants.HF_HUB_DISABLE_TELEMETRY, os.environ['DISABLE_SAFETENSORS_CONVERSION'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env, cwd=ROOT
    )
    assert done.stdout.split() == ["True", "1"]


def test_a_token_never_shows():
    token = "hf_CANARYcanaryCANARY"
    hub = Hub(token, "http://127.0.0.1:9")
    assert "CANARY" not in f"{hub!r} {hub}"
    assert "with a token" in repr(hub)
    assert "no token" in repr(Hub(False))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 412, 429])
def test_no_error_repeats_the_token_even_if_the_hub_does(status):
    token = "hf_CANARYcanaryCANARY"
    echo = {"X-Error-Message": f"Bearer {token} is bad", "Content-Type": "application/json"}
    fault = Fault(".", status, headers=echo, body=json.dumps({"error": f"no {token}"}).encode())
    with faulty(fault) as server:
        hub = Hub(token, server.endpoint)
        calls = [hub.whoami, hub.namespaces, lambda: hub.push("a/b", FILES, message="m", private=True)]
        calls += [lambda: hub.write_access("a/b"), lambda: hub.fetch("a/b", "main"), lambda: hub.facts("a/b")]
        for call in [*calls, lambda: hub.read_text("a/b", "README.md"), lambda: hub.validate_card("x")]:
            try:
                call()
            except TunekitError as error:
                told = "".join(traceback.format_exception(error)) + error.message + error.hint
                assert "CANARY" not in told


@pytest.mark.parametrize("token", ["hf_CANARY\nx", "hf_CANARY ü", "hf_CANARY two"])
def test_a_token_that_cannot_be_one_is_refused_unseen(token):
    with pytest.raises(InvalidToken) as caught:
        Hub(token)
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def test_a_saved_token_goes_to_the_default_hub_only(monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "get_token", lambda: "hf_saved")
    assert "no token" in repr(Hub(endpoint="http://127.0.0.1:9"))
    assert "with a token" in repr(Hub(endpoint="https://huggingface.co"))
    assert "no token" in repr(Hub(False, "https://huggingface.co"))


def test_the_saved_token_is_not_sent_by_the_client_behind_our_back(local_hub, monkeypatch):
    from huggingface_hub.utils import _headers

    monkeypatch.setattr(_headers, "get_token", lambda: local_hub.tokens["you"])
    with pytest.raises(AccessDenied, match="no token"):
        Hub(endpoint=local_hub.endpoint).whoami()
    seed.add_files(create_repo(local_hub.storage, "model", "you/secret", private=True), FILES, "start")
    assert Hub(endpoint=local_hub.endpoint).facts("you/secret").access == "private-or-missing"


def test_the_environment_names_hub_and_token(local_hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", local_hub.endpoint + "/")
    monkeypatch.setenv("HF_TOKEN", local_hub.tokens["ada"])
    assert Hub().whoami() == "ada"
    assert Hub(local_hub.tokens["you"]).whoami() == "you"


def test_who_and_where(you, local_hub):
    assert you.whoami() == "you"
    assert you.namespaces() == ("you",)
    with pytest.raises(InvalidToken, match="does not know this token"):
        Hub("hf_nobodys", local_hub.endpoint).whoami()


@pytest.mark.parametrize(
    ("token", "namespaces"),
    [
        ({"role": "read"}, ()),
        ({"role": "write"}, ("you", "acme")),
        (
            {
                "role": "fineGrained",
                "fineGrained": {
                    "scoped": [
                        {"entity": {"type": "org", "name": "acme"}, "permissions": ["repo.write"]},
                        {"entity": {"type": "user", "name": "you"}, "permissions": ["repo.content.read"]},
                    ]
                },
            },
            ("acme",),
        ),
    ],
)
def test_a_token_creates_only_where_its_role_lets_it(token, namespaces):
    orgs = [{"name": "acme", "roleInOrg": "admin"}, {"name": "readers", "roleInOrg": "read"}]
    who = {"name": "you", "orgs": orgs, "auth": {"accessToken": token}}
    with faulty(Fault("whoami", 200, body=json.dumps(who).encode())) as server:
        assert Hub("hf_x", server.endpoint).namespaces() == namespaces
