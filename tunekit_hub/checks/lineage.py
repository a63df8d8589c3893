"""Lineage: what the model was made from, under which terms, and under which id it goes now."""

from __future__ import annotations

from tunekit_hub.checks import Check
from tunekit_hub.facts import BaseFacts, Finding, ModelFacts, Request, Status
from tunekit_hub.verdicts import licenses


def _run(facts: ModelFacts, request: Request) -> Finding | None:  # noqa: ARG001, every check takes both
    """A base with stricter terms than the model claims is a warning: nobody can give away what is not theirs."""
    moved = f"renamed from `{facts.asked}` to `{facts.repo_id}`" if facts.asked else ""
    stricter = [base for base in facts.bases if base.seen and _stricter(base, facts)]
    if stricter:
        said = "; ".join(_claim(base, facts) for base in stricter)
        hub = facts.url.removesuffix(facts.repo_id)
        pages = ", ".join(f"{hub}{base.repo_id}" for base in stricter)
        return _finding("warn", _joined(moved, said), f"read {pages}: its terms may bind this model too")
    unseen = [f"`{base.repo_id}`" for base in facts.bases if not base.seen]
    if unseen:
        message = f"made from {', '.join(unseen)}, which cannot be seen, so neither can its license"
        return _finding("warn", _joined(moved, message), "ask its makers what terms its base model has")
    made = ", ".join(f"`{base.repo_id}` ({_named(base.license)})" for base in facts.bases)
    message = _joined(moved, f"made from {made}" if made else "")
    return _finding("pass", message) if message else None


def _stricter(base: BaseFacts, facts: ModelFacts) -> bool:
    return licenses.strictness(base.license) > licenses.strictness(facts.license)


def _claim(base: BaseFacts, facts: ModelFacts) -> str:
    """Both sides by name, and what the base asks for."""
    asks = "; ".join(map(str, licenses.duties(base.license))) or "what it allows is not said"
    own, theirs = _named(facts.license), _named(base.license)
    return f"declares {own}, but its base model `{base.repo_id}` declares {theirs}, which is stricter ({asks})"


def _named(ids: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in ids) or "no license"


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _finding(status: Status, message: str, fix: str = "") -> Finding:
    return Finding(check="lineage", status=status, message=message, fix=fix)


LINEAGE = Check(name="lineage", run=_run)
