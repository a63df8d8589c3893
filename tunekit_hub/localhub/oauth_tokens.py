"""What somebody hands to an app by signing in: a code that is worth a token once, the token, who they are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tunekit_hub.localhub.access import User
from tunekit_hub.localhub.refusals import unsupported

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

CODE_SECONDS = 120
TOKEN_SECONDS = 8 * 3600  # as long as a Space's sign-in lasts on the Hub
_MOST_CODES = 1000


@dataclass
class Grant:
    """Somebody said yes to an app."""

    app: str
    user: User  # with what the app may do, and until when
    redirect: str
    nonce: str
    challenge: str  # PKCE: the sha256 of a secret that only the app knows; empty where it sent none
    expires: float = field(default_factory=lambda: time.time() + CODE_SECONDS)
    token: str = field(default="", repr=False)  # what the code was exchanged for


class Grants:
    """Codes that were handed out, and the key that says who somebody is. In memory: a restart ends them all."""

    def __init__(self) -> None:
        self._codes: dict[str, Grant] = {}
        self._key: RSAKey | None = None

    def __repr__(self) -> str:
        return f"Grants({len(self._codes)} codes)"

    def offer(self, grant: Grant) -> str:
        """A new code for it."""
        now = time.time()
        # A used code is remembered as long as it would have held, to see that somebody tries it again.
        self._codes = {code: known for code, known in self._codes.items() if known.expires >= now}
        while len(self._codes) >= _MOST_CODES:
            del self._codes[next(iter(self._codes))]
        code = secrets.token_urlsafe(32)
        self._codes[code] = grant
        return code

    def find(self, code: str) -> Grant | None:
        """What a code stands for, unless its time is over."""
        grant = self._codes.get(code)
        return grant if grant and grant.expires >= time.time() else None

    @property
    def key(self) -> RSAKey:
        """The key that signs identities, made when it is first needed."""
        if self._key is None:
            try:
                from joserfc.jwk import RSAKey
            except ImportError as error:
                raise unsupported("signing in to a Space without the package `joserfc`: pip install it") from error
            self._key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(8), "use": "sig", "alg": "RS256"})
        return self._key

    def identity(self, claims: dict[str, Any]) -> str:
        """The claims as a signed token (JWT) that the app can check."""
        from joserfc import jwt

        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


def access_token(user: User, issuer: str, secret: bytes) -> str:
    """A token in the form of the Hub's: its middle part says, for all to read, what it may do."""
    said = {
        "iss": issuer,
        "sub": subject(user.name),
        "scope": sorted(user.scopes or ()),
        "iat": int(time.time()),
        "exp": int(user.expires),
        "jti": secrets.token_hex(16),
    }
    head = f"{_base64(json.dumps({'alg': 'HS256'}).encode())}.{_base64(json.dumps(said).encode())}"
    return f"hf_oauth_{head}.{_base64(hmac.new(secret, head.encode(), hashlib.sha256).digest())}"


def subject(name: str) -> str:
    """The id of a user, in the form of the Hub's."""
    return hashlib.sha1(name.encode()).hexdigest()[:24]


def challenge(verifier: str) -> str:
    """What PKCE shows first of a secret (RFC 7636 §4.2, method S256)."""
    return _base64(hashlib.sha256(verifier.encode()).digest())


def profile(user: User, base: str) -> dict[str, Any]:
    """Who somebody is, as far as the scopes of their token tell.

    Args:
        user: With the scopes that were granted.
        base: The endpoint of this local Hub.
    """
    known: dict[str, Any] = {"sub": subject(user.name)}
    if user.has("profile"):
        known |= {
            "name": user.name,
            "preferred_username": user.name,
            "profile": f"{base}/{user.name}",
            "picture": f"{base}/avatars/{user.name}.svg",
            "website": "",
            "isPro": False,
            "canPay": False,
            "orgs": [_org(org, base) for org in user.namespaces[1:]],
        }
    if user.has("email"):
        known |= {"email": f"{user.name}@localhost", "email_verified": True}
    return known


def _org(name: str, base: str) -> dict[str, Any]:
    return {
        "sub": subject(name),
        "name": name,
        "preferred_username": name,
        "picture": f"{base}/avatars/{name}.svg",
        "roleInOrg": "write",
        "canPay": False,
    }


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
