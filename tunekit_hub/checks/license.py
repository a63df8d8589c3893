"""License: does what the model declares allow this use?"""

from __future__ import annotations

from tunekit_hub.checks import Check
from tunekit_hub.facts import Finding, ModelFacts, Request, Status
from tunekit_hub.verdicts import licenses

_UNSEEN = ("invalid-token", "private-or-missing", "disabled")


def _run(facts: ModelFacts, request: Request) -> Finding:
    if facts.access in _UNSEEN and not facts.license:
        message = "what license it has cannot be seen without access"
        return Finding(check="license", status="unknown", message=message, fix="see `access`")
    declared = licenses.Declared(
        "model",
        facts.repo_id,
        facts.license,
        license_name=facts.license_name,
        license_link=_address(facts),
        page=facts.url,
    )
    return _recorded(facts, licenses.weigh(declared, request))


def _address(facts: ModelFacts) -> str | None:
    """Where the text is: cards also name a file of the repository."""
    link = facts.license_link
    if link is None or link.startswith(("http://", "https://")):
        return link
    return f"{facts.url}/blob/main/{link.removeprefix('./').lstrip('/')}"


def _recorded(facts: ModelFacts, finding: Finding) -> Finding:
    """A declaration that was read on another day is worth a warning."""
    if not facts.recorded:
        return finding
    status: Status = "warn" if finding.status == "pass" else finding.status
    return finding.but(status=status, message=f"{finding.message} (recorded {facts.recorded}, not verified)")


LICENSE = Check(name="license", run=_run)
