"""Signing in with a browser: what the cookie opens, what it does not, and what another site cannot do."""

from __future__ import annotations

import pytest
from browsing import ask, cookie, sign_in


def test_the_cookie_opens_pages_only_and_does_not_hold_the_token(local_hub, make):
    make("you/secret", private=True)
    signed_in = cookie(local_hub)
    assert local_hub.tokens["you"] not in signed_in["Cookie"]
    assert ask(local_hub, "GET", "/api/models/you/secret", **signed_in).status == 401
    assert ask(local_hub, "GET", "/you/secret/resolve/main/README.md", **signed_in).status == 401
    assert ask(local_hub, "POST", "/api/repos/create", {}, **signed_in).status != 200


def test_signing_in_sets_a_strict_cookie_and_goes_back(local_hub):
    response = sign_in(local_hub, following="/you/secret")
    assert (response.status, response.getheader("Location")) == (303, "/you/secret")
    said = response.getheader("Set-Cookie").lower()
    assert all(part in said for part in ("httponly", "samesite=strict", "path=/"))


@pytest.mark.parametrize(
    "following",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "", "x", "/a\r\nb"],
)
def test_signing_in_leads_to_no_other_site(local_hub, following):
    assert sign_in(local_hub, following=following).getheader("Location") == "/"


@pytest.mark.parametrize("token", ["hf_wrong", "", "\u00fc\ud7ff", "you"])
def test_a_wrong_token_is_said_to_be_wrong(local_hub, token):
    response = ask(local_hub, "POST", "/login", {"token": token, "next": "/you/x"})
    assert response.status == 401
    assert "Nobody here has this token" in response.text
    assert response.getheader("Set-Cookie") is None
    assert 'name="next" value="/you/x"' in response.text
    assert token in ("", "you") or token not in response.text


def test_signing_out_ends_the_session_on_both_sides(local_hub, make):
    make("you/secret", private=True)
    signed_in = cookie(local_hub)
    response = ask(local_hub, "POST", "/logout", {}, **signed_in)
    assert (response.status, response.getheader("Location")) == (303, "/")
    assert "max-age=0" in response.getheader("Set-Cookie").lower()
    after = ask(local_hub, "GET", "/you/secret", **signed_in)
    assert after.status == 404
    assert "sign-in has ended" in after.text


@pytest.mark.parametrize("path", ["/login", "/logout"])
def test_another_site_signs_nobody_in_or_out(local_hub, path):
    headers = {"Sec-Fetch-Site": "cross-site", **cookie(local_hub)}
    assert ask(local_hub, "POST", path, {"token": local_hub.tokens["ada"]}, **headers).status == 403
    assert "Signed in as you" in ask(local_hub, "GET", "/", **headers).text
