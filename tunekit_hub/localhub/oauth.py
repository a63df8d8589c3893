"""Signing in to an app with an account of this local Hub: OpenID Connect, the authorization code flow.

The app sends the browser to `/oauth/authorize`; whoever is signed in here says yes or no; the browser takes a
code back to the app, which exchanges it at `/oauth/token` for a token that every other route accepts.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote_plus, urlencode, urlsplit

from starlette.responses import JSONResponse, RedirectResponse, Response

from tunekit_hub.localhub import oauth_tokens
from tunekit_hub.localhub.access import User
from tunekit_hub.localhub.context import Call
from tunekit_hub.localhub.oauth_apps import SCOPES, App, find_app
from tunekit_hub.localhub.oauth_tokens import TOKEN_SECONDS, Grant
from tunekit_hub.localhub.pages import HEADERS, html, page
from tunekit_hub.localhub.refusals import bad_request, bad_token, forbidden
from tunekit_hub.localhub.sign_in import check_same_site

_NO_STORE = {"Cache-Control": "no-store"}
_ASKED = (
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
    *("code_challenge", "code_challenge_method"),
)


async def metadata(call: Call) -> Response:
    """Where everything is, for clients that only know the endpoint."""
    base = call.base
    return JSONResponse(
        {
            "issuer": base,
            "authorization_endpoint": f"{base}/oauth/authorize",
            "token_endpoint": f"{base}/oauth/token",
            "userinfo_endpoint": f"{base}/oauth/userinfo",
            "jwks_uri": f"{base}/oauth/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "claims_supported": ["sub", "name", "preferred_username", "profile", "picture", "email", "orgs"],
        }
    )


async def keys(call: Call) -> Response:
    """The public half of the key that signs identities."""
    return JSONResponse({"keys": [call.hub.grants.key.as_dict(private=False)]})


@dataclass(frozen=True)
class _Asked:
    """What an app asks for, once its own part is in order."""

    app: App
    fields: dict[str, str]
    scopes: tuple[str, ...]
    problem: str = ""  # to be told to the app, not to the person


def _asked(call: Call, fields: dict[str, str]) -> _Asked:
    """Read a request of an app. Where even the address to return to is not the app's, nobody is sent there."""
    app = find_app(call.hub.storage, fields.get("client_id", ""))
    if app is None:
        raise forbidden("No app of this client_id is registered with this local Hub")
    if not app.may_return(fields.get("redirect_uri", "")):
        raise forbidden(f"{app.name} did not register the address that it wants to be called back at")
    scopes = tuple(dict.fromkeys((fields.get("scope") or "openid profile").split()))
    problem = ""
    if fields.get("response_type") != "code":
        problem = "unsupported_response_type"
    elif not set(scopes) <= set(app.scopes):
        problem = "invalid_scope"
    elif fields.get("code_challenge") and fields.get("code_challenge_method") != "S256":
        problem = "invalid_request"
    return _Asked(app, fields, scopes, problem)


def _return(asked: _Asked, **answer: str) -> Response:
    """Send the browser back to the app."""
    if "state" in asked.fields:
        answer["state"] = asked.fields["state"]
    address = asked.fields["redirect_uri"]
    joint = "&" if urlsplit(address).query else "?"
    return RedirectResponse(f"{address}{joint}{urlencode(answer)}", 303, headers={**HEADERS, **_NO_STORE})


@page
async def authorize(call: Call) -> Response:
    """Ask whoever is signed in whether the app may have what it asks for."""
    query = call.request.query_params
    asked = _asked(call, {name: query[name] for name in _ASKED if name in query})
    if asked.problem:
        return _return(asked, error=asked.problem)
    if call.user is None or not _may_decide(call.user):
        said = f"Sign in with a token of this local Hub to go on to {asked.app.name}."
        if call.user is not None:
            said += " The token of this sign-in may do less than an app could be given: sign in with a full one."
        following = f"{call.request.url.path}?{call.request.url.query}"
        return html(call, "Sign in", message=said, open_form=True, next=following)
    response = html(
        call,
        f"Sign in to {asked.app.name}",
        consent=asked,
        allowed=[SCOPES[scope] for scope in asked.scopes],
        host=urlsplit(asked.fields["redirect_uri"]).netloc,
    )
    # Browsers hold the redirect after a form against `form-action` too.
    place = urlsplit(asked.fields["redirect_uri"])
    policy = HEADERS["Content-Security-Policy"]
    allowed = policy.replace("form-action 'self'", f"form-action 'self' {place.scheme}://{place.netloc}")
    response.headers["Content-Security-Policy"] = allowed
    return response


def _may_decide(user: User) -> bool:
    """Only a full token can hand on what it holds: an app, or a token that reads, would gain from it."""
    return user.role == "write" and user.scopes is None


