"""Every state of access, asked by the real client over real HTTP, each with its own message and fix."""

from __future__ import annotations

import base64
import json
from typing import get_args

import pytest
from faulty import Fault, faulty
from hub_cases import FILES
from records import make_request

from tunekit_hub.checks import CHECKS
from tunekit_hub.facts import Access
from tunekit_hub.hub import Hub
from tunekit_hub.hub import access as hub_access
from tunekit_hub.localhub import running, seed
from tunekit_hub.localhub.access import set_request
from tunekit_hub.localhub.repos import create_repo


def app_token(*scopes: str) -> str:
    """A token as signing in to an app gives it; its middle part says what it may do."""
    payload = base64.urlsafe_b64encode(json.dumps({"scope": scopes}).encode()).decode().rstrip("=")
    return f"hf_oauth_e30.{payload}.c2ln"


ADA, YOU, NARROW, APP, NOBODY = "hf_ada", "hf_you", "hf_narrow", app_token("gated-repos"), "hf_nobody"
BLIND_APP = app_token("openid", "read-repos")
TOKENS = {ADA: "ada", YOU: "you", NARROW: "you:no-gated", APP: "you:app", BLIND_APP: "you"}
# State → what is said, what to do.
CASES = [
    ("open", YOU, {}, None, "open to everyone", ""),
    ("granted", YOU, {"gated": "manual"}, "accepted", "has been let in", ""),
    ("gated", YOU, {"gated": "auto"}, None, "at once, on accepting its terms", "/ada/model, signed in"),
    ("gated", YOU, {"gated": "manual"}, None, "by hand, by its owners", "/ada/model, signed in"),
    ("gated-pending", YOU, {"gated": "manual"}, "pending", "have not answered yet", "wait for the answer"),
    ("gated-refused", YOU, {"gated": "manual"}, "rejected", "turned down", "another model"),
    ("gated-scope", NARROW, {"gated": "auto"}, "accepted", "without the permission", "/settings/tokens"),
    ("gated-app", APP, {"gated": "auto"}, "accepted", "app (OAuth)", "`gated-repos`"),
    ("gated-app", BLIND_APP, {"gated": "auto"}, None, "app (OAuth)", "`gated-repos`"),
    ("gated-no-token", False, {"gated": "auto"}, None, "no token was given", "`hf auth login`"),
    ("invalid-token", NOBODY, {}, None, "mistyped, expired or revoked", "`HF_TOKEN`"),
    ("private-or-missing", YOU, {"private": True}, None, "there is no model `ada/model`", "spelling"),
    ("private-or-missing", False, {"private": True}, None, "there is no model `ada/model`", "spelling"),
    ("disabled", YOU, {"disabled": True}, None, "has disabled", "another model"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with running(tmp_path_factory.mktemp("hub"), TOKENS) as hub:
        repo = create_repo(hub.storage, "model", "ada/model")
        seed.add_files(repo, FILES, "start")
        yield hub, repo


def finding(token, endpoint: str, name: str = "ada/model"):
    facts = Hub(token, endpoint, refresh=True).facts(name)
    return facts.access, CHECKS["access"].run(facts, make_request())


@pytest.mark.parametrize(("state", "token", "record", "asked", "message", "fix"), CASES)
def test_a_state_of_access(served, state, token, record, asked, message, fix):
    hub, repo = served
    repo.update(**({"gated": False, "private": False, "disabled": False, "requests": {}} | record))
    if asked:
        set_request(repo, "you", asked)
    access, found = finding(token, hub.endpoint)
    assert access == state
    assert found.status == ("pass" if state in ("open", "granted") else "block")
    assert message in found.message
    assert fix in found.fix
    assert not token or token not in found.message + found.fix


def test_all_states_are_among_these():
    assert {case[0] for case in CASES} | {"unverified"} == set(get_args(Access))


def test_a_missing_model_and_a_private_one_of_ones_own(served):
    hub, repo = served
    repo.update(gated=False, private=True, disabled=False, requests={})
    assert finding(YOU, hub.endpoint, "ada/none")[0] == "private-or-missing"
    access, found = finding(ADA, hub.endpoint)
    assert (access, found.message) == ("open", "private, and this token may read it")


def test_an_app_may_be_let_in(served):
    hub, repo = served
    repo.update(gated="auto", private=False, disabled=False, requests={})
    set_request(repo, "you", "accepted")
    assert finding(BLIND_APP, hub.endpoint)[0] == "granted"  # the Hub's answer counts, not the token's text


def test_the_words_of_the_public_hub_for_a_fine_grained_token(served):
    hub, repo = served
    repo.update(gated="auto", private=False, disabled=False, requests={})
    words = "Please enable access to public gated repositories in your fine-grained token settings"
    refusal = Fault("auth-check", 403, headers={"X-Error-Message": words})
    with faulty(refusal, behind=hub.endpoint) as server:
        assert finding(YOU, server.endpoint)[0] == "gated-scope"
        assert finding(BLIND_APP, server.endpoint)[0] == "gated-app"


@pytest.mark.parametrize(
    "token", ["hf_oauth_", "hf_oauth_a.b.c", "hf_oauth_a.!.c", "hf_oauth_e30.e30.e30", "hf_x"]
)
def test_a_token_that_does_not_tell_its_permissions_says_nothing(token):
    assert hub_access._permissions(token) is None
