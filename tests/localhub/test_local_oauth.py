"""Signing in to a Space with an account of the local Hub: the whole circle, and what an app may do with it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from browsing import refusal
from huggingface_hub import HfApi
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
from space_sign_in import Browser

from tunekit_hub.errors import UsageError
from tunekit_hub.localhub import oauth_apps, running

BACK = "http://127.0.0.1:7860/login/callback?_target_url=%2F"


@pytest.fixture
def hub(tmp_path):
    with running(
        tmp_path / "hub", {"hf_you": "you", "hf_ada": "ada", "r": "you:read"}, orgs={"lab": ["you"]}
    ) as hub:
        hub.tokens["you"] = "hf_you"
        yield hub


@pytest.fixture
def browser(hub):
    browser = Browser()
    browser.sign_in_to_hub(hub, "you")
    return browser


def address(hub, app, **changes: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": BACK,
        "scope": " ".join(app.scopes),
        "state": "s&t",
        "nonce": "n",
    }
    return f"{hub.endpoint}/oauth/authorize?{urlencode({**asked, **changes})}"


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def exchange(hub, app, code: str, **changes: str):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    form |= {"client_id": app.client_id, "client_secret": app.client_secret, **changes}
    answer = Browser().ask("POST", f"{hub.endpoint}/oauth/token", form)
    return answer.status, json.loads(answer.text)


def token(hub, browser, app, *scopes: str, orgs: tuple[str, ...] = ()) -> HfApi:
    """The client, signed in as an app with these scopes."""
    url = address(hub, app, scope=" ".join(("openid", "profile", *scopes)))
    status, body = exchange(hub, app, query(browser.decide(url, orgs=orgs))["code"])
    assert status == 200, body
    return HfApi(hub.endpoint, token=body["access_token"])


def test_the_discovery_document_leads_to_everything(hub):
    answer = Browser().ask("GET", f"{hub.endpoint}/.well-known/openid-configuration")
    said = json.loads(answer.text)
    assert said["issuer"] == hub.endpoint
    assert all(
        said[f"{name}_endpoint"].startswith(hub.endpoint) for name in ("authorization", "token", "userinfo")
    )
    (key,) = json.loads(Browser().ask("GET", said["jwks_uri"]).text)["keys"]
    assert "d" not in key
    assert (key["kty"], key["alg"]) == ("RSA", "RS256")


def test_an_identity_and_a_token_that_the_local_hub_accepts(hub, browser):
    app = oauth_apps.register(hub.storage, "a Space")
    back = browser.decide(address(hub, app))
    assert back.startswith(BACK + "&")
    assert query(back)["state"] == "s&t"
    status, body = exchange(hub, app, query(back)["code"])
    assert (status, body["token_type"], body["scope"].split()) == (200, "bearer", list(app.scopes))
    assert body["access_token"].startswith("hf_oauth_")
    who = HfApi(hub.endpoint, token=body["access_token"]).whoami()
    assert (who["name"], who["auth"]["type"], who["orgs"]) == ("you", "oauth", [])
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    said = json.loads(Browser().ask("GET", f"{hub.endpoint}/oauth/userinfo", **headers).text)
    assert (said["preferred_username"], said["orgs"]) == ("you", [])
    assert "email" not in said
    assert Browser().ask("GET", said["picture"]).getheader("Content-Type").startswith("image/svg+xml")


def test_an_app_with_the_clients_of_the_hub(hub, browser):
    """authlib, which Gradio and huggingface_hub sign in with, finds its way and believes the identity."""
    import anyio
    from authlib.integrations.starlette_client import OAuth

    app = oauth_apps.register(hub.storage, "a Space")

    class Request:
        session: dict = {}
        scope = {"method": "GET"}
        query_params: dict = {}

    async def circle() -> dict:
        oauth = OAuth()
        oauth.register(
            name="huggingface",
            client_id=app.client_id,
            client_secret=app.client_secret,
            client_kwargs={"scope": " ".join(app.scopes), "code_challenge_method": "S256"},
            server_metadata_url=f"{hub.endpoint}/.well-known/openid-configuration",
        )
        request = Request()
        sent = await oauth.huggingface.authorize_redirect(request, BACK)
        request.query_params = query(browser.decide(sent.headers["location"]))
        return await oauth.huggingface.authorize_access_token(request)

    info = anyio.run(circle)
    assert info["userinfo"]["preferred_username"] == "you"
    assert info["userinfo"]["iss"] == hub.endpoint
    assert HfApi(hub.endpoint, token=info["access_token"]).whoami()["name"] == "you"


SPACE = """
import sys
sys.modules["spaces"] = None  # Gradio would take the folder of this name in the repository for that package
import gradio as gr
from huggingface_hub import whoami

def who(profile: gr.OAuthProfile | None, token: gr.OAuthToken | None) -> str:
    return "nobody" if profile is None else f"{profile.username} {whoami(token.token)['name']} {token.scope}"

