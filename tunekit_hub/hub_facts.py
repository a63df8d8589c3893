"""From what the Hub says of a model, or what the registry has recorded, to `ModelFacts`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunekit_hub.architectures import architecture
from tunekit_hub.facts import Access, ModelFacts
from tunekit_hub.registry import ModelEntry

# What `model_info` is asked for. `revision` is not: gated repositories refuse that route.
EXPAND = ("cardData", "config", "disabled", "gated", "private", "safetensors", "sha", "siblings", "tags")

_BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
_BYTES |= {"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}


def seen(
    info: Any,
    access: Access,
    url: str,
    entry: ModelEntry | None = None,
    config: Mapping[str, Any] | None = None,
) -> ModelFacts:
    """The facts of a model that the Hub has described.

    Args:
        info: huggingface_hub's `ModelInfo`.
        access: What this token may do.
        url: The model's page.
        entry: What the registry knows of the model.
        config: The whole `config.json`, if it was fetched; the Hub's own summary of it is short.
    """
    card = info.card_data.to_dict() if info.card_data else {}
    summary = {**(info.config or {}), **(config or {})}
    counts = dict(info.safetensors.parameters) if info.safetensors else {}
    return ModelFacts(
        repo_id=info.id,
        revision=info.sha,
        access=access,
        gated=_gate(info.gated),
        license=_licenses(card, info.tags or []),
        license_name=_text(card.get("license_name")),
        license_link=_text(card.get("license_link")),
        files=tuple(file.rfilename for file in info.siblings or ()),
        weight_bytes=_weight_bytes(counts) or (entry.recorded.weight_bytes if entry else None),
        remote_code="auto_map" in summary,
        weights_note=_text(card.get("weights_note")) or "",
        quantized=_quantized(summary),
        languages=entry.languages if entry else _texts(card.get("language")),
        architecture=entry.architecture if entry else architecture(summary, sum(counts.values()) or None),
        url=url,
    )


def recorded(entry: ModelEntry, url: str, revision: str | None = None, files: tuple[str, ...] = ()) -> ModelFacts:
    """The facts of the registry, for when the Hub may not be asked.

    Args:
        entry: What the registry knows of the model.
        url: The model's page.
        revision: The commit that lies in the cache of this machine, if one does.
        files: The files of that commit that lie there.
    """
    past = entry.recorded
    return ModelFacts(
        repo_id=entry.canonical,
        revision=revision,
        access="unverified",
        gated=past.gated or None,
        license=past.license,
        license_name=past.license_name,
        license_link=past.license_link,
        files=files,
        weight_bytes=past.weight_bytes,
        languages=entry.languages,
        architecture=entry.architecture,
        url=url,
        recorded=past.date.isoformat(),
    )


def _gate(value: Any) -> Any:
    """`auto`, `manual` or None; older answers say only `true`."""
    return value if value in ("auto", "manual", None) else ("manual" if value else None)


def _licenses(card: Mapping[str, Any], tags: list[str]) -> tuple[str, ...]:
    prefix = "license:"
    return _texts(card.get("license")) or tuple(t.removeprefix(prefix) for t in tags if t.startswith(prefix))


def _texts(value: Any) -> tuple[str, ...]:
    """Cards are written by people: one word or a list, and sometimes neither."""
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in (_text(v) for v in values) if text)


def _text(value: Any) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _weight_bytes(counts: Mapping[str, int]) -> int | None:
    """Bytes of the weights; None where a number format is not known."""
    if not set(counts) <= set(_BYTES):
        return None
    return sum(_BYTES[kind] * count for kind, count in counts.items()) or None


def _quantized(config: Mapping[str, Any]) -> str | None:
    settings = config.get("quantization_config")
    if not settings:
        return None
    method = settings.get("quant_method") if isinstance(settings, dict) else None
    return str(method or "unnamed method")
