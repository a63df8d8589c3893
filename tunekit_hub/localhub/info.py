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

from tunekit_hub.localhub import cards
from tunekit_hub.localhub.known import PIPELINES
from tunekit_hub.localhub.refusals import bad_request
from tunekit_hub.localhub.repos import Commit, Entry, Repo, pointer

_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
_FORMATS = {"safetensors": "safetensors", "gguf": "gguf", "onnx": "onnx"}
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
    *("datasets", "models", "runtime", "subdomain", "sdk"),
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
        **repo.record.facts,
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
    return cards.front_matter(repo.content(entry).decode("utf-8", "replace")) if entry else {}


def _read_json(repo: Repo, commit: Commit, path: str) -> dict[str, Any]:
    entry = commit.tree.get(path)
    try:
        data = json.loads(repo.content(entry)) if entry else {}
    except ValueError:  # somebody's broken file is a fact about the repo, not an error of this server
        return {}
    return data if isinstance(data, dict) else {}


def _config(repo: Repo, commit: Commit) -> dict[str, Any] | None:
    whole = _read_json(repo, commit, "config.json")
    config = {key: whole[key] for key in _CONFIG_KEYS if key in whole}
    adapter = _read_json(repo, commit, "adapter_config.json")
    if adapter:
        kept = ("base_model_name_or_path", "task_type")
        config["peft"] = {key: adapter[key] for key in kept if key in adapter}
    tokenizer = _read_json(repo, commit, "tokenizer_config.json")
    if tokenizer:
        kept = ("bos_token", "eos_token", "pad_token", "unk_token", "chat_template")
        config["tokenizer_config"] = {key: tokenizer[key] for key in kept if key in tokenizer}
    template = commit.tree.get("chat_template.jinja")
    if template:
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
