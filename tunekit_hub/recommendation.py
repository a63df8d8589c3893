"""Which model the rules of the registry pick, before anybody asked whether it may be used."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tunekit_hub import registry
from tunekit_hub.errors import UsageError
from tunekit_hub.records import Profile, Recommendation


@dataclass(frozen=True)
class _Case:
    """All that a rule may ask about."""

    rows: int
    languages: tuple[str, ...]  # empty: not known
    p95_tokens: int | None
    domain: str | None
    wishes: frozenset[str]  # the word lists that the description draws from


def recommend(profile: Profile, description: str = "") -> Recommendation:
    """The model, method and reason for this data, and the ladder of models behind it.

    Args:
        profile: What the data holds.
        description: What the user wants, in their own words.

    Raises:
        RegistryError: The model registry is wrong.
        UsageError: The registry has no rules for the profile's task.
    """
    rules = registry.load()
    case = _Case(
        rows=profile.num_rows,
        languages=_primary(profile.languages),
        p95_tokens=profile.tokens.p95,
        domain=profile.domain,
        wishes=_wishes(rules, description),
    )
    rule = _first_match(rules, profile.task, case)
    return Recommendation(
        profile=profile,
        description=description,
        model=rule.model,
        method=rule.method,
        reasoning=rule.reason,
        ladder=rules.tasks[profile.task].ladders[rule.model],
    )


def get_model_recommendation(
    task_type: str,
    num_rows: int,
    user_description: str = "",
    dataset_stats: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """The model and method for a dataset that only its figures are known of.

    Args:
        task_type: `classification`, `ner` or `instruction_tuning`.
        num_rows: Rows of the dataset.
        user_description: What the user wants, in their own words.
        dataset_stats: Any of `languages` (ISO codes), `p95_tokens`, and `domain` (`clinical` or
            `biomedical`); what is missing or None counts as not known.

    Returns:
        `model`, `method` and `reasoning`.

    Raises:
        UsageError: The task is not one of the three; it is a ValueError.
    """
    rules = registry.load()
    stats = dataset_stats or {}
    case = _Case(
        rows=num_rows,
        languages=_primary(stats.get("languages") or ()),
        p95_tokens=stats.get("p95_tokens"),
        domain=stats.get("domain"),
        wishes=_wishes(rules, user_description),
    )
    rule = _first_match(rules, task_type, case)
    return {"model": rule.model, "method": rule.method, "reasoning": rule.reason}


def _first_match(rules: registry.Registry, task: str, case: _Case) -> registry.Rule:
    if task not in rules.tasks:
        known = ", ".join(f"`{name}`" for name in sorted(rules.tasks))
        raise UsageError(
            f"unknown task `{task}`: there are no rules to pick a model for it", f"Use one of {known}"
        )
    return next(rule for rule in rules.tasks[task].rules if _holds(rule.when, case))


def _holds(when: registry.When, case: _Case) -> bool:
    """Whether every condition that is given holds. What is not known matches no condition about it."""
    return all(
        (
            when.languages_beyond is None or not set(case.languages) <= set(when.languages_beyond),
            when.domain is None or case.domain in when.domain,
            when.p95_tokens_above is None or (case.p95_tokens or 0) > when.p95_tokens_above,
            when.wants is None or when.wants in case.wishes,
            when.wants_not is None or when.wants_not not in case.wishes,
            when.rows_below is None or case.rows < when.rows_below,
        )
    )


def _primary(languages: Sequence[str]) -> tuple[str, ...]:
    """Languages without their region: `en-GB` is English."""
    return tuple(language.lower().replace("_", "-").partition("-")[0] for language in languages)


def _wishes(rules: registry.Registry, description: str) -> frozenset[str]:
    """The names of the word lists of which a word begins in the text: "faster" does, "breakfast" does not."""
    return frozenset(
        name
        for name, words in rules.words.items()
        if re.search(rf"\b(?:{'|'.join(words)})", description or "", re.IGNORECASE)
    )
