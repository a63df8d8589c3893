"""Access: may this token read the model?"""

from __future__ import annotations

from tunekit_hub.checks import Check
from tunekit_hub.facts import Access, Finding, ModelFacts, Request, Status

_GATES = {"auto": "at once, on accepting its terms", "manual": "by hand, by its owners"}

# State → status, what was found, what to do. `{url}`, `{host}`, `{id}` and `{granted}` are filled in.
_SAID: dict[Access, tuple[Status, str, str]] = {
    "open": ("pass", "open to everyone who can see it", ""),
    "granted": ("pass", "gated, and this token has been let in", ""),
    "gated": (
        "block",
        "gated: access is granted {granted}, and this account has not asked for it",
        "ask for access at {url}, signed in as the owner of this token",
    ),
    "gated-pending": (
        "block",
        "gated: this account has asked for access, and the owners have not answered yet",
        "wait for the answer; {url} shows the state of the request",
    ),
    "gated-refused": (
        "block",
        "gated: the owners have turned down this account's request for access",
        "choose another model with `--model`",
    ),
    "gated-scope": (
        "block",
        "gated: this token was made without the permission to read gated repositories",
        "allow `Read access to contents of all public gated repos you can access` in the token's settings: "
        "{host}/settings/tokens",
    ),
    "gated-app": (
        "block",
        "gated: this sign-in through an app (OAuth) does not cover gated repositories",
        "sign in to the app again and allow gated repositories (scope `gated-repos`), or use a token of your own",
    ),
    "gated-no-token": (
        "block",
        "gated: access is granted {granted}, and no token was given",
        "ask for access at {url}, then sign in with `hf auth login`",
    ),
    "invalid-token": (
        "block",
        "the Hub does not know this token: it is mistyped, expired or revoked",
        "sign in anew with `hf auth login`, and unset `HF_TOKEN` if it holds the old one",
    ),
    "private-or-missing": (
        "block",
        "there is no model `{id}`, or it is private and this token may not see it",
        "check the spelling; if it is private, sign in with `hf auth login` as someone who may read it",
    ),
    "disabled": (
        "block",
        "the Hub has disabled this repository",
        "choose another model with `--model`",
    ),
}


def _run(facts: ModelFacts, request: Request) -> Finding:  # noqa: ARG001, every check takes both
    if facts.access == "unverified":
        gate = "gated" if facts.gated else "open"
        message = f"{gate} (recorded {facts.recorded}, not verified: the Hub was not asked)"
        fix = "unset `HF_HUB_OFFLINE` and check again before relying on it"
        return Finding(check="access", status="warn", message=message, fix=fix)
    if facts.access == "open" and facts.private:
        return Finding(check="access", status="pass", message="private, and this token may read it")
    status, message, fix = _SAID[facts.access]
    granted = _GATES.get(facts.gated or "", "on request")
    host = facts.url.removesuffix(f"/{facts.repo_id}")
    words = {"url": facts.url, "id": facts.repo_id, "granted": granted, "host": host}
    return Finding(check="access", status=status, message=message.format(**words), fix=fix.format(**words))


ACCESS = Check(name="access", run=_run)
