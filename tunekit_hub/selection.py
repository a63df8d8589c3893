"""The first model down the ladder that may be used, and why those above it may not."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from contextlib import closing
from pathlib import PurePath
from typing import TypedDict, Unpack

from tunekit_hub import dataset_ids, registry
from tunekit_hub import hardware as machine
from tunekit_hub.errors import DataError, HubError, InvalidToken, UsageError
from tunekit_hub.facts import Finding, Hardware, Method, Options, Request, Use, Verdict
from tunekit_hub.hub import Hub
from tunekit_hub.records import Profile, Recommendation, Selection
from tunekit_hub.verdicts import candidates, licenses
from tunekit_hub.verdicts.examining import Examined, examine, none_usable

_USE: Use = Options.model_fields["use"].default


class Wishes(TypedDict, total=False):
    """What the user asks of a model; the meaning and the defaults are those of `facts.Options`."""

    use: Use
    model: str | None
    accepted_licenses: Sequence[str]
    dataset_license: str | None
    max_time: float | None
    explore: bool


def select(
    recommendation: Recommendation,
    *,
    hardware: Hardware | None = None,
    hub: Hub | None = None,
    **wishes: Unpack[Wishes],
) -> Selection:
    """The recommended model, or the first one behind it that passes every check.

    Where none does, the Hub is searched for others. They are proposed in the error; `explore` takes the first
    that is usable, and has the search shown beside a ladder that leads somewhere, too.

    Args:
        recommendation: The model the rules pick, and its ladder.
        hardware: What to train on; left out, this machine.
        hub: The Hub to ask; left out, the one of the environment.
        wishes: `use`, what the fine-tuned model is for; `model`, the user's own choice, and then there is no
            ladder; `accepted_licenses`, models (or the dataset) whose unclear or missing license the user has
            decided to accept; `dataset_license`, of the data; `max_time`, seconds the whole run may take, left
            out, time only warns; `explore`, see above.

    Raises:
        DataError: The license of the data rules out this use, whatever the model.
        InvalidToken: The Hub does not know the token, which says nothing about a model.
        NoUsableModel: All were turned down; its `verdicts` say why.
        HubUnreachable: The Hub gave no answer, which is no reason to fall back.
    """
    if unknown := set(wishes) - set(Wishes.__annotations__):
        raise TypeError(f"select() has no argument {', '.join(sorted(unknown))}")
    hub = hub or Hub()
    named, explore = wishes.get("model"), wishes.get("explore", False)
    request = request_of(recommendation, hardware or machine.detect(), hub, wishes)
    _check_dataset(request)
    ladder = [named] if named else [recommendation.model, *recommendation.ladder]
    verdicts: list[Verdict] = []
    chosen = _first_usable(list(dict.fromkeys(ladder)), request, hub, verdicts)
    if chosen and not explore:
        return _selection(recommendation, request, chosen, verdicts).but(named=named is not None)
    missed = ""
    more: tuple[Examined, ...] = ()
    if explore or not named:
        try:
            more = _explored(recommendation.profile, request, hub, verdicts)
        except HubError as error:
            if explore:
                raise
            missed = f"; the Hub was not searched for others: {error.message}"
    tried = len(verdicts)
    verdicts += [one.verdict for one in more]
    found = [one for one in more if one.verdict.usable]
    taken = chosen or (found[0] if explore and found else None)
    if taken:
        by_name = taken is chosen and named is not None
        return _selection(recommendation, request, taken, verdicts).but(named=by_name)
    raise none_usable(tuple(verdicts), tried, missed)


def check(model_ids: Sequence[str], request: Request, hub: Hub | None = None) -> tuple[Verdict, ...]:
    """What all checks say of these models, in their order.

    Args:
        model_ids: Models of the registry or any others of the Hub.
        request: What they are wanted for.
        hub: The Hub to ask; left out, the one of the environment.
    """
    return tuple(examined.verdict for examined in examine(model_ids, request, hub or Hub()))


def request_for(
    device: Hardware, *, task: str | None = None, use: Use | None = None, accepted_licenses: Sequence[str] = ()
) -> Request:
    """What models are checked for where no data are known.

    Args:
        device: What to train on.
        task: A task of the registry; left out, it is not asked whether the model suits one.
        use: What the fine-tuned model is for.
        accepted_licenses: Models whose terms the user has accepted.

    Raises:
        UsageError: There is no such task.
    """
    known = registry.load().tasks
    if task is not None and task not in known:
        raise UsageError(f"there is no task `{task}`", f"the tasks are {', '.join(f'`{name}`' for name in known)}")
    return Request(
        use=use or _USE,
        accepted_licenses=tuple(accepted_licenses),
        accepted_on=datetime.date.today() if accepted_licenses else None,
        hardware=device,
        task=task,
        methods=_methods(known[task].rules[-1].method if task else "qlora", device),
    )


def request_of(recommendation: Recommendation, device: Hardware, hub: Hub, wishes: Wishes) -> Request:
    """What the data and the user ask for, as the checks take it."""
    profile, accepted = recommendation.profile, tuple(wishes.get("accepted_licenses") or ())
    dataset, ids = _data_license(profile, hub, wishes.get("dataset_license"))
    return Request(
        use=wishes.get("use", _USE),
        accepted_licenses=accepted,
        accepted_on=datetime.date.today() if accepted else None,
        dataset=dataset,
        dataset_license=ids,
        dataset_license_said=bool(wishes.get("dataset_license")),
        hardware=device,
        task=profile.task,
        languages=profile.languages,
        methods=_methods(recommendation.method, device),
        rows=profile.used_rows,
        tokens=profile.used_tokens,
        p95_tokens=profile.tokens.p95,
        max_time=wishes.get("max_time"),
    )


def _data_license(profile: Profile, hub: Hub, declared: str | None) -> tuple[str | None, tuple[str, ...]]:
    """How the data are called and what they declare: what the user says, else the card of a Hub dataset.

    Of the user's own files nothing is known unless the user says it; then there is no name, and nothing to weigh.
    """
    source = profile.data.source
    if not profile.data.revision:
        return (PurePath(source).name, licenses.given(declared)) if declared else (None, ())
    named = dataset_ids.parse(source)
    name = named.repo if named else source
    return name, licenses.given(declared) if declared else hub.dataset_license(name)


def _check_dataset(request: Request) -> None:
    """No model mends data that may not be used."""
    declared = licenses.of_dataset(request)
    found = licenses.weigh(declared, request) if declared else None
    if declared and found and found.status == "block":
        raise DataError(
            f"the license of the data (`{declared.name}`) stands in the way: {found.message}", found.fix
        )


def _first_usable(
    model_ids: Sequence[str], request: Request, hub: Hub, verdicts: list[Verdict]
) -> Examined | None:
    """The first usable one; `verdicts` gets all up to it."""
    with closing(examine(model_ids, request, hub)) as answers:
        for examined in answers:
            verdicts.append(examined.verdict)
            if examined.facts.access == "invalid-token":  # says nothing of the model
                finding = next(f for f in examined.verdict.findings if f.check == "access")
                raise InvalidToken(finding.message, finding.fix)
            if examined.verdict.usable:
                return examined
    return None


def _explored(profile: Profile, request: Request, hub: Hub, before: Sequence[Verdict]) -> tuple[Examined, ...]:
    """Candidates of the Hub at large, put through the same checks; why each was looked at is its first finding."""
    tried = [name for verdict in before for name in (verdict.model, verdict.repo_id)]
    found = candidates.ranked(hub.search(candidates.searches(profile, request)), tried, profile, request)
    why = {one.repo_id: Finding(check="search", status="pass", message=one.why) for one in found}
    examined = examine(list(why), request, hub)
    return tuple(
        Examined(one.facts, one.verdict.but(findings=(why[one.verdict.model], *one.verdict.findings)))
        for one in examined
    )


def _methods(recommended: Method, device: Hardware) -> tuple[Method, ...]:
    """Acceptable methods, best first: small encoders in full; large decoders as the machine allows.

    4-bit weights need CUDA: bitsandbytes on a CPU trains silently wrong on some.
    """
    if recommended == "full":
        return ("full", "lora")
    return ("qlora", "lora", "full") if device.device == "cuda" else ("lora", "full")


def _selection(
    recommendation: Recommendation, request: Request, chosen: Examined, verdicts: Sequence[Verdict]
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
