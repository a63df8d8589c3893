"""Searching the Hub's list of models."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from huggingface_hub import HfApi

from tunekit_hub.hub.facts import declared, texts
from tunekit_hub.verdicts.candidates import Listed, Search

LIMIT = 60  # entries of one search
_EXPAND = ("cardData", "disabled", "downloads", "gated", "private", "safetensors", "tags")


def search(api: HfApi, call: Callable[..., Any], asked: Sequence[Search]) -> tuple[Listed, ...]:
    """What all searches list together, asked at once, each model once.

    Args:
        api: The client.
        call: Makes a call, retried after outages, and maps its errors.
        asked: What to search for.
    """

    def one(search: Search) -> list[Any]:
        return call("searching the Hub for models", lambda: list(api.list_models(**_parameters(search))), tries=1)

    with ThreadPoolExecutor(max_workers=max(1, len(asked))) as pool:
        answers = list(pool.map(one, asked))
    listed = {info.id: _listed(info) for answer in answers for info in answer if not info.disabled}
    return tuple(listed.values())


def _parameters(search: Search) -> dict[str, Any]:
    tags = [*search.tags, *([search.language] if search.language else [])]
    return {
        "pipeline_tag": search.pipeline_tag,
        "filter": tags,
        "num_parameters": f"max:{search.largest / 1e9:.3f}B",
        "search": search.word,
        "sort": "downloads",
        "limit": LIMIT,
        "expand": list(_EXPAND),
    }


def _listed(info: Any) -> Listed:
    card = info.card_data.to_dict() if info.card_data else {}
    return Listed(
        repo_id=info.id,
        parameters=info.safetensors.total if info.safetensors else None,
        license=declared(info),
        languages=texts(card.get("language")),
        tags=tuple(info.tags or ()),
        downloads=info.downloads or 0,
        gated=bool(info.gated),
    )
