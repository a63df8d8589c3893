"""Who somebody is, without a token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from tunekit_hub.errors import UsageError

_PLAIN = re.compile(r"[\w.@:-]{1,200}")


@dataclass(frozen=True)
class Visitor:
    """One visitor. What is kept for them goes by `key`, so a guest can never pass for a user of the same name.

    Args:
        name: how they are called; of a user, the name on the Hub.
        kind: "user" has signed in at the Hub; "guest" has not, and `name` is an identifier of the session that
            nobody can guess; "local" sits at this machine, and is the only visitor there is.
        id: what stays the same when a user is renamed (`sub` of OpenID Connect); by default, the name.
    """

    name: str
    kind: Literal["user", "guest", "local"] = "user"
    id: str = ""

    def __post_init__(self) -> None:
        if not _PLAIN.fullmatch(self.id or self.name):
            raise UsageError("a visitor has a name of letters, digits and `._@:-`", "sign in again")

    @property
    def key(self) -> str:
        """What their uploads and runs are kept by."""
        return f"{self.kind}:{self.id or self.name}"
