"""What a declared license asks for, held against a use. A reading of declarations, not legal advice.

The table is `licenses.json`: every id the Hub lists, each in a family that says what it asks for, in words.
Models and datasets are weighed alike, because what is published is made from both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib import resources
from typing import Literal, NamedTuple

from tunekit_hub.errors import UsageError
from tunekit_hub.facts import Finding, Record, Request, Status, Use

Kind = Literal["allowed", "duties", "conditions", "unclear", "noncommercial", "no-derivatives"]


class Family(Record):
    """Licenses that ask for the same."""

    kind: Kind
    duty: str
    shown: str = ""  # words that a page of a fine-tuned model has to show
    name_begins: str = ""  # what the name of a fine-tuned model has to begin with


class License(Record):
    """One license id of the Hub."""

    family: str
    link: str | None = None  # None: no one text goes by this id; the repository has its own
    notice: str = ""  # the words that have to go with every copy


class _Table(Record):
    families: dict[str, Family]
    licenses: dict[str, License]


@dataclass(frozen=True)
class Declared:
    """What a model or a dataset declares."""

    what: Literal["model", "dataset"]
    name: str  # as `--accept-license` takes it
    ids: tuple[str, ...]  # empty: none declared
    license_name: str | None = None
    license_link: str | None = None
    page: str = ""  # where to read more, if anywhere


class Duty(NamedTuple):
    """What one license asks for."""

    license: str
    text: str
    link: str | None

    def __str__(self) -> str:
        return f"`{self.license}`: {self.text}" + (f" ({self.link})" if self.link else "")


_STATUS: dict[Kind, dict[Use, Status]] = {
    "allowed": {"commercial": "pass", "research": "pass"},
    "duties": {"commercial": "warn", "research": "warn"},
    "conditions": {"commercial": "warn", "research": "warn"},
    "unclear": {"commercial": "block", "research": "block"},
    "noncommercial": {"commercial": "block", "research": "warn"},
    "no-derivatives": {"commercial": "block", "research": "block"},
}
_KINDS: tuple[Kind, ...] = tuple(_STATUS)  # the mildest first
_STATUSES: tuple[Status, ...] = ("pass", "warn", "unknown", "block")
_UNCLEAR = Family(kind="unclear", duty="")
# Families whose licenses want what is made under them to stay under them.
_ALIKE = ("share-alike", "noncommercial-share-alike", "copyleft")


@lru_cache(maxsize=1)
def table() -> _Table:
    """Every license id the Hub lists, and what its family asks for."""
    text = resources.files("tunekit_hub.verdicts").joinpath("licenses.json").read_text(encoding="utf-8")
    return _Table.model_validate(json.loads(text))


def split(ids: str | None) -> tuple[str, ...]:
    """The ids of a text such as `mit` or `mit, cc-by-4.0`."""
    return tuple(name.strip() for name in (ids or "").split(",") if name.strip())


def given(ids: str) -> tuple[str, ...]:
    """The license ids that a user wrote, as `--dataset-license` takes them.

    Raises:
        UsageError: One of them is no id of the Hub's list.
    """
    named = tuple(name.lower() for name in split(ids))
    for name in named:
        if name not in table().licenses:
            close = get_close_matches(name, table().licenses, n=3, cutoff=0.5)
            hint = (
                f"did you mean {' or '.join(f'`{one}`' for one in close)}"
                if close
                else "write an id such as `mit`"
            )
            raise UsageError(f"`{name}` is no license id of the Hub", f"{hint}; where none fits, `other`")
    return named


def family(license_id: str) -> Family:
    """What a license asks for; an id the Hub does not list is as unclear as `other`."""
    known = table().licenses.get(license_id.lower())
    return table().families[known.family] if known else _UNCLEAR


def strictness(ids: Sequence[str]) -> int:
    """How strict the strictest of these licenses is: 0 asks for nothing but a notice; none at all is unclear."""
    return max((_KINDS.index(family(name).kind) for name in ids), default=_KINDS.index("unclear"))


def duties(ids: Iterable[str]) -> tuple[Duty, ...]:
    """What these licenses ask of whoever publishes a fine-tuned model."""
    known = {name: table().licenses.get(name.lower()) for name in dict.fromkeys(ids)}
    return tuple(
        Duty(name, family(name).duty, one.link) for name, one in known.items() if one and family(name).duty
    )


def of_dataset(request: Request) -> Declared | None:
    """What the data declare; None where nothing is known, as of one's own files."""
    return Declared("dataset", request.dataset, request.dataset_license) if request.dataset else None


