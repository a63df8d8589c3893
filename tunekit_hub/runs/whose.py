"""Who sits at this machine, where the Space runs on one's own: the owner of its token."""

from __future__ import annotations

from dataclasses import dataclass, field

from tunekit_hub.errors import AccessDenied, HubUnreachable, InvalidToken
from tunekit_hub.hub import Hub
from tunekit_hub.hub import login as hub_login
from tunekit_hub.runs.visitors import Visitor


@dataclass(frozen=True)
class Local:
    """The one visitor of a Space on one's own machine, and how they are signed in."""

    visitor: Visitor
    token: str | None = field(repr=False)
    endpoint: str
    words: str  # the same in a sentence


def local(endpoint: str | None = None) -> Local:
    """The token of `HF_TOKEN`, else the one that `hf auth login` saved for the default Hub, and whose it is."""
    address = hub_login.normal(endpoint)
    where = f"the Hub on this machine, {address}" if hub_login.is_loopback(address) else address
    token = hub_login.find_token(None, address)
    # Runs stay theirs when they sign in with another token: there is nobody else.
    nobody = Visitor("you", "local", "local")
    if token is None:
        return Local(nobody, None, address, f"not signed in at {where}: nothing can be published")
    try:
        name = Hub(token, address).whoami()
    except (AccessDenied, InvalidToken):
        return Local(nobody, None, address, f"the token of this machine is not known at {where}")
    except HubUnreachable:
        return Local(nobody, token, address, f"with the token of this machine; {where} gave no answer yet")
    return Local(Visitor(name, "local", "local"), token, address, f"signed in as `{name}` at {where}")
