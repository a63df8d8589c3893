"""What the Hub says of a repo, worked out from its files: tags, parameters, config, size.

A repo may hold recorded facts (`safetensors`, `usedStorage`, `recorded`) that stand in for weights which
are not here. Its file list is always true.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
from functools import lru_cache
from pathlib import Path
from typing import Any

from tunekit_hub.localhub import cards, space_state
from tunekit_hub.localhub.known import PIPELINES
from tunekit_hub.localhub.refusals import bad_request
from tunekit_hub.localhub.repos import Commit, Entry, Repo, pointer

_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
_FORMATS = {"safetensors": "safetensors", "gguf": "gguf", "onnx": "onnx"}
_LARGEST_READ = 1 << 20  # bytes of a card or a config that is read to tell about it
_TOKENIZER_KEYS = ("bos_token", "eos_token", "pad_token", "unk_token", "chat_template")
_CONFIG_KEYS = ("architectures", "model_type", "auto_map", "quantization_config")
BASIC = (
    "id",
    "_id",
    "modelId",
    "private",
    "createdAt",
    "downloads",
    "likes",
    "tags",
    "pipeline_tag",
    "library_name",
)
FULL = ("author", "sha", "lastModified", "gated", "disabled", "siblings")
_NEVER_KNOWN = {  # fields of the Hub that nothing here could fill
    *("childrenModelCount", "evalResults", "gguf", "inference", "inferenceProviderMapping", "mask_token"),
    *("model-index", "resourceGroup", "spaces", "transformersInfo", "trendingScore", "widgetData"),
    *("citation", "description", "mainSize", "paperswithcode_id", "downloadsAllTime"),
    *("datasets", "models", "runtime", "subdomain", "sdk", "region"),
}


def describe(repo: Repo, commit: Commit) -> dict[str, Any]:
    """Every field there is to say, at one commit."""
    card = read_card(repo, commit)
    config = _config(repo, commit)
    library = card.get("library_name") or _library(commit, config)
    pipeline = card.get("pipeline_tag") or _pipeline(config)
    return {
        "_id": hashlib.sha1(f"{repo.kind}/{repo.id}".encode()).hexdigest()[:24],
        "id": repo.id,
        "modelId": repo.id,
        "author": repo.namespace,
        "sha": commit.id,
        "lastModified": commit.date,
        "createdAt": repo.record.created,
        "private": repo.record.private,
        "gated": repo.record.gated,
        "disabled": repo.record.disabled,
        "downloads": 0,
        "likes": 0,
        "library_name": library,
        "pipeline_tag": pipeline,
        "tags": _tags(commit, card, config, library, pipeline),
        "cardData": card,
        "baseModels": _base_models(card),
        "config": config,
        "siblings": [{"rfilename": path} for path in commit.tree],
        "safetensors": _safetensors(repo, commit),
        "usedStorage": _used_storage(repo),
        **(_space(repo, commit, card) if repo.kind == "space" else {}),
        **repo.record.facts,
    }


def _space(repo: Repo, commit: Commit, card: dict[str, Any]) -> dict[str, Any]:
    return {
        "sdk": card.get("sdk"),
        "subdomain": re.sub(r"[^a-z0-9]+", "-", repo.id.lower()).strip("-"),
        "runtime": space_state.runtime(repo, commit, card),
        "models": cards.as_list(card.get("models") or []),
        "datasets": cards.as_list(card.get("datasets") or []),
    }


def answer(repo: Repo, commit: Commit, expand: list[str], *, blobs: bool, security: bool) -> dict[str, Any]:
    """The reply to `model_info`, `dataset_info` and `space_info`."""
    info = describe(repo, commit)
    if expand:
        return {key: info[key] for key in ("_id", "id", *known_fields(info, expand)) if key in info}
    if blobs:
        info["siblings"] = [sibling(path, entry) for path, entry in commit.tree.items()]
    if security:
        info["securityRepoStatus"] = {"scansDone": False, "filesWithIssues": []}
    models_only = ("modelId", "library_name", "pipeline_tag", "config", "safetensors", "baseModels")
    hidden = {"baseModels"} if repo.kind == "model" else set(models_only)
    return {key: value for key, value in info.items() if key not in hidden and value is not None}


def known_fields(info: dict[str, Any], expand: list[str]) -> list[str]:
    """The fields asked for; 400 for one the Hub does not have, so that a typo does not look like an absence."""
    for key in expand:
        if key not in info and key not in _NEVER_KNOWN:
            raise bad_request(f"Unknown field to expand: {key!r}")
    return expand


def sibling(path: str, entry: Entry) -> dict[str, Any]:
    """A file with its size, as `blobs=true` asks."""
    found: dict[str, Any] = {"rfilename": path, "size": entry.size, "blobId": entry.oid}
    if entry.lfs:
        size = len(pointer(entry.sha256, entry.size))
        found["lfs"] = {"sha256": entry.sha256, "size": entry.size, "pointerSize": size}
    return found


def read_card(repo: Repo, commit: Commit) -> dict[str, Any]:
    """The front matter of the card, if there is one."""
    entry = commit.tree.get("README.md")
    if entry is None or entry.size > _LARGEST_READ:
        return {}
    return cards.front_matter(repo.content(entry).decode("utf-8", "replace"))


def _read_json(repo: Repo, commit: Commit, path: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """Some fields of a JSON file."""
    entry = commit.tree.get(path)
    if entry is None or entry.size > _LARGEST_READ:
        return {}
    try:
        data = json.loads(repo.content(entry))
        kept = {key: data[key] for key in keys if key in data} if isinstance(data, dict) else {}
        return cards.plain(kept)
    except (ValueError, RecursionError):  # somebody's broken file is a fact about the repo, not an error here
        return {}


def _config(repo: Repo, commit: Commit) -> dict[str, Any] | None:
    config: dict[str, Any] = _read_json(repo, commit, "config.json", _CONFIG_KEYS)
    if "adapter_config.json" in commit.tree:
        config["peft"] = _read_json(repo, commit, "adapter_config.json", ("base_model_name_or_path", "task_type"))
    if "tokenizer_config.json" in commit.tree:
        config["tokenizer_config"] = _read_json(repo, commit, "tokenizer_config.json", _TOKENIZER_KEYS)
    template = commit.tree.get("chat_template.jinja")
    if template and template.size <= _LARGEST_READ:
        config["chat_template_jinja"] = repo.content(template).decode("utf-8", "replace")
    return config or None


def _library(commit: Commit, config: dict[str, Any] | None) -> str | None:
    if "adapter_config.json" in commit.tree:
        return "peft"
    return "transformers" if config and "model_type" in config else None


def _pipeline(config: dict[str, Any] | None) -> str | None:
    names = cards.as_list((config or {}).get("architectures", []))
    return next((tag for name in names for ending, tag in PIPELINES.items() if name.endswith(ending)), None)


def _tags(
    commit: Commit, card: dict[str, Any], config: dict[str, Any] | None, library: str | None, pipeline: str | None
) -> list[str]:
    """In the order of the Hub: what it is made with, what the card says, what it comes from."""
    formats = [tag for ending, tag in _FORMATS.items() if any(p.endswith(f".{ending}") for p in commit.tree)]
    bases = cards.as_list(card.get("base_model"))
    relation = _relation(card)
    tags = [
        library,
        *formats,
        (config or {}).get("model_type"),
        pipeline,
        *cards.as_list(card.get("tags")),
        *cards.as_list(card.get("language")),
        *(f"dataset:{name}" for name in cards.as_list(card.get("datasets"))),
        *(f"base_model:{name}" for name in bases),
        *(f"base_model:{relation}:{name}" for name in bases),
        *(f"license:{name}" for name in cards.as_list(card.get("license"))),
        *(("custom_code",) if "auto_map" in (config or {}) else ()),
        *(("conversational",) if _chats(config or {}) else ()),
    ]
    return list(dict.fromkeys(tag for tag in tags if tag))


def _chats(config: dict[str, Any]) -> bool:
    """Whether there is a chat template."""
    return "chat_template_jinja" in config or "chat_template" in config.get("tokenizer_config", {})


def _relation(card: dict[str, Any]) -> str:
    return card.get("base_model_relation") or ("adapter" if card.get("library_name") == "peft" else "finetune")


def _base_models(card: dict[str, Any]) -> dict[str, Any] | None:
    bases = cards.as_list(card.get("base_model"))
    return {"relation": _relation(card), "models": [{"id": name} for name in bases]} if bases else None


def _safetensors(repo: Repo, commit: Commit) -> dict[str, Any] | None:
    """Parameters by dtype, from the headers of the model's weight files."""
    parameters: dict[str, int] = {}
    for path, entry in commit.tree.items():
        if _WEIGHTS.fullmatch(path):
            for dtype, count in safetensors_header(repo.storage.blob(entry.sha256)):
                parameters[dtype] = parameters.get(dtype, 0) + count
    return {"parameters": parameters, "total": sum(parameters.values())} if parameters else None


@lru_cache(maxsize=256)
def safetensors_header(path: Path) -> tuple[tuple[str, int], ...]:
    """(dtype, elements) of every tensor; nothing when the file is not what its name says."""
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 0 < length <= 25_000_000:
            return ()
        block = file.read(length)
    try:
        tensors = {name: tensor for name, tensor in json.loads(block).items() if name != "__metadata__"}
        return tuple((str(tensor["dtype"]), math.prod(tensor["shape"])) for tensor in tensors.values())
    except (ValueError, AttributeError, KeyError, TypeError):
        return ()


def _used_storage(repo: Repo) -> int:
    """Bytes of every file of every commit, each counted once."""
    entries = {
        entry.sha256: entry.size for ref in repo.refs() for c in repo.history(ref) for entry in c.tree.values()
    }
    return sum(entries.values())
