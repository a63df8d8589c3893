"""Apps that people sign in to with their account on this local Hub: a Space, on this machine or another.

oauth/CLIENT_ID.json     one app; of its secret only the hash
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tunekit_hub.errors import UsageError
from tunekit_hub.facts import Record
from tunekit_hub.localhub.storage import Storage

SCOPES = {
    "openid": "know who you are",
    "profile": "see your name and your organizations",
    "email": "see your mail address",
    "read-repos": "read your private repos",
    "gated-repos": "read the gated repos that you were let into",
    "contribute-repos": "create repos, and change those that it created",
    "write-repos": "change all your repos",
    "manage-repos": "create, change, rename and delete all your repos",
    "write-discussions": "open pull requests and discussions, and comment, in your name",
    "read-collections": "read your private collections",
    "write-collections": "create and change your collections",
    "jobs": "start jobs in your name",
}
"""What an app may ask for, in words for whoever has to decide."""

DEFAULT_SCOPES = ("openid", "profile", "read-repos", "gated-repos", "contribute-repos", "jobs")
CALLBACK = "/login/callback"  # where Gradio's login button comes back to
_CLIENT_ID = re.compile(r"[0-9a-f]{32}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class App(Record):
    """An app that was registered here."""

    id: str
    name: str
    secret: str  # its sha256
    redirects: tuple[str, ...]
    scopes: tuple[str, ...]

    def knows(self, secret: str) -> bool:
        """Whether this is the app's secret."""
        return hmac.compare_digest(self.secret, _digest(secret))

    def may_return(self, url: str) -> bool:
        """Whether somebody who signed in may be sent there: to a registered address, with any query.

        A loopback address may have any port, as RFC 8252 §7.3 says: who starts an app there gets a free one.
        """
        return any(_same_place(url, known) for known in self.redirects)


@dataclass(frozen=True)
class Credentials:
    """What an app needs to know of itself."""

    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...]

    def environment(self, endpoint: str, space_id: str = "") -> dict[str, str]:
        """The variables that the Hub sets in a Space with `hf_oauth: true`.

        Args:
            endpoint: Of this local Hub.
            space_id: `owner/name` of the Space. With it Gradio takes itself to be in a Space, which its login
                button wants; without it, it makes up a signed-in visitor.
        """
        known = {
            "OPENID_PROVIDER_URL": endpoint,
            "OAUTH_CLIENT_ID": self.client_id,
            "OAUTH_CLIENT_SECRET": self.client_secret,
            "OAUTH_SCOPES": " ".join(self.scopes),
        }
        return {**known, "SYSTEM": "spaces", "SPACE_ID": space_id} if space_id else known


def register(
    storage: Storage,
    name: str,
    redirects: Iterable[str] = (),
    scopes: Iterable[str] = DEFAULT_SCOPES,
) -> Credentials:
    """A new app; its secret is told once.

    Args:
        storage: The local Hub's folder. One that is being served knows the app at once.
        name: What people are asked about when they sign in.
        redirects: Where they may be sent back to. None given: Gradio's callback on this machine, on any port.
        scopes: What the app may ask for, of `SCOPES`.

    Raises:
        UsageError: An address or a scope that cannot be.
    """
    addresses = tuple(redirects) or tuple(f"http://{host}{CALLBACK}" for host in ("127.0.0.1", "localhost"))
    for address in addresses:
        _check_address(address)
    wanted = tuple(dict.fromkeys(("openid", "profile", *scopes)))
    for scope in wanted:
        if scope not in SCOPES:
            raise UsageError(f"`{scope}` is not a scope of the local Hub", f"use some of {', '.join(SCOPES)}")
    secret, client_id = secrets.token_urlsafe(32), secrets.token_hex(16)
    app = App(id=client_id, name=name, secret=_digest(secret), redirects=addresses, scopes=wanted)
    storage.write_json(storage.folder / "oauth" / f"{client_id}.json", app.model_dump_json(indent=1))
    return Credentials(client_id, secret, wanted)


def find_app(storage: Storage, client_id: str) -> App | None:
    """The app, if there is one of this id."""
    path = storage.folder / "oauth" / f"{client_id}.json"
    if not _CLIENT_ID.fullmatch(client_id) or not path.exists():
        return None
    return App.model_validate_json(path.read_bytes())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _check_address(address: str) -> None:
    parts = urlsplit(address)
    local = parts.hostname in _LOOPBACK
    if not parts.hostname or parts.fragment or parts.scheme not in ("http", "https"):
        raise UsageError(f"`{address}` is not an address to come back to", "give one like http://127.0.0.1:7860")
    if parts.scheme == "http" and not local:
        raise UsageError(f"`{address}` would send a sign-in over the network unencrypted", "use https")


def _same_place(url: str, known: str) -> bool:
    try:
        one, other = urlsplit(url), urlsplit(known)
        ports = one.port, other.port
    except ValueError:
        return False
    if one.username is not None or one.password is not None or one.fragment or re.search(r"[\s\\]", url):
        return False
    any_port = other.hostname in _LOOPBACK
    same = (one.scheme, one.hostname, one.path) == (other.scheme, other.hostname, other.path)
    return same and (any_port or ports[0] == ports[1])
