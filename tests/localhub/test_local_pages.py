"""What a person sees in a browser, and what a card or a stranger cannot do there."""

from __future__ import annotations

import re

import pytest
from browsing import ask, cookie

HOSTILE = b"""---
license: "<img src=x onerror=alert(1)>"
"</pre><script>alert(2)</script>": x
---
<script>alert(3)</script>

a <img src=x onerror=alert(4)> b <br onclick=alert(5)>

[one](javascript:alert(6)) [two](JaVaScRiPt&colon;alert(7)) [three](data:text/html,x) <javascript:alert(8)>
[four](vbscript:x "t") ![picture](https://example.org/p.png) ![five](javascript:alert(9))

[five]: javascript:alert(10)
[five] [six](https://example.org/"onmouseover="alert(11))
"""


def tags(page: str) -> list[str]:
    return re.findall(r"<[^>]*>", page)


def test_the_list_shows_what_the_caller_may_see(local_hub, make):
    make("you/open")
    make("you/secret", private=True)
    make("ada/hers", private=True)
    make("you/chats", kind="dataset")
    stranger = ask(local_hub, "GET", "/")
    assert stranger.status == 200
    assert 'href="/you/open"' in stranger.text
    assert 'href="/datasets/you/chats"' in stranger.text
    assert "apache-2.0" in stranger.text
    assert "2 private repos" in stranger.text
    assert "secret" not in stranger.text and "hers" not in stranger.text
    mine = ask(local_hub, "GET", "/", **cookie(local_hub)).text
    assert 'href="/you/secret"' in mine
    assert "1 private repo" in mine
    assert "hers" not in mine
    assert "Signed in as you" in mine


def test_an_empty_hub_says_so(local_hub):
    assert "There is no repo here that you may see" in ask(local_hub, "GET", "/").text


def test_a_card_is_rendered(local_hub, make):
    commit = make("you/open")
    page = ask(local_hub, "GET", "/you/open").text
    assert "<h2>Support desk</h2>" in page
    assert "<th>measure</th>" in page
    assert re.search(r"<td>one<br ?/?>\s*two</td>", page)
    assert "print(1 &lt; 2)" in page
    assert 'href="/you/base/tree/0123"' in page
    assert f'href="/you/open/resolve/{commit}/answers.jsonl"' in page
    assert 'href="https://example.org/a"' in page
    assert commit[:12] in page
    assert "2.3 MB" in page
    assert "license: apache-2.0" in page


def test_a_file_that_is_linked_is_there(local_hub, make):
    make("you/open")
    (url,) = re.findall(r'href="(/[^"]*w\.safetensors)"', ask(local_hub, "GET", "/you/open").text)
    assert len(ask(local_hub, "GET", url).text) == 2_345_678


@pytest.mark.parametrize("path", ["/you/evil", "/"])
def test_a_hostile_card_stays_text(local_hub, make, path):
    make("you/evil", HOSTILE)
    page = ask(local_hub, "GET", path).text
    for tag in tags(page):
        assert not re.search(r"<(script|img|iframe)|\son\w+=|javascript:|vbscript:|data:text", tag, re.I), tag
    assert page.count("</pre>") == page.count("<pre")
    if path != "/":
        assert "&lt;script&gt;alert(3)&lt;/script&gt;" in page
        assert "[image: picture]" in page


@pytest.mark.parametrize("kind", ["", "datasets/"])
def test_private_and_missing_are_the_same_page(local_hub, make, kind):
    make("you/secret", private=True, kind="dataset" if kind else "model")
    for headers in ({}, cookie(local_hub, "ada")):
        missing = ask(local_hub, "GET", f"/{kind}you/absent", **headers)
        private = ask(local_hub, "GET", f"/{kind}you/secret", **headers)
        assert (missing.status, private.status) == (404, 404)
        assert private.text == missing.text.replace("absent", "secret")
        assert "private" in private.text
    assert ask(local_hub, "GET", f"/{kind}you/secret", **cookie(local_hub)).status == 200
    assert ask(local_hub, "GET", f"/{kind}you/secret/tree/main").status == 404