@page
async def decide(call: Call) -> Response:
    """The answer to the question."""
    check_same_site(call)
    form = await call.form()
    asked = _asked(call, {name: form[name][0] for name in _ASKED if name in form})
    if asked.problem:
        return _return(asked, error=asked.problem)
    if call.user is None or not _may_decide(call.user):
        raise forbidden("This browser is not signed in; go back to the app and start again")
    if form.get("decision") != ["allow"]:
        return _return(asked, error="access_denied")
    orgs = [org for org in call.user.namespaces[1:] if org in form.get("org", [])]
    user = replace(
        call.user,
        role="app",
        namespaces=(call.user.name, *orgs),
        scopes=frozenset(asked.scopes),
        app=asked.app.id,
        expires=time.time() + TOKEN_SECONDS,
    )
    fields = asked.fields
    grant = Grant(
        asked.app.id, user, fields["redirect_uri"], fields.get("nonce", ""), fields.get("code_challenge", "")
    )
    return _return(asked, code=call.hub.grants.offer(grant))


def _refused(error: str, said: str, status: int = 400) -> Response:
    """A no, as RFC 6749 §5.2 spells it."""
    headers = {**_NO_STORE, **({"WWW-Authenticate": "Basic"} if status == 401 else {})}
    return JSONResponse({"error": error, "error_description": said}, status, headers=headers)


def _client(call: Call, form: dict[str, str]) -> App | None:
    """The app that calls, by its id and secret: in the header or in the form."""
    scheme, _, given = call.request.headers.get("authorization", "").partition(" ")
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if scheme.lower() == "basic":
        try:
            pair = base64.b64decode(given, validate=True).decode()
        except (binascii.Error, ValueError):
            return None
        client_id, secret = (unquote_plus(part) for part in pair.partition(":")[::2])
    app = find_app(call.hub.storage, client_id)
    return app if app and app.knows(secret) else None


async def token(call: Call) -> Response:
    """A code for a token. Trying a code twice ends the token it gave."""
    form = {name: values[0] for name, values in (await call.form()).items()}
    app = _client(call, form)
    if app is None:
        return _refused("invalid_client", "No app of this id and secret is registered with this local Hub", 401)
    if form.get("grant_type") != "authorization_code":
        return _refused("unsupported_grant_type", "The local Hub only exchanges authorization codes")
    grant = call.hub.grants.find(form.get("code", ""))
    if grant is None or grant.app != app.id or grant.redirect != form.get("redirect_uri"):
        return _refused("invalid_grant", "This code is not valid, or no longer")
    verifier = form.get("code_verifier", "")
    if grant.challenge and not hmac.compare_digest(
        oauth_tokens.challenge(verifier).encode(), grant.challenge.encode()
    ):
        return _refused("invalid_grant", "The code_verifier is not the one of this sign-in")
    if grant.token:
        call.hub.accounts.remove(grant.token)
        return _refused("invalid_grant", "This code was used before")
    grant.token = oauth_tokens.access_token(grant.user, call.base, call.hub.secret)
    scopes = grant.user.scopes or frozenset()
    body = {
        "access_token": grant.token,
        "token_type": "bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": " ".join(scope for scope in SCOPES if scope in scopes),
    }
    if "openid" in scopes:
        body["id_token"] = call.hub.grants.identity(_claims(call, grant))
    call.hub.accounts.add(grant.token, grant.user)
    return JSONResponse(body, headers=_NO_STORE)


def _claims(call: Call, grant: Grant) -> dict[str, object]:
    now = int(time.time())
    times = {"iat": now, "exp": now + 3600, "auth_time": now}
    nonce = {"nonce": grant.nonce} if grant.nonce else {}
    return {"iss": call.base, "aud": grant.app, **times, **nonce, **oauth_tokens.profile(grant.user, call.base)}


async def userinfo(call: Call) -> Response:
    """Who the token is of."""
    if call.user is None or not call.user.has("openid"):
        raise bad_token()
    return JSONResponse(oauth_tokens.profile(call.user, call.base), headers=_NO_STORE)


async def avatar(call: Call) -> Response:
    """A picture for a name: its first letter. The same for everybody, so it says nothing of who has an account."""
    name = call.param("file").removesuffix(".svg")
    if not name or not name.isprintable():
        raise bad_request("A picture is named after a user")
    letter = quote(name[0].upper()) if not name[0].isalnum() else name[0].upper()
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#5b636e"/>'
        '<text x="32" y="43" font-family="sans-serif" font-size="32" fill="#fff" text-anchor="middle">'
        f"{letter}</text></svg>"
    )
    return Response(drawing, media_type="image/svg+xml", headers=HEADERS)


ROUTES = [
    ("GET", "/.well-known/openid-configuration", metadata),
    ("GET", "/oauth/jwks", keys),
    ("GET", "/oauth/authorize", authorize),
    ("POST", "/oauth/authorize", decide),
    ("POST", "/oauth/token", token),
    ("GET", "/oauth/userinfo", userinfo),
    ("POST", "/oauth/userinfo", userinfo),
    ("GET", "/avatars/{file}", avatar),
]
