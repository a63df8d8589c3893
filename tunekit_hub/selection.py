"""The first model down the ladder that may be used, and why those above it may not."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from tunekit_hub import estimates, registry
from tunekit_hub import hardware as machine
from tunekit_hub.checks import CHECKS
from tunekit_hub.errors import InvalidToken, NoUsableModel
from tunekit_hub.facts import Finding, Hardware, Method, ModelFacts, Options, Request, Use, Verdict
from tunekit_hub.hub import Hub
from tunekit_hub.records import Recommendation, Selection

_WORKERS = 8
# What stands in the way, the cheapest to clear first.
_CHEAPEST = ("license", "access", "size", "files", "language")


@dataclass(frozen=True)
class _Examined:
    facts: ModelFacts
    verdict: Verdict


def select(
    recommendation: Recommendation,
    *,
    use: Use = Options.model_fields["use"].default,
    model: str | None = None,
    accepted_licenses: Sequence[str] = (),
    max_time: float | None = None,
    hardware: Hardware | None = None,
    hub: Hub | None = None,
) -> Selection:
    """The recommended model, or the first one behind it that passes every check.

    Args:
        recommendation: The model the rules pick, and its ladder.
        use: What the fine-tuned model is for; licenses are checked against it.
        model: The user's own choice; then there is no ladder.
        accepted_licenses: Models whose unclear or missing license the user has decided to accept.
        max_time: Seconds the whole run may take; left out, time only warns.
        hardware: What to train on; left out, this machine.
        hub: The Hub to ask; left out, the one of the environment.

    Raises:
        InvalidToken: The Hub does not know the token, which says nothing about a model.
        NoUsableModel: All were turned down; its `verdicts` say why.
        HubUnreachable: The Hub gave no answer, which is no reason to fall back.
    """
    profile = recommendation.profile
    device = hardware or machine.detect()
    request = Request(
        use=use,
        accepted_licenses=tuple(accepted_licenses),
        hardware=device,
        task=profile.task,
        languages=profile.languages,
        methods=_methods(recommendation.method, device),
        rows=profile.used_rows,
        tokens=profile.used_tokens,
        p95_tokens=profile.tokens.p95,
        max_time=max_time,
    )
    candidates = [model] if model else [recommendation.model, *recommendation.ladder]
    verdicts: list[Verdict] = []
    with closing(_examine(list(dict.fromkeys(candidates)), request, hub or Hub())) as answers:
        for examined in answers:
            verdicts.append(examined.verdict)
            if examined.facts.access == "invalid-token":  # says nothing of the model
                finding = next(f for f in examined.verdict.findings if f.check == "access")
                raise InvalidToken(finding.message, finding.fix)
            if examined.verdict.usable:
                return _selection(recommendation, request, examined, verdicts).but(named=model is not None)
    raise _none_usable(tuple(verdicts))


def check(model_ids: Sequence[str], request: Request, hub: Hub | None = None) -> tuple[Verdict, ...]:
    """What all checks say of these models, in their order.

    Args:
        model_ids: Models of the registry or any others of the Hub.
        request: What they are wanted for.
        hub: The Hub to ask; left out, the one of the environment.
    """
    return tuple(examined.verdict for examined in _examine(model_ids, request, hub or Hub()))


def _methods(recommended: Method, device: Hardware) -> tuple[Method, ...]:
    """Acceptable methods, best first: small encoders in full; large decoders as the machine allows.

    4-bit weights need CUDA: bitsandbytes on a CPU trains silently wrong on some.
    """
    if recommended == "full":
        return ("full", "lora")
    return ("qlora", "lora", "full") if device.device == "cuda" else ("lora", "full")


def _examine(model_ids: Sequence[str], request: Request, hub: Hub) -> Generator[_Examined]:
    """All at once, answered in order; an outage is raised when its turn comes, not before."""
    known = registry.load()

    def examine(model_id: str) -> _Examined:
        facts = hub.facts(model_id, known.entry(model_id))
        return _Examined(facts, _verdict(model_id, facts, request))

    pool = ThreadPoolExecutor(max_workers=_WORKERS)
    try:
        yield from pool.map(examine, model_ids)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


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
        findings=tuple(finding for one in CHECKS.values() if (finding := one.run(facts, request))),
    )


def _selection(
    recommendation: Recommendation, request: Request, chosen: _Examined, verdicts: Sequence[Verdict]
) -> Selection:
    facts, verdict = chosen.facts, chosen.verdict
    # A usable verdict has passed the size check, which blocks where there is no architecture or no method.
    assert facts.architecture is not None and verdict.method is not None
    return Selection(
        recommendation=recommendation,
        request=request,
        model=verdict.model,
        method=verdict.method,
        repo_id=facts.repo_id,
        revision=facts.revision or "main",  # no commit is known only where the Hub was not asked
        license=verdict.license,
        weights_note=facts.weights_note,
        architecture=facts.architecture,
        verdicts=tuple(verdicts),
    )


def _none_usable(verdicts: tuple[Verdict, ...]) -> NoUsableModel:
    """The error, with each candidate's obstacles and the cheapest of the ways out."""
    obstacles = {verdict.model: _obstacles(verdict) for verdict in verdicts}
    lines = "".join(f"\n- `{model}`: {found[0].message}" for model, found in obstacles.items())
    nearest = min(obstacles, key=lambda model: (len(obstacles[model]), _cost(obstacles[model][0])))
    ways = "; ".join(finding.fix for finding in obstacles[nearest] if finding.fix)
    return NoUsableModel(f"no candidate may be used here:{lines}", f"nearest is `{nearest}`: {ways}", verdicts)


def _obstacles(verdict: Verdict) -> list[Finding]:
    """What keeps a model from being used, the cheapest to clear first."""
    blocks = [finding for finding in verdict.findings if finding.status == "block"]
    return sorted(blocks or (f for f in verdict.findings if f.status == "unknown"), key=_cost)


def _cost(finding: Finding) -> int:
    return _CHEAPEST.index(finding.check) if finding.check in _CHEAPEST else len(_CHEAPEST)
