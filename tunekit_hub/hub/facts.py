"""From what the Hub says of a model, or what the registry has recorded, to `ModelFacts`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from tunekit_hub import model_files
from tunekit_hub.estimates.architectures import architecture
from tunekit_hub.facts import Access, BaseFacts, ModelFacts, Record
from tunekit_hub.registry import ModelEntry

# What `model_info` is asked for. `revision` is not: gated repositories refuse that route.
EXPAND = ("cardData", "config", "disabled", "gated", "private", "safetensors", "sha", "siblings", "tags")
EXPAND_BASE = ("cardData", "tags")
MOST_BASES = 5  # of a model that was merged from dozens, this many are asked about

_CARD = ("license", "license_name", "license_link", "weights_note", "language", "base_model")
_CONFIG = ("model_type", "architectures", "auto_map", "quantization_config", "quantization", "peft")
_CODE = re.compile(r"(modeling|configuration|tokenization)_\w+\.py")
_ID = re.compile(r"[\w.-]+(/[\w.-]+)?")
_BYTES = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2}
_BYTES |= {"I8": 1, "U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1}


class Answer(Record):
    """What the Hub says of a model to everybody who may see it, cut down to what is read here."""

    repo_id: str
    sha: str | None
    private: bool
    disabled: bool
    gated: Literal["auto", "manual"] | None
    card: dict[str, Any]
    tags: tuple[str, ...]
    files: tuple[str, ...]
    counts: dict[str, int]  # number format → weights
    summary: dict[str, Any]  # what the Hub shows of `config.json`
    config: dict[str, Any] | None = None  # the whole `config.json`, where it was asked for
    bases: tuple[BaseFacts, ...] = ()
    whole: bool = False  # config and bases were asked for

    @property
    def base_ids(self) -> tuple[str, ...]:
        """What the card says the model was made from, as far as these can be ids."""
        named = (name for name in texts(self.card.get("base_model")) if _ID.fullmatch(name))
        return tuple(name for name in dict.fromkeys(named) if name.lower() != self.repo_id.lower())[:MOST_BASES]


def answer(info: Any) -> Answer:
    """What is worth keeping of huggingface_hub's `ModelInfo`."""
    card = info.card_data.to_dict() if info.card_data else {}
    return Answer(
        repo_id=info.id,
        sha=info.sha,
        private=bool(info.private),
        disabled=bool(info.disabled),
        # Older answers say only `true`.
        gated=info.gated if info.gated in ("auto", "manual") else ("manual" if info.gated else None),
        card={key: card[key] for key in _CARD if card.get(key) is not None},
        tags=tuple(info.tags or ()),
        files=tuple(file.rfilename for file in info.siblings or ()),
        counts=dict(info.safetensors.parameters) if info.safetensors else {},
        summary={key: info.config[key] for key in _CONFIG if key in (info.config or {})},
    )


def seen(found: Answer, access: Access, url: str, entry: ModelEntry | None = None) -> ModelFacts:
    """The facts of a model that the Hub has described.

    Args:
        found: What the Hub says.
        access: What this token may do.
        url: The model's page.
        entry: What the registry knows of the model.
    """
    card, config = found.card, {**found.summary, **(found.config or {})}
    code = _code(found, config)
    return ModelFacts(
        repo_id=found.repo_id,
        revision=found.sha,
        access=access,
        private=found.private,
        gated=found.gated,
        license=licenses_of(card, found.tags),
        license_name=_text(card.get("license_name")),
        license_link=_text(card.get("license_link")),
        files=found.files,
        weight_bytes=_weight_bytes(found.counts) or (entry.recorded.weight_bytes if entry else None),
        remote_code=bool(code) or "auto_map" in config or "custom_code" in found.tags,
        code=code,
        weights_note=_text(card.get("weights_note")) or "",
        quantized=_quantized(config, found),
        adapter_of=_adapter_of(found, config),
        bases=found.bases,
        languages=entry.languages if entry else texts(card.get("language")),
        architecture=entry.architecture if entry else architecture(config, sum(found.counts.values()) or None),
        url=url,
    )


def base(info: Any) -> BaseFacts:
    """What a base model declares, from huggingface_hub's `ModelInfo`."""
    return BaseFacts(repo_id=info.id, license=declared(info))


def declared(info: Any) -> tuple[str, ...]:
    """The license ids that a card declares, from huggingface_hub's `ModelInfo` or `DatasetInfo`."""
    return licenses_of(info.card_data.to_dict() if info.card_data else {}, tuple(info.tags or ()))


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


def licenses_of(card: Mapping[str, Any], tags: tuple[str, ...]) -> tuple[str, ...]:
    """The license ids that a card declares, else those of the tags."""
    prefix = "license:"
    return texts(card.get("license")) or tuple(t.removeprefix(prefix) for t in tags if t.startswith(prefix))


def texts(value: Any) -> tuple[str, ...]:
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


def _code(found: Answer, config: Mapping[str, Any]) -> tuple[str, ...]:
    """The files with code of its own: those `auto_map` names (`module.Class`, perhaps of another repository,
    `owner/name--module.Class`), and those that lie there under the names that such files have.
    """
    auto_map = config.get("auto_map")
    values = auto_map.values() if isinstance(auto_map, dict) else ()
    named = [name for value in values for name in texts(list(value) if isinstance(value, list) else value)]
    files = [name.partition("--")[0] if "--" in name else name.partition(".")[0] + ".py" for name in named]
    return tuple(dict.fromkeys([*files, *(name for name in found.files if _CODE.fullmatch(name))]))


def _quantized(config: Mapping[str, Any], found: Answer) -> str | None:
    """How the weights were quantized, by the config, by the files of older tools, or by their number format."""
    settings = config.get("quantization_config")
    if settings:
        said = settings if isinstance(settings, dict) else {}
        bits = said.get("load_in_4bit") or said.get("load_in_8bit")
        return str(said.get("quant_method") or ("bitsandbytes" if bits else "unnamed method"))
    if isinstance(config.get("quantization"), dict):
        return "mlx"
    older = {"quantize_config.json": "gptq", "quant_config.json": "awq"}
    by_file = next((how for name, how in older.items() if name in found.files), None)
    return by_file or ("fp8" if any(kind.startswith("F8_") for kind in found.counts) else None)


def _adapter_of(found: Answer, config: Mapping[str, Any]) -> str | None:
    if not model_files.adapters(found.files):
        return None
    peft = config.get("peft")
    named = _text(peft.get("base_model_name_or_path")) if isinstance(peft, dict) else None
    return named or next(iter(found.base_ids), None)
