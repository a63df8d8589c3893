"""Candidates beyond the registry: what to search the Hub for, and which of what it lists to look at first.

A list entry says little, so this only sorts; whether a model may be used is for the checks to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tunekit_hub import units
from tunekit_hub.facts import Method, Record, Request
from tunekit_hub.records import Profile
from tunekit_hub.verdicts import licenses

MOST = 5  # are put through the checks
ROOM = 0.92  # of the free memory
OVERHEAD = 1.5e9  # bytes that are taken whatever the size
# Bytes a parameter takes in training, with some activations: 4-bit weights; 16-bit weights; float32 weights,
# gradient and two moments.
_BYTES: dict[Method, float] = {"qlora": 0.8, "lora": 2.6, "full": 17.0}
_OPERATIONS = 4.0  # per parameter and token, with LoRA
_SMALL = 0.2  # of what fits: below that a larger one is likely to do better

# What a model says of the text it was made for: it is searched for by the word, and known by the pattern.
_DOMAINS = {
    "clinical": ("clinical", re.compile(r"clinic|medical|\bmed\b|health")),
    "biomedical": ("bio", re.compile(r"\bbio|pubmed|medical|\bmed\b")),
}
# Models of a trade, which are second choice for plain text.
_TRADES = re.compile(
    r"\b(code|coder|math|med|finance|legal|sql|guard|reward)\b|clinic|medical|biomed|biobert|pubmed|protein"
)
# Repositories that the checks would turn down for their files.
_UNFIT = {"gptq", "awq", "4-bit", "8-bit", "bitsandbytes", "fp8", "mlx", "mxfp4", "compressed-tensors"}
_UNFIT |= {"custom_code", "adapter", "lora", "peft"}


class Listed(Record):
    """One entry of the Hub's list of models."""

    repo_id: str
    parameters: int | None = None
    license: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    downloads: int = 0  # of the last 30 days
    gated: bool = False


@dataclass(frozen=True)
class Search:
    """What the Hub is asked for: models for a task, up to a size, the most downloaded first."""

    pipeline_tag: str
    tags: tuple[str, ...]
    largest: int  # parameters
    language: str | None = None
    word: str | None = None  # in the id


@dataclass(frozen=True)
class Candidate:
    """A model worth checking, and why."""

    repo_id: str
    why: str


def searches(profile: Profile, request: Request) -> tuple[Search, ...]:
    """What to ask for: the task at this size; the same in the data's language; the same for its domain."""
    largest = largest_size(request)
    chats = profile.task == "instruction_tuning"
    tag = "text-generation" if chats else "fill-mask"
    tags = ("transformers", "safetensors", *(("conversational",) if chats else ()))
    found = [Search(tag, tags, largest)]
    if profile.languages and profile.languages[0] not in ("en", "und"):
        found.append(Search(tag, tags, largest, language=profile.languages[0]))
    if profile.domain:
        found.append(Search(tag, tags, largest, word=_DOMAINS[profile.domain][0]))
    return tuple(found)


def largest_size(request: Request) -> int:
    """Parameters of the largest model that might be trained here: by memory, and by time where that is bounded."""
    hardware = request.hardware
    wide = 2 if hardware.device == "cpu" and not hardware.bf16 else 1  # float32 weights under LoRA
    least = min(_BYTES[method] * (wide if method == "lora" else 1) for method in request.methods)
    by_memory = max(0.0, ROOM * hardware.memory - OVERHEAD) / least
    if not request.max_time or not request.tokens:
        return int(by_memory)
    return int(min(by_memory, request.max_time * hardware.gflops * 1e9 / (_OPERATIONS * request.tokens)))


def ranked(
    found: Iterable[Listed], tried: Iterable[str], profile: Profile, request: Request
) -> tuple[Candidate, ...]:
    """At most five, by size fit, license, domain words, language and downloads, each with its reasons.

    Args:
        found: What the searches listed.
        tried: Ids that were checked already, old and new.
        profile: The data, whose language and domain count.
        request: The use, which rules some licenses out.
    """
    known = {name.lower() for name in tried}
    largest = largest_size(request)
    fitting = [
        one
        for one in {one.repo_id: one for one in found}.values()
        if one.repo_id.lower() not in known
        and not _unfit(one.tags)
        and (one.parameters or 0) <= largest
        and _allowed(one, request)
    ]
    fitting.sort(key=lambda one: _rank(one, largest, profile))
    return tuple(Candidate(one.repo_id, _why(one, largest, profile)) for one in fitting[:MOST])


def _unfit(tags: Sequence[str]) -> bool:
    return bool(_UNFIT & set(tags)) or any(
        t.startswith(("base_model:quantized:", "base_model:adapter:")) for t in tags
    )


def _allowed(one: Listed, request: Request) -> bool:
    declared = licenses.Declared("model", one.repo_id, one.license)
    return licenses.weigh(declared, request).status != "block"


def _rank(one: Listed, largest: int, profile: Profile) -> tuple[int, int, int, int, int]:
    """The smaller the better."""
    size = 2 if one.parameters is None else int(one.parameters < _SMALL * largest)
    return (
        size,
        licenses.strictness(one.license) * 2 + one.gated,
        -_domain(one, profile),
        _language(one, profile),
        -one.downloads,
    )


def _domain(one: Listed, profile: Profile) -> int:
    """1 for a model of the data's own domain, -1 for one of a trade that is not the data's."""
    said = re.sub(r"[-_/.]", " ", f"{one.repo_id} {' '.join(one.tags)}".lower())
    if profile.domain and _DOMAINS[profile.domain][1].search(said):
        return 1
    return -1 if _TRADES.search(said) else 0


def _language(one: Listed, profile: Profile) -> int:
    """0 where the model was made for the data's languages, 1 where it does not say, 2 where for others."""
    if not one.languages:
        return 1
    known = {language.lower().partition("-")[0] for language in one.languages}
    return 0 if "multilingual" in known or set(profile.languages) <= known else 2


def _why(one: Listed, largest: int, profile: Profile) -> str:
    size = "of unknown size" if one.parameters is None else f"{_billions(one.parameters)} parameters"
    declared = ", ".join(f"`{name}`" for name in one.license) or "no license"
    languages = {0: "made for the language of the data", 1: "", 2: "made for other languages"}[
        _language(one, profile)
    ]
    domain = {1: f"{profile.domain} text", 0: "", -1: "of another trade"}[_domain(one, profile)]
    gate = "gated" if one.gated else ""
    loads = f"{units.count(one.downloads)} downloads a month"
    parts = (f"{size} (up to {_billions(largest)} may fit here)", declared, gate, domain, languages, loads)
    return "found on the Hub: " + "; ".join(part for part in parts if part)


def _billions(parameters: int) -> str:
    return f"{parameters / 1e9:.2g} B" if parameters < 1e10 else f"{parameters / 1e9:.0f} B"