with gr.Blocks() as demo:
    gr.LoginButton()
    said = gr.Textbox()
    gr.Button().click(who, None, said, api_name="who")
_, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, server_name="127.0.0.1")
print(url, flush=True)
demo.block_thread()
"""


def test_gradios_login_button(hub, tmp_path):
    from gradio_client import Client

    app = oauth_apps.register(hub.storage, "a Space", scopes=("read-repos",))
    env = {**os.environ, **app.environment(hub.endpoint, "you/space"), "HF_ENDPOINT": hub.endpoint}
    env |= {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(tmp_path), "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-c", SPACE]
    process = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    try:
        url = next(line.strip() for line in process.stdout if line.startswith("http"))
        headers = Browser().sign_in_to_space(hub, url, "you")
        for sent, said in (({}, "nobody"), (headers, "you you openid profile read-repos")):
            client = Client(url, verbose=False, headers=sent, download_files=str(tmp_path / "files"))
            assert client.predict(api_name="/who") == said
            client.close()
    finally:
        process.kill()
        process.communicate(timeout=120)


def test_saying_no_and_a_browser_that_is_not_signed_in(hub, browser):
    app = oauth_apps.register(hub.storage, "a Space")
    assert query(browser.decide(address(hub, app), "deny")) == {
        "_target_url": "/",
        "error": "access_denied",
        "state": "s&t",
    }
    page = Browser().ask("GET", address(hub, app))
    assert page.status == 200
    assert "Sign in with a token" in page.text
    assert "/oauth/authorize?response_type=code&amp;client_id=" in page.text  # and back to the question
    stranger = Browser()
    assert stranger.ask("POST", f"{hub.endpoint}/oauth/authorize", {"decision": "allow"}).status == 403


def test_the_question_names_the_app_what_it_wants_and_where_it_is(hub, browser):
    app = oauth_apps.register(hub.storage, "<b>Space</b>", scopes=("contribute-repos",))
    page = browser.ask("GET", address(hub, app))
    assert "&lt;b&gt;Space&lt;/b&gt;" in page.text
    assert "<b>Space" not in page.text
    assert oauth_apps.SCOPES["contribute-repos"] in page.text
    assert oauth_apps.SCOPES["read-repos"] not in page.text
    policy = page.getheader("Content-Security-Policy")
    assert "form-action 'self' http://127.0.0.1:7860;" in policy
    assert "frame-ancestors 'none'" in policy


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid write-repos"}, "invalid_scope"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "invalid_request"),
    ],
)
def test_what_cannot_be_asked_is_told_to_the_app(hub, browser, changes, error):
    app = oauth_apps.register(hub.storage, "a Space")
    assert query(browser.decide(address(hub, app, **changes)))["error"] == error


@pytest.mark.parametrize(
    "back",
    [
        "http://evil.example/login/callback",
        "https://127.0.0.1/login/callback",
        "http://127.0.0.1/other",
        "http://you@127.0.0.1/login/callback",
        "http://127.0.0.1\\@evil.example/login/callback",
        "http://127.0.0.1/login/callback#x",
        "http://127.0.0.1:99999/login/callback",
        "javascript:alert(0)",
        "",
    ],
)
def test_nobody_is_sent_where_the_app_is_not(hub, browser, back):
    app = oauth_apps.register(hub.storage, "a Space")
    answer = browser.ask("GET", address(hub, app, redirect_uri=back))
    assert (answer.status, answer.getheader("Location")) == (403, None)
    assert browser.ask("GET", address(hub, app, client_id="0" * 32)).status == 403
    assert browser.ask("GET", address(hub, app, client_id="../x")).status == 403


def test_a_code_is_good_once_for_its_app_its_address_and_its_verifier(hub, browser):
    app, other = (oauth_apps.register(hub.storage, name) for name in ("one", "other"))
    verifier = "v" * 43
    shown = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    url = address(hub, app, code_challenge=shown, code_challenge_method="S256")
    code = query(browser.decide(url))["code"]
    assert exchange(hub, app, "nonsense", code_verifier=verifier)[1]["error"] == "invalid_grant"
    assert exchange(hub, other, code, code_verifier=verifier)[1]["error"] == "invalid_grant"
    assert exchange(hub, app, code, code_verifier=verifier, redirect_uri="http://x")[1]["error"] == "invalid_grant"
    assert exchange(hub, app, code)[1]["error"] == "invalid_grant"
    assert exchange(hub, app, code, client_secret="x")[0] == 401
    assert exchange(hub, app, code, grant_type="password")[1]["error"] == "unsupported_grant_type"
    status, body = exchange(hub, app, code, code_verifier=verifier)
    assert status == 200
    api = HfApi(hub.endpoint, token=body["access_token"])
    assert api.whoami()["name"] == "you"
    assert exchange(hub, app, code, code_verifier=verifier)[1]["error"] == "invalid_grant"
    with pytest.raises(HfHubHTTPError):  # a code that comes twice was stolen, so its token ends
        api.whoami()


def test_a_code_and_a_token_end_with_their_time(hub, browser, monkeypatch):
    app = oauth_apps.register(hub.storage, "a Space")
    late, good = (query(browser.decide(address(hub, app)))["code"] for _ in range(2))
    api = HfApi(hub.endpoint, token=exchange(hub, app, good)[1]["access_token"])
    assert api.whoami()["name"] == "you"
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 9 * 3600)
    assert exchange(hub, app, late)[1]["error"] == "invalid_grant"
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        api.whoami()


def test_another_site_cannot_say_yes(hub, browser):
    app = oauth_apps.register(hub.storage, "a Space")
    fields = {**query(address(hub, app)), "decision": "allow"}
    for site in ("cross-site", "same-site"):
        answer = browser.ask("POST", f"{hub.endpoint}/oauth/authorize", fields, **{"Sec-Fetch-Site": site})
        assert (answer.status, answer.getheader("Location")) == (403, None)


def test_only_a_full_token_can_hand_on_what_it_holds(hub, browser):
    app = oauth_apps.register(hub.storage, "a Space", scopes=("manage-repos",))
    narrow = token(hub, browser, app)
    for weak in ("r", narrow.token):
        other = Browser()
        assert other.ask("POST", f"{hub.endpoint}/login", {"token": weak, "next": "/"}).status == 303
        page = other.ask("GET", address(hub, app))
        assert "sign in with a full one" in page.text
        fields = {**query(address(hub, app)), "decision": "allow"}
        assert other.ask("POST", f"{hub.endpoint}/oauth/authorize", fields).status == 403


def test_what_the_scopes_allow(hub, browser):
    you, ada = HfApi(hub.endpoint, token="hf_you"), HfApi(hub.endpoint, token="hf_ada")
    you.create_repo("you/private", private=True)
    you.create_repo("you/public")
    ada.create_repo("ada/gated")
    ada.update_repo_settings("ada/gated", gated="manual")
    ada.grant_access("ada/gated", "you")
    app = oauth_apps.register(hub.storage, "a Space", scopes=oauth_apps.SCOPES)

    bare = token(hub, browser, app)
    assert bare.model_info("you/public").id == "you/public"
    with pytest.raises(RepositoryNotFoundError):
        bare.model_info("you/private")
    with pytest.raises(GatedRepoError, match="gated-repos"):
        bare.auth_check("ada/gated")
    assert refusal(lambda: bare.create_repo("you/new")) == 403

    reader = token(hub, browser, app, "read-repos", "gated-repos")
    assert reader.model_info("you/private").private is True
    reader.auth_check("ada/gated")
    x = {"path_or_fileobj": b"x", "path_in_repo": "x"}
    assert refusal(lambda: reader.upload_file(repo_id="you/private", **x)) == 403

    maker = token(hub, browser, app, "contribute-repos")
    maker.create_repo("you/made", private=True)
    maker.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id="you/made")
    maker.auth_check("you/made", write=True)
    assert refusal(lambda: maker.auth_check("you/public", write=True)) == 403
    assert refusal(lambda: maker.delete_repo("you/public")) == 403
    maker.delete_repo("you/made")

    writer = token(hub, browser, app, "write-repos")
    writer.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id="you/private")
    assert refusal(lambda: writer.delete_repo("you/private")) == 403
    assert refusal(lambda: writer.update_repo_settings("you/private", private=False)) == 403
    token(hub, browser, app, "manage-repos").delete_repo("you/private")


def test_an_organization_is_only_touched_where_that_was_allowed(hub, browser):
    app = oauth_apps.register(hub.storage, "a Space")
    with pytest.raises(HfHubHTTPError, match="403"):
        token(hub, browser, app, "contribute-repos").create_repo("lab/model")
    api = token(hub, browser, app, "contribute-repos", orgs=("lab", "other"))
    assert [org["name"] for org in api.whoami()["orgs"]] == ["lab"]
    api.create_repo("lab/model")


def test_apps_survive_a_restart_and_their_secret_is_not_on_disk(tmp_path):
    with running(tmp_path, {"t": "you"}) as hub:
        app = oauth_apps.register(hub.storage, "a Space", ["https://you-space.example/login/callback"])
        assert app.client_secret not in repr(app)
    assert not any(app.client_secret in path.read_text() for path in tmp_path.rglob("*.json"))
    with running(tmp_path, {"t": "you"}) as hub:
        known = oauth_apps.find_app(hub.storage, app.client_id)
        assert known.knows(app.client_secret)
        assert known.may_return("https://you-space.example/login/callback?x=1")
        assert not known.may_return("https://you-space.example:444/login/callback")


def test_what_cannot_be_registered(hub):
    for back in ("http://192.0.2.1/x", "ftp://127.0.0.1/x", "x", "http://127.0.0.1/#x"):
        with pytest.raises(UsageError):
            oauth_apps.register(hub.storage, "a Space", [back])
    with pytest.raises(UsageError, match="everything"):
        oauth_apps.register(hub.storage, "a Space", scopes=["everything"])
