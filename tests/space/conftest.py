"""A local Hub with tiny models, the Space in front of it as a Space runs, and a browser."""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import served

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


@pytest.fixture
def pages(monkeypatch):
    """`pages("look")`: one of the modules of the Space, loaded anew."""
    monkeypatch.syspath_prepend(str(served.APP.parent))
    yield lambda name: importlib.import_module(f"pages.{name}")
    for name in [name for name in sys.modules if name == "pages" or name.startswith("pages.")]:
        del sys.modules[name]


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """A local Hub with tiny models, for the whole session."""
    from tunekit_hub.localhub import running

    folder = tmp_path_factory.mktemp("space")
    with running(folder / "hub", {token: user for user, token in served.TOKENS.items()}) as local:
        served.seed(local.storage, folder / "weights")
        yield local


@pytest.fixture(scope="session")
def space(hub, tmp_path_factory) -> Iterator[served.Space]:
    """The app as it runs on a Space: visitors sign in at the local Hub. The owner's token is there, unused."""
    from tunekit_hub.localhub import oauth_apps

    scopes = ("read-repos", "gated-repos", "contribute-repos", "jobs")
    app = oauth_apps.register(hub.storage, "TuneKit Hub", scopes=scopes)
    folder = tmp_path_factory.mktemp("served")
    environment = {
        **app.environment(hub.endpoint, "you/space"),
        "HF_ENDPOINT": hub.endpoint,
        "HF_HOME": str(folder / "hf"),
        "HF_TOKEN": served.TOKENS["you"],
    }
    with served.space(folder, environment) as url:
        yield served.Space(url, folder, environment["OAUTH_CLIENT_SECRET"])


@pytest.fixture(scope="session")
def cookie(space) -> Callable[[str], str]:
    """`cookie("ada")`: a session of hers, signed as the Space signs it."""

    def cookie(user: str, secret: str | None = None) -> str:
        from itsdangerous import TimestampSigner

        who = {"sub": f"id-{user}", "name": user, "preferred_username": user, "profile": "", "picture": ""}
        signed_in = {
            "access_token": served.TOKENS[user],
            "scope": "",
            "expires_at": time.time() + 3600,
            "userinfo": who,
        }
        key = hashlib.sha256(f"{secret or space.secret}-v4".encode()).hexdigest()
        content = base64.b64encode(json.dumps({"oauth_info": signed_in}).encode())
        return TimestampSigner(key).sign(content).decode()

    return cookie


@pytest.fixture(scope="module")
def browser():
    """Debian's chromium. Where it is missing CI fails, and others are told.

    Of one file alone: Playwright keeps a loop at work in this thread, where other tests run loops of their own.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("Playwright is not installed: pip install playwright")
    if not Path(CHROMIUM).exists():
        _missing(f"there is no browser at {CHROMIUM}: apt-get install chromium, or set CHROMIUM")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


def _missing(words: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


@pytest.fixture(scope="session")
def signed_in(space, cookie):
    """The same as a browser keeps it; one on http keeps none that is `Secure` where it was not set by a page."""
    return lambda user: {"name": "session", "value": cookie(user), "url": space.url, "sameSite": "Lax"}


@pytest.fixture
def visitor(browser, space, signed_in):
    """`visitor("ada", width=390, dark=True)`: a window of theirs; without a name, a guest's."""
    contexts = []

    def visitor(user: str = "", width: int = 1440, dark: bool = False):
        from steps import Visitor

        size = {"width": width, "height": 900 if width > 600 else 844}
        context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light")
        contexts.append(context)
        if user:
            context.add_cookies([signed_in(user)])
        return Visitor(context.new_page(), space.url)

    yield visitor
    for context in contexts:
        context.close()
