"""What a refusal of the Hub says about access. It tells most states apart in words only."""

from __future__ import annotations

import base64
import json

from huggingface_hub.errors import DisabledRepoError, GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

from tunekit_hub.facts import Access
from tunekit_hub.hub.errors import status

_APP = "hf_oauth_"  # how tokens begin that come from signing in to an app
_GATES = "gated-repos"  # the permission such a token needs for gated repositories


def state(error: BaseException, token: str | None) -> Access | None:
    """What a refusal says about access to a model; None when it says nothing about that.

    Args:
        error: What huggingface_hub raised.
        token: The token that was sent. An app's token lists its permissions, which the Hub's answer leaves out.
    """
    if isinstance(error, DisabledRepoError):
        return "disabled"
    if isinstance(error, GatedRepoError) or (status(error) == 403 and "gated" in _said(error)):
        return _gate(_said(error), token) if token else "gated-no-token"
    if isinstance(error, RepositoryNotFoundError):
        return "private-or-missing"
    if status(error) == 401:
        return "invalid-token" if token else "private-or-missing"
    return None


def _gate(said: str, token: str) -> Access:
    if "awaiting a review" in said:
        return "gated-pending"
    if "has been rejected" in said:
        return "gated-refused"
    granted = _permissions(token)
    if _GATES in said or (granted is not None and _GATES not in granted):
        return "gated-app"
    if "token settings" in said:
        return "gated-app" if token.startswith(_APP) else "gated-scope"
    return "gated"


def _permissions(token: str) -> tuple[str, ...] | None:
    """The permissions (scopes) that an app's token carries in its readable part; None for any other token."""
    parts = token.removeprefix(_APP).split(".")
    if not token.startswith(_APP) or len(parts) != 3:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        scope = payload["scope"]
    except (ValueError, KeyError, TypeError):
        return None
    return tuple(scope.split() if isinstance(scope, str) else map(str, scope))


def _said(error: BaseException) -> str:
    """The Hub's own words, in lower case; not the client's, which quote the address that was asked."""
    header = error.response.headers.get("X-Error-Message", "") if isinstance(error, HfHubHTTPError) else ""
    return f"{header} {getattr(error, 'server_message', None) or ''}".lower()
