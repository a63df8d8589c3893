"""How often the Hub is asked, what is kept for an hour, and what never is."""

from __future__ import annotations

import json
import threading
import time

import pytest
from faulty import Fault, faulty
from hub_cases import CARD, FILES, SMOL

from tunekit_hub import registry
from tunekit_hub.errors import HubUnreachable
from tunekit_hub.hub import Hub
from tunekit_hub.hub import cache as hub_cache
from tunekit_hub.localhub import seed
from tunekit_hub.localhub.access import set_request


def asked(local_hub, part: str = "") -> list[str]:
    return [path for _, path, status in local_hub.log if part in path and status != 307]


@pytest.fixture
def kept(local_hub, monkeypatch, tmp_path):
    """The files that are kept of this Hub's answers."""
    return lambda: sorted(tmp_path.glob("tunekit/*/facts/*"))


def test_a_registry_model_takes_two_questions_and_within_the_hour_one(you, make, local_hub, kept):
    make(SMOL)
    entry = registry.load().entry(SMOL)
    first = you.facts(SMOL, entry)
    assert len(asked(local_hub)) == 2
    assert you.facts(SMOL, entry) == first
    assert asked(local_hub)[2:] == [f"/api/models/{SMOL}/auth-check"]
    assert len(kept()) == 1


def test_both_questions_are_asked_at_once(you, make, local_hub):
    make(SMOL)
    both = threading.Barrier(2, timeout=60)
    get, info = you._get, you._api.model_info
    you._get = lambda path: (both.wait(), get(path))[1]
    you._api.model_info = lambda *a, **k: (both.wait(), info(*a, **k))[1]
    assert you.facts(SMOL, registry.load().entry(SMOL)).access == "open"


def test_any_other_model_takes_one_for_its_config_and_one_for_each_base(you, make, local_hub):
    make("ada/base")
    make("ada/model", {**FILES, "README.md": b"---\nlicense: mit\nbase_model: [ada/base, ada/gone]\n---\n"})
    you.facts("ada/model")
    assert sorted(asked(local_hub)) == [
        "/ada/model/resolve/" + make_sha(local_hub) + "/config.json",
        "/api/models/ada/base",
        "/api/models/ada/gone",
        "/api/models/ada/model",
        "/api/models/ada/model/auth-check",
    ]
    local_hub.log.clear()
    again = you.facts("ada/model")
    assert asked(local_hub) == ["/api/models/ada/model/auth-check"]
    assert again.architecture.hidden == 576
    assert [base.repo_id for base in again.bases] == ["ada/base", "ada/gone"]


def make_sha(local_hub) -> str:
    path = next(path for path in asked(local_hub, "/resolve/"))
    return path.split("/")[4]


def test_what_was_kept_for_the_registry_is_not_enough_elsewhere(you, make, local_hub):
    make(SMOL)
    you.facts(SMOL, registry.load().entry(SMOL))
    assert you.facts(SMOL).architecture is not None
    assert len(asked(local_hub, "/resolve/")) == 1


def test_after_an_hour_or_on_request_all_is_asked_anew(you, make, local_hub, monkeypatch):
    repo = make()
    you.facts("ada/model")
    seed.add_files(repo, {"README.md": b"---\nlicense: cc-by-nc-4.0\n---\n"}, "relicense")
    assert you.facts("ada/model").license == ("mit",)
    assert Hub(local_hub.tokens["you"], local_hub.endpoint, refresh=True).facts("ada/model").license == (
        "cc-by-nc-4.0",
    )
    seed.add_files(repo, {"README.md": CARD}, "back")
    assert you.facts("ada/model").license == ("cc-by-nc-4.0",)
    now = time.time()
    monkeypatch.setattr(hub_cache.time, "time", lambda: now + hub_cache.LIFETIME + 1)
    assert you.facts("ada/model").license == ("mit",)


def test_access_is_never_kept(you, make, local_hub):
    repo = make()
    assert you.facts("ada/model").access == "open"
    repo.update(gated="manual")
    assert you.facts("ada/model").access == "gated"
    set_request(repo, "you", "accepted")
    assert you.facts("ada/model").access == "granted"
    repo.update(disabled=True)
    assert you.facts("ada/model").access == "disabled"


@pytest.mark.parametrize("record", [{"private": True}, {"gated": "auto"}, {"disabled": True}])
def test_what_is_not_for_everybody_is_not_kept(local_hub, make, kept, record):
    make(**record)
    for user in ("you", "ada"):
        Hub(local_hub.tokens[user], local_hub.endpoint).facts("ada/model")
    assert kept() == []


def test_one_user_never_sees_what_another_may(local_hub, make, kept):
    """A repo that was public an hour ago, and is its owner's alone now."""
    repo = make()
    Hub(local_hub.tokens["ada"], local_hub.endpoint).facts("ada/model")
    assert len(kept()) == 1
    repo.update(private=True)
    found = Hub(local_hub.tokens["you"], local_hub.endpoint).facts("ada/model")
    assert (found.access, found.license, found.files) == ("private-or-missing", (), ())
    assert kept() == []


def test_no_token_is_kept(you, make, local_hub, kept):
    make()
    you.facts("ada/model")
    assert local_hub.tokens["you"] not in kept()[0].read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"at": "x"}', '{"at": 1e99, "endpoint": "e", "answer": {}}'])
def test_a_broken_file_is_as_good_as_none(you, make, kept, text):
    make()
    you.facts("ada/model")
    kept()[0].write_text(text)
    assert you.facts("ada/model").license == ("mit",)
    assert json.loads(kept()[0].read_text())["answer"]["repo_id"] == "ada/model"


def test_a_disk_that_takes_nothing_does_not_matter(you, make, tmp_path):
    make()
    (tmp_path / "tunekit").write_text("a file where the folder would be")
    assert you.facts("ada/model").access == "open"


def test_endpoints_do_not_mix(you, make, local_hub, kept):
    make()
    you.facts("ada/model")
    with faulty(behind=local_hub.endpoint) as other:
        Hub(local_hub.tokens["you"], other.endpoint).facts("ada/model")
        assert len(other.log) == 3
    assert len(kept()) == 2


def test_an_outage_is_not_hidden_by_what_was_kept(you, make, local_hub):
    make()
    broken = Fault("auth-check", 503, times=0)
    with faulty(broken, behind=local_hub.endpoint) as server:
        hub = Hub(local_hub.tokens["you"], server.endpoint)
        hub.facts("ada/model")
        broken.times = 1000
        with pytest.raises(HubUnreachable):
            hub.facts("ada/model")
