"""License: does what the model declares allow this use? A check of a declaration, not legal advice."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import Literal

from tunekit_hub.checks import Check
from tunekit_hub.facts import Finding, ModelFacts, Record, Request, Status, Use

Kind = Literal["allowed", "duties", "conditions", "noncommercial", "no-derivatives", "unclear"]


class Family(Record):
    """Licenses that ask for the same."""

    kind: Kind
    duty: str


class License(Record):
    """One license id of the Hub."""

    family: str
    link: str | None = None


class _Table(Record):
    families: dict[str, Family]
    licenses: dict[str, License]


_STATUS: dict[Kind, dict[Use, Status]] = {
    "allowed": {"commercial": "pass", "research": "pass"},
    "duties": {"commercial": "warn", "research": "warn"},
    "conditions": {"commercial": "warn", "research": "warn"},
    "noncommercial": {"commercial": "block", "research": "warn"},
    "no-derivatives": {"commercial": "block", "research": "block"},
    "unclear": {"commercial": "block", "research": "block"},
}
_STRICTNESS: tuple[Status, ...] = ("pass", "warn", "unknown", "block")
_UNSEEN = ("invalid-token", "private-or-missing", "disabled")
_OTHER_USE = "choose a model with another license"


@lru_cache(maxsize=1)
def table() -> _Table:
    """Every license id the Hub lists, and what its family asks for."""
    text = resources.files("tunekit_hub").joinpath("licenses.json").read_text(encoding="utf-8")
    return _Table.model_validate(json.loads(text))


def _run(facts: ModelFacts, request: Request) -> Finding:
    if facts.access in _UNSEEN and not facts.license:
        return _finding("unknown", "what license it has cannot be seen without access", "see `access`")
    found = [_one(license_id, facts, request) for license_id in facts.license] or [_undeclared(facts, request)]
    strictest = max(found, key=lambda finding: _STRICTNESS.index(finding.status))
    if len(found) > 1:
        listed = ", ".join(f"`{name}`" for name in facts.license)
        message = f"declares {listed}, of which the strictest counts: {strictest.message}"
        strictest = strictest.but(message=message)
    return _recorded(facts, strictest)


def _one(license_id: str, facts: ModelFacts, request: Request) -> Finding:
    known = table().licenses.get(license_id.lower())
    family = table().families[known.family] if known else None
    if known is None or family is None or family.kind == "unclear":
        return _unclear(license_id, facts, request)
    status = _STATUS[family.kind][request.use]
    link = facts.license_link or known.link or facts.url
    said = {
        "allowed": f"`{license_id}` allows {request.use} use",
        "duties": f"`{license_id}` allows {request.use} use, with duties",
        "conditions": f"`{license_id}` allows {request.use} use under conditions",
        "noncommercial": f"`{license_id}` rules out commercial use",
        "no-derivatives": f"`{license_id}` rules out sharing what is made from it",
    }[family.kind]
    message = f"{said}: {family.duty}" if family.duty else said
    if status == "pass":
        return _finding(status, message)
    if status == "warn":
        return _finding(status, message, f"read {link}")
    more = "; or add `--use research` if that is what it is" if family.kind == "noncommercial" else ""
    return _finding(status, message, f"{_OTHER_USE}{more} ({link})")


def _unclear(license_id: str, facts: ModelFacts, request: Request) -> Finding:
    """A declaration that does not say what is allowed: `other`, `unknown`, or an id the Hub does not list."""
    name = f"`{license_id}`" + (f" (`{facts.license_name}`)" if facts.license_name else "")
    message = f"declares {name}, which does not tell what is allowed"
    return _decision(facts, request, message, facts.license_link or facts.url)


def _undeclared(facts: ModelFacts, request: Request) -> Finding:
    message = "declares no license, which is not permission: all rights are reserved"
    return _decision(facts, request, message, facts.url)


def _decision(facts: ModelFacts, request: Request, message: str, page: str) -> Finding:
    """Blocked until the user has decided; the decision is then part of the record."""
    if facts.repo_id.lower() in (accepted.lower() for accepted in request.accepted_licenses):
        message += f"; you have accepted it for {request.use} use (`--accept-license {facts.repo_id}`)"
        return _finding("warn", message, f"keep a note of what permits it; see {page}")
    fix = f"read {page}; if you may use it, add `--accept-license {facts.repo_id}`"
    return _finding("block", message, fix)


def _recorded(facts: ModelFacts, finding: Finding) -> Finding:
    if not facts.recorded:
        return finding
    status: Status = "warn" if finding.status == "pass" else finding.status
    return finding.but(status=status, message=f"{finding.message} (as recorded on {facts.recorded})")


def _finding(status: Status, message: str, fix: str = "") -> Finding:
    return Finding(check="license", status=status, message=message, fix=fix)


LICENSE = Check(name="license", run=_run)
