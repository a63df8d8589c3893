"""Who a request is from: the signed session on a Space, this machine's owner at home, and nobody's page."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tunekit_hub import runs
from tunekit_hub.errors import AccessDenied

SPACES = str(Path(__file__).parent.parent.parent / "spaces")


@pytest.fixture
def session(monkeypatch, tmp_path):
    """The module, with no service at work."""
    monkeypatch.syspath_prepend(SPACES)
    from pages import session

    you = runs.Local(runs.Visitor("you", "local", "local"), "hf_local", "http://127.0.0.1:1", "signed in as `you`")
    monkeypatch.setattr(session, "local", lambda: you)
    yield session
    for name in [name for name in sys.modules if name == "pages" or name.startswith("pages.")]:
        del sys.modules[name]


@pytest.fixture
def on_a_space(monkeypatch):
    monkeypatch.setenv("SYSTEM", "spaces")
    monkeypatch.setenv("SPACE_ID", "you/space")
    monkeypatch.setenv("SPACE_HOST", "you-space.hf.space")


def request(host="127.0.0.1:7860", origin="", info=None, page="abcdefghijk"):
    """A request as Gradio hands it on."""
    headers = {"host": host} | ({"origin": origin} if origin else {})
    under = SimpleNamespace(scope={"session": {"oauth_info": info} if info else {}})
    return SimpleNamespace(headers=headers, request=under, session_hash=page)


def signed(**changes):
    who = {"sub": "42", "name": "Ada", "preferred_username": "ada"}
    return {"access_token": "hf_ada", "expires_at": time.time() + 60, "userinfo": who} | changes


def test_on_a_space_the_session_says_who_it_is(session, on_a_space):
    me = session.caller(request("you-space.hf.space", info=signed()))
    assert (me.visitor, me.token) == (runs.Visitor("ada", "user", "42"), "hf_ada")
    assert "hf_ada" not in repr(me)


@pytest.mark.parametrize("info", [None, signed(expires_at=time.time() - 1)])
def test_without_a_valid_session_one_is_a_guest_without_a_token(info, session, on_a_space, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_owner")
    me = session.caller(request("you-space.hf.space", info=info))
    assert (me.visitor.kind, me.token, me.name) == ("guest", None, "")


def test_a_guest_without_a_page_is_nobody_twice(session, on_a_space):
    first, second = (session.caller(request("you-space.hf.space", page=None)) for _ in range(2))
    assert first.visitor.key != second.visitor.key


def test_at_home_no_session_is_asked(session):
    me = session.caller(request(info=signed()))
    assert (me.visitor.kind, me.token) == ("local", "hf_local")


@pytest.mark.parametrize("origin", ["https://evil.example", "https://you-space.hf.space.evil.example", "null"])
def test_another_sites_page_may_not_use_the_visitors_session(origin, session, on_a_space):
    with pytest.raises(AccessDenied, match="page of another site"):
        session.caller(request("you-space.hf.space", origin=origin, info=signed()))


def test_the_spaces_own_page_may(session, on_a_space):
    assert session.caller(request("10.0.0.7", origin="https://you-space.hf.space", info=signed())).name == "ada"


@pytest.mark.parametrize(
    ("host", "right"), [("localhost:7860", True), ("[::1]:7860", True), ("evil.example", False)]
)
def test_at_home_a_foreign_name_for_this_machine_is_refused(host, right, session):
    if right:
        assert session.caller(request(host, origin=f"http://{host}")).name == "you"
        return
    with pytest.raises(AccessDenied):
        session.caller(request(host, origin=f"http://{host}"))
