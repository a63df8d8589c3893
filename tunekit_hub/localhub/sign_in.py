"""Signing in with a browser.

The cookie opens the pages and nothing else: no other route looks at it, so no other site can use it to read
or change a repo. It names a session of this process; the token itself is not in it, because a browser sends
its cookies to every port of this machine.
"""

from __future__ import annotations

import re
import secrets

from starlette.responses import RedirectResponse, Response

from tunekit_hub.localhub.context import Call
from tunekit_hub.localhub.pages import COOKIE, HEADERS, html, page
from tunekit_hub.localhub.refusals import Refusal, forbidden

_LOCAL_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")  # no second slash, backslash, space or control character


@page
async def sign_in_page(call: Call) -> Response:
    """The form alone."""
    return html(call, "Sign in", message="Sign in with a token of this local Hub.", open_form=True)


@page
async def sign_in(call: Call) -> Response:
    """Start a session for whoever has a valid token, and go back to the page they came from."""
    check_same_site(call)
    form = await call.form()
    token, following = (form.get(name, [""])[0] for name in ("token", "next"))
    following = following if _LOCAL_PATH.fullmatch(following) else "/"
    try:
        user = call.hub.accounts.user(f"Bearer {token.strip()}")
    except Refusal:
        said = "Nobody here has this token. Check that it is whole, and that it is for this local Hub."
        return html(call, "Not signed in", 401, message=said, bad=True, open_form=True, next=following)
    response = RedirectResponse(following, 303, headers=HEADERS)
    if user is not None:
        session = secrets.token_urlsafe(32)
        call.hub.sessions[session] = user
        secure = call.request.url.scheme == "https"
        response.set_cookie(COOKIE, session, httponly=True, samesite="strict", path="/", secure=secure)
    return response


@page
async def sign_out(call: Call) -> Response:
    """End the session, here and in the browser."""
    check_same_site(call)
    call.hub.sessions.pop(call.request.cookies.get(COOKIE, ""), None)
    response = RedirectResponse("/", 303, headers=HEADERS)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict", path="/")
    return response


def check_same_site(call: Call) -> None:
    """Refuse a form of another site. (`Origin` says nothing: it is `null` under our referrer policy)."""
    if call.request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise forbidden("Another site sent this form")


ROUTES = [
    ("GET", "/login", sign_in_page),
    ("POST", "/login", sign_in),
    ("POST", "/logout", sign_out),
]
