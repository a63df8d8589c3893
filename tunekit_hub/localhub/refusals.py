"""Every answer that is a no, in the form the client tells them apart by: `X-Error-Code` and status.

On `https` the client also understands a bare 401; on loopback it goes by the header alone.
"""

from __future__ import annotations

NO_CREDENTIALS = "Invalid username or password."


class Refusal(Exception):
    """Raised anywhere in a request; `app.py` turns it into the response."""

    def __init__(self, status: int, message: str, code: str = "", **extra: str):
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in extra.items()}
        self.body: dict[str, object] = {"error": message}


def bad_request(message: str) -> Refusal:
    """400: the request itself makes no sense."""
    return Refusal(400, message)


def bad_token() -> Refusal:
    """401: a token was sent, and it is nobody's."""
    return Refusal(401, "Invalid credentials in Authorization header")


def repo_not_found(signed_in: bool) -> Refusal:
    """A repo that is missing, or private to others: the two look the same from outside."""
    if signed_in:
        return Refusal(404, "Repository not found", "RepoNotFound")
    return Refusal(401, NO_CREDENTIALS, "RepoNotFound")


GATE_STATES = {
    "anonymous": "You must have access to it and be authenticated to access it.",
    "pending": "Your request to access it is awaiting a review from the repo authors.",
    "rejected": "Your request to access it has been rejected by the repo's authors.",
    "scope": "Please enable access to public gated repositories in your fine-grained token settings.",
    "app": "This app was not given the scope gated-repos.",
    "not-asked": "You are not in the authorized list. Visit {page} to ask for access.",
}
"""Why a gate is shut → what is said. The client tells these apart by the wording alone."""


def gated(what: str, state: str, page: str) -> Refusal:
    """The repo is there, and this caller has not been let in."""
    said = GATE_STATES[state].format(page=page)
    status = 401 if state == "anonymous" else 403
    return Refusal(status, f"Access to {what} is restricted. {said}", "GatedRepo")


def disabled() -> Refusal:
    """403 with the one sentence that the client recognises."""
    return Refusal(403, "Access to this resource is disabled.")


def forbidden(message: str) -> Refusal:
    """403: signed in, and not allowed to do this."""
    return Refusal(403, message)


def revision_not_found(revision: str) -> Refusal:
    """404: no such branch, tag or commit."""
    return Refusal(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def entry_not_found(path: str, commit: str) -> Refusal:
    """404: no such file in this commit. With the commit, the client can remember that."""
    return Refusal(404, f"{path} does not exist", "EntryNotFound", X_Repo_Commit=commit)


def conflict(message: str, url: str = "") -> Refusal:
    """409: it is there already. The client reads `url` from the body when that is fine with it."""
    refusal = Refusal(409, message)
    if url:
        refusal.body["url"] = url
    return refusal


def stale_parent() -> Refusal:
    """412: the branch has moved since the caller looked."""
    return Refusal(412, "The branch has moved on from the given parent commit; fetch it and try again.")


def too_large(message: str) -> Refusal:
    """413: more bytes than are taken."""
    return Refusal(413, message)


def no_room(message: str) -> Refusal:
    """507: the disk is full, or would be."""
    return Refusal(507, message)


def unsupported(what: str) -> Refusal:
    """501: the Hub can do this, the local Hub cannot, and does not pretend to."""
    return Refusal(501, f"The local Hub does not support {what}")
