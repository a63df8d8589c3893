"""All checks on some models, at once and in their order; and the error where none of them may be used."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tunekit_hub import estimates, registry
from tunekit_hub.checks import CHECKS
from tunekit_hub.errors import NoUsableModel
from tunekit_hub.facts import Finding, ModelFacts, Request, Verdict
from tunekit_hub.hub import Hub

_WORKERS = 16
# What stands in the way, the cheapest to clear first.
_CHEAPEST = ("license", "access", "size", "files", "language")


@dataclass(frozen=True)
class Examined:
    """A model, and what the checks say of it."""

    facts: ModelFacts
    verdict: Verdict


def examine(model_ids: Sequence[str], request: Request, hub: Hub) -> Generator[Examined]:
    """All are asked about at once, and answered in order; an outage is raised when its turn comes, not before.

    Args:
        model_ids: Models of the registry or any others of the Hub.
        request: What they are wanted for.
        hub: The Hub to ask.

    Raises:
        HubUnreachable: The Hub gave no answer about the model whose turn it is.
    """
    known = registry.load()

    def one(model_id: str) -> Examined:
        facts = hub.facts(model_id, known.entry(model_id))
        return Examined(facts, _verdict(model_id, facts, request))

    pool = ThreadPoolExecutor(max_workers=_WORKERS)
    try:
        yield from pool.map(one, model_ids)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def none_usable(verdicts: tuple[Verdict, ...], tried: int, missed: str) -> NoUsableModel:
    """The error, with each candidate's obstacles, and the cheapest of the ways out.

    Args:
        verdicts: On all candidates: first those that were asked for, then those the search found.
        tried: How many were asked for.
        missed: Why the Hub was not searched, if it was to be.
    """
    obstacles = {verdict.model: _obstacles(verdict) for verdict in verdicts if not verdict.usable}
    lines = "".join(f"\n- `{model}`: {found[0].message}" for model, found in obstacles.items())
    asked = [verdict.model for verdict in verdicts[:tried]]
    nearest = min(asked, key=lambda model: (len(obstacles[model]), _cost(obstacles[model][0])))
    ways = "; ".join(finding.fix for finding in obstacles[nearest] if finding.fix)
    others = [verdict for verdict in verdicts[tried:] if verdict.usable]
    shown = "".join(f"\n- `{verdict.model}`: {verdict.findings[0].message}" for verdict in others)
    take = f"name one, such as `--model {others[0].model}`, or add `--explore` to take it; or, " if others else ""
    message = f"no candidate may be used here:{lines}" + (f"\nothers that may be used:{shown}" if others else "")
    return NoUsableModel(message, f"{take}nearest is `{nearest}`: {ways}{missed}", verdicts)


def _verdict(model_id: str, facts: ModelFacts, request: Request) -> Verdict:
    if model_id in request.accepted_licenses:  # by an old id: the checks know the canonical one only
        request = request.but(accepted_licenses=(*request.accepted_licenses, facts.repo_id))
    fit = estimates.fit(facts, request)
    return Verdict(
        model=model_id,
        repo_id=facts.repo_id,
        revision=facts.revision,
        license=", ".join(facts.license) or None,
        license_name=facts.license_name,
        license_link=facts.license_link,
        method=fit.method if fit else None,
        findings=tuple(finding for check in CHECKS.values() if (finding := check.run(facts, request))),
    )


def _obstacles(verdict: Verdict) -> list[Finding]:
    """What keeps a model from being used, the cheapest to clear first."""
    blocks = [finding for finding in verdict.findings if finding.status == "block"]
    return sorted(blocks or (f for f in verdict.findings if f.status == "unknown"), key=_cost)


def _cost(finding: Finding) -> int:
    return _CHEAPEST.index(finding.check) if finding.check in _CHEAPEST else len(_CHEAPEST)
