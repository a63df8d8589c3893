"""Records as the JSON that `--json` prints and the Space's API answers: the same keys from both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tunekit_hub.facts import Verdict
    from tunekit_hub.records import Profile, Recommendation, Selection


def profile_json(profile: Profile) -> dict[str, Any]:
    """What decides first, then everything else that was counted."""
    tokens = profile.tokens
    rest = profile.model_dump(mode="json", exclude={"task", "num_rows", "languages", "domain", "tokens"})
    return {
        "task": profile.task,
        "num_rows": profile.num_rows,
        "languages": list(profile.languages),
        "p95_tokens": tokens.p95,
        "domain": profile.domain,
        "tokens": tokens.model_dump(mode="json"),
        **rest,
    }


def recommendation_json(recommendation: Recommendation) -> dict[str, Any]:
    """The model the rules pick, and the ladder behind it."""
    return {
        "model": recommendation.model,
        "method": recommendation.method,
        "reasoning": recommendation.reasoning,
        "ladder": list(recommendation.ladder),
    }


def verdicts_json(verdicts: Sequence[Verdict]) -> list[dict[str, Any]]:
    """Each candidate with its findings."""
    return [verdict.model_dump(mode="json", include={"model", "usable", "findings"}) for verdict in verdicts]


def selection_json(selection: Selection) -> dict[str, Any]:
    """The first usable model, pinned, and every verdict on the way."""
    return {
        "model": selection.model,
        "method": selection.method,
        "repo_id": selection.repo_id,
        "revision": selection.revision,
        "license": selection.license,
        "verdicts": verdicts_json(selection.verdicts),
    }