def test_files_of_a_private_repo_are_named_but_not_linked(local_hub, make):
    """The cookie does not open downloads, so a link would lead to a refusal."""
    make("you/secret", private=True)
    page = ask(local_hub, "GET", "/you/secret", **cookie(local_hub)).text
    assert "w.safetensors" in page
    assert "w.safetensors</a>" not in page


@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_gated_page_has_facts_and_a_way_to_ask(hf, local_hub, make, kind):
    make("you/gated", kind=kind)
    hf("you").update_repo_settings("you/gated", gated="manual", repo_type=kind)
    path = "/you/gated" if kind == "model" else "/datasets/you/gated"
    for headers in ({}, cookie(local_hub, "ada")):
        page = ask(local_hub, "GET", path, **headers)
        assert page.status == 200
        assert "Support desk" not in page.text and "license: apache" not in page.text
        assert "apache-2.0" in page.text and "w.safetensors" in page.text
        assert "w.safetensors</a>" not in page.text
    (way,) = re.findall(r"(http://\S+/ask-access)", page.text)
    bearer = {"Authorization": f"Bearer {local_hub.tokens['ada']}"}
    assert ask(local_hub, "POST", way.removeprefix(local_hub.endpoint), {}, **bearer).status == 200
    assert "Your request is pending" in ask(local_hub, "GET", path, **cookie(local_hub, "ada")).text
    hf("you").accept_access_request("you/gated", "ada", repo_type=kind)
    assert "Support desk" in ask(local_hub, "GET", path, **cookie(local_hub, "ada")).text


@pytest.mark.parametrize("path", ["/", "/you/open", "/you/absent", "/login"])
def test_every_page_has_its_headers(local_hub, make, path):
    make("you/open")
    response = ask(local_hub, "GET", path)
    policy = response.getheader("Content-Security-Policy")
    for part in ("default-src 'none'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "script" not in policy
    assert response.getheader("X-Content-Type-Options") == "nosniff"
    assert response.getheader("Referrer-Policy") == "no-referrer"
    assert response.getheader("Content-Type") == "text/html; charset=utf-8"


def test_a_page_under_another_host_name_is_refused(local_hub):
    assert ask(local_hub, "GET", "/", Host="evil.example").status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/..%2f..%2fetc",
        "/%2e%2e/%2e%2e",
        "/you%2f..%2f..",
        "/../you",
        "/you/..",
        "/datasets/../x",
        "/you/a%00b",
        "/you/open/tree/..%2f..%2frepo",
        "/you/open/tree/%2e%2e",
        "/you/open/tree/" + "0" * 40,
        "/favicon.ico",
    ],
)
def test_a_name_that_is_none_is_404(local_hub, make, path):
    make("you/open")
    response = ask(local_hub, "GET", path)
    assert response.status == 404
    assert response.getheader("Content-Type").startswith("text/html")


def test_the_page_of_a_commit_is_that_commit(local_hub, make):
    old = make("you/open")
    make("you/open", b"# Newer")
    for revision in (old, "main", "refs/heads/main"):
        page = ask(local_hub, "GET", f"/you/open/tree/{revision}").text
        assert ("Support desk" in page) == (revision == old)
        assert ("not the newest" in page) == (revision == old)


def test_a_former_name_leads_to_the_page(local_hub, make, hf):
    make("you/open")
    hf("you").move_repo("you/open", "you/moved")
    local_hub.storage.add_redirect("model", "open", "you/moved")
    for path in ("/open", "/you/open", "/YOU/Moved"):
        response = ask(local_hub, "GET", path)
        assert (response.status, response.getheader("Location")) == (307, "/you/moved")


def test_programs_still_get_json_under_api(local_hub):
    for path, status in (("/api/nothing", 501), ("/api", 501), ("/api/models/you/x", 401)):
        response = ask(local_hub, "GET", path)
        assert (response.status, response.getheader("Content-Type")) == (status, "application/json")


def test_a_card_too_large_to_render_is_not_rendered(local_hub, make):
    make("you/big", b"x" * (1 << 20) + b"x")
    assert "too large to be shown" in ask(local_hub, "GET", "/you/big").text
