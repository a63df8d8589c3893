"""What a card says of licenses: the base model's own, those of the data and of its lineage, and their duties."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from tunekit_hub import wording
from tunekit_hub.card.markup import one_line
from tunekit_hub.facts import Finding, Verdict
from tunekit_hub.records import Selection
from tunekit_hub.verdicts import licenses

HUB = "https://huggingface.co"
_MEANS: dict[licenses.Kind, str] = {
    "allowed": "commercial use is allowed",
    "duties": "commercial use is allowed, with duties",
    "conditions": "commercial use is allowed under conditions",
    "unclear": "what it allows is for you to read",
    "noncommercial": "no commercial use",
    "no-derivatives": "nothing made from it may be published",
}
_KINDS = tuple(_MEANS)  # the mildest first


@dataclass(frozen=True)
class LicenseTerms:
    """What a card says beside the id of the license. Everything is empty where there is nothing to say."""

    summary: str  # may it be used? in a line
    finding: str  # what the base model's license means for the use that was asked for
    paragraphs: tuple[str, ...]
    shown: tuple[str, ...]  # words that the license wants on the page: "Built with Llama"
    notices: tuple[str, ...]  # words that go with every copy
    naming: str  # what the license asks of the name, and whether it has it
    duties: tuple[licenses.Duty, ...] = ()  # of model and data together
    accepted: bool = False  # the base model's terms were unclear, and somebody has decided


def fields(chosen: Selection) -> dict[str, str | list[str]]:
    """The base model's license for the front matter, as its own card declares it; empty if it declares none.

    An id that the Hub does not list would have the whole card refused: it becomes the name of an `other` license.
    """
    verdict = verdict_on(chosen)
    declared = licenses.split(verdict.license)
    if not declared:
        return {}
    known = [name.lower() for name in declared if name.lower() in licenses.table().licenses]
    unknown = [name for name in declared if name.lower() not in licenses.table().licenses]
    ids = list(dict.fromkeys([*known, *(["other"] if unknown else [])]))
    found: dict[str, str | list[str]] = {"license": ids[0] if len(ids) == 1 else ids}
    name, link = one_line(verdict.license_name or ", ".join(unknown)), one_line(verdict.license_link or "")
    if name:
        found["license_name"] = name
    if link:
        found["license_link"] = _address(link, chosen)
    return found


def license_terms(chosen: Selection, repo_id: str) -> LicenseTerms:
    """All there is to say of licenses on the card of a model at `repo_id`."""
    ids = licenses.split(verdict_on(chosen).license)
    lineage = [f.message for f in verdict_on(chosen).findings if f.check == "lineage" and f.status == "warn"]
    data, duties = _of_data(chosen)
    return LicenseTerms(
        summary=_summary(chosen),
        finding=_finding(chosen),
        paragraphs=(*(f"Of its lineage: {wording.sentence(message)}" for message in lineage), *data),
        shown=tuple(dict.fromkeys(licenses.family(name).shown for name in ids if licenses.family(name).shown)),
        notices=notices(chosen),
        naming=naming(chosen, repo_id),
        duties=duties,
        accepted=_accepted(chosen),
    )


def notices(chosen: Selection) -> tuple[str, ...]:
    """The sentences that the base model's licenses want in a file `NOTICE` beside every copy."""
    known = licenses.table().licenses
    found = (known.get(name.lower()) for name in licenses.split(verdict_on(chosen).license))
    return tuple(one.notice for one in found if one and one.notice)


def naming(chosen: Selection, repo_id: str) -> str:
    """What the license asks of the model's name, where `repo_id` does not have it; otherwise empty."""
    name = repo_id.rpartition("/")[2]
    for license_id in licenses.split(verdict_on(chosen).license):
        begins = licenses.family(license_id).name_begins
        if begins and not _folded(name).startswith(_folded(begins)):
            return f"`{license_id}` asks that a fine-tuned model's name begin with `{begins}`; `{name}` does not"
    return ""


def verdict_on(chosen: Selection) -> Verdict:
    """The verdict on the model that was chosen."""
    return next(verdict for verdict in chosen.verdicts if verdict.model == chosen.model)


def _folded(name: str) -> str:
    """Without what may stand between two words: `Llama 3` is `llama-3` and `Llama3`."""
    return re.sub(r"[\s._-]", "", name).lower()


def _address(link: str, chosen: Selection) -> str:
    """Where the text is: a file of the base model's repo is one that ours does not have."""
    if re.match(r"https?://", link):
        return link
    return f"{HUB}/{chosen.repo_id}/blob/{chosen.revision}/{quote(link.lstrip('./'))}"


def _summary(chosen: Selection) -> str:
    """Both licenses and what the stricter of them means."""
    model, data = licenses.split(verdict_on(chosen).license), chosen.request.dataset_license
    if not model:
        return "the base model declares none, so none is claimed; without one all rights are its authors'"
    strictest = max((licenses.family(name).kind for name in (*model, *data)), key=_KINDS.index)
    beside = f"; the data's is {_listed(data)}" if data else ""
    return f"{_listed(model)}, the base model's{beside}: {_MEANS[strictest]}"


def _listed(ids: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in ids)


def _finding(chosen: Selection) -> str:
    """What was found for the use that was asked for; that it was accepted is said in a sentence of its own."""
    finding = next((f for f in verdict_on(chosen).findings if f.check == "license"), None)
    return wording.sentence(_said("base model", finding)) if finding else ""


def _said(what: str, finding: Finding) -> str:
    """The finding without its duties, which are listed, and without a decision, which is told by itself."""
    said = finding.message.partition("; accepted for ")[0]
    for family in licenses.table().families.values():
        said = said.replace(f": {family.duty}", "") if family.duty else said
    return f"The {what} {said}" if said.startswith("declares") else said


def _of_data(chosen: Selection) -> tuple[tuple[str, ...], tuple[licenses.Duty, ...]]:
    """The license of the data, both licenses together, and every duty. The data are not named here."""
    data, ids = licenses.of_dataset(chosen.request), licenses.split(verdict_on(chosen).license)
    if data is None:
        return (), licenses.duties(ids)
    request = chosen.request.but(accepted_licenses=(*chosen.request.accepted_licenses, chosen.repo_id))
    model = licenses.Declared("model", chosen.repo_id, ids)
    both, duties = licenses.combined((model, data), request)
    own = licenses.weigh(data, request)
    of_data = _said("dataset", own)
    said = [wording.sentence(of_data if of_data.startswith("The dataset") else f"Of the data: {of_data}")]
    if data.name.lower() in (name.lower() for name in chosen.request.accepted_licenses):
        said[0] += f" That was accepted for {request.use} use{_when(chosen)}."
    # What each of them allows is said already; only where they stand in each other's way is there more.
    if "use is allowed" not in both.message and both.message not in (
        own.message,
        licenses.weigh(model, request).message,
    ):
        said.append(f"Model and data together: {wording.sentence(both.message)}")
    return tuple(said), duties


def _accepted(chosen: Selection) -> bool:
    return bool({chosen.model, chosen.repo_id} & set(chosen.request.accepted_licenses))


def _when(chosen: Selection) -> str:
    on = chosen.request.accepted_on
    return f" on {on.isoformat()}" if on else ""