def weigh(declared: Declared, request: Request, check: str = "license") -> Finding:
    """What a declaration means for the use that is asked for; of several licenses the strictest counts.

    Args:
        declared: What the model or the dataset says of itself.
        request: The use, and what the user has accepted.
        check: The name of the finding.
    """
    if not declared.ids:
        message = "declares no license, which is not permission: all rights are reserved"
        return _decision(declared, request, message, check)
    found = [_one(name, declared, request, check) for name in declared.ids]
    order = [
        (_STATUSES.index(f.status), _KINDS.index(family(i).kind)) for i, f in zip(declared.ids, found, strict=True)
    ]
    strictest = found[order.index(max(order))]
    if len(found) == 1:
        return strictest
    listed = ", ".join(f"`{name}`" for name in declared.ids)
    return strictest.but(message=f"declares {listed}, of which the strictest counts: {strictest.message}")


def combined(parts: Sequence[Declared], request: Request) -> tuple[Finding, tuple[Duty, ...]]:
    """What the licenses of a model and of its data come to together, and every duty that follows.

    Args:
        parts: What the model declares, and the data.
        request: The use, and what the user has accepted.
    """
    ids = tuple(dict.fromkeys(name for part in parts for name in part.ids))
    told = duties(ids)
    worst = max((weigh(part, request) for part in parts), key=lambda finding: _STATUSES.index(finding.status))
    if worst.status == "block":
        return worst, told
    alike = sorted({name for name in ids if _keeps_its_terms(name)})
    if len(alike) > 1:
        both = " and ".join(f"`{name}`" for name in alike)
        message = f"{both} each want what is made from them under themselves, which one license can hardly be"
        fix = "read both; look whether one of them allows the other"
        return Finding(check="license", status="warn", message=message, fix=fix), told
    listed = " and ".join(f"`{name}`" for name in ids) or "no license that is known"
    message = f"{listed}: {request.use} use is allowed" + (", with duties" if worst.status == "warn" else "")
    return Finding(check="license", status=worst.status, message=message), told


def _one(license_id: str, declared: Declared, request: Request, check: str) -> Finding:
    known, asks = table().licenses.get(license_id.lower()), family(license_id)
    if known is None or asks.kind == "unclear":
        name = f"`{license_id}`" + (f" (`{declared.license_name}`)" if declared.license_name else "")
        return _decision(declared, request, f"declares {name}, which does not tell what is allowed", check)
    status = _STATUS[asks.kind][request.use]
    said = {
        "allowed": f"`{license_id}` allows {request.use} use",
        "duties": f"`{license_id}` allows {request.use} use, with duties",
        "conditions": f"`{license_id}` allows {request.use} use under conditions",
        "noncommercial": f"`{license_id}` rules out commercial use",
        "no-derivatives": f"`{license_id}` rules out publishing what is made from it",
    }[asks.kind]
    message = f"{said}: {asks.duty}" if asks.duty else said
    link = declared.license_link or known.link or declared.page
    if status == "pass":
        return Finding(check=check, status=status, message=message)
    if status == "warn":
        return Finding(check=check, status=status, message=message, fix=f"read {link}" if link else "")
    more = "; or add `--use research` if that is what it is" if asks.kind == "noncommercial" else ""
    another = "choose a model with another license" if declared.what == "model" else "train on data that allow it"
    return Finding(
        check=check, status=status, message=message, fix=f"{another}{more}{f' ({link})' if link else ''}"
    )


def _decision(declared: Declared, request: Request, message: str, check: str) -> Finding:
    """Blocked until the user has decided; the decision is then part of the record, with its date."""
    page = declared.license_link or declared.page or f"the terms of {declared.name}"
    if declared.name.lower() in (accepted.lower() for accepted in request.accepted_licenses):
        on = f" on {request.accepted_on.isoformat()}" if request.accepted_on else ""
        message += f"; accepted for {request.use} use{on} (`--accept-license {declared.name}`)"
        return Finding(
            check=check, status="warn", message=message, fix=f"keep a note of what permits it; see {page}"
        )
    fix = f"read {page}; if you may use it, add `--accept-license {declared.name}`"
    return Finding(check=check, status="block", message=message, fix=fix)


def _keeps_its_terms(license_id: str) -> bool:
    known = table().licenses.get(license_id.lower())
    return known is not None and known.family in _ALIKE
