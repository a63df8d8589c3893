"""What a card says of licenses beyond the base model's own: those of the data, and of what the base came from."""

from __future__ import annotations

from dataclasses import dataclass

from tunekit_hub import licenses, wording
from tunekit_hub.records import Selection


@dataclass(frozen=True)
class LicenseTerms:
    """What a card adds. Both are empty where there is nothing to add to the base model's license."""

    paragraphs: tuple[str, ...]
    duties: tuple[licenses.Duty, ...] = ()  # of model and data together


def license_terms(chosen: Selection) -> LicenseTerms:
    """The license of the data, both licenses together, every duty; and a base whose own base asks for more."""
    verdict = next(verdict for verdict in chosen.verdicts if verdict.model == chosen.model)
    lineage = [f.message for f in verdict.findings if f.check == "lineage" and f.status == "warn"]
    said = [f"Of its lineage: {wording.sentence(message)}" for message in lineage]
    data = licenses.of_dataset(chosen.request)
    if data is None:
        return LicenseTerms(tuple(said))
    request = chosen.request.but(accepted_licenses=(*chosen.request.accepted_licenses, *_accepted(chosen)))
    model = licenses.Declared(
        "model",
        chosen.repo_id,
        licenses.split(verdict.license),
        license_name=verdict.license_name,
        license_link=verdict.license_link,
    )
    both, duties = licenses.combined((model, data), request)
    said.append(f"Of the data: {wording.sentence(licenses.weigh(data, request).message)}")
    said.append(f"Model and data together: {wording.sentence(both.message)}")
    return LicenseTerms(tuple(said), duties)


def _accepted(chosen: Selection) -> tuple[str, ...]:
    """The canonical id of a model that was accepted by an older one."""
    return (chosen.repo_id,) if chosen.model in chosen.request.accepted_licenses else ()
