"""Which files of a model repository matter, by name: for the files check, for fetching and for publishing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

_SAFETENSORS = re.compile(r"model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json")
_PICKLE = re.compile(r"pytorch_model(-\d+-of-\d+)?\.bin|pytorch_model\.bin\.index\.json")
_ADAPTER = re.compile(r"adapter_config\.json|adapter_model\.(safetensors|bin)")
# All that a model needs beside its weights. No `.py` is among them: remote code is never fetched.
_BESIDE = re.compile(
    r"(config|generation_config|tokenizer[\w.-]*|special_tokens_map|added_tokens|vocab)\.json"
    r"|[\w.-]+\.model|vocab\.txt|merges\.txt|chat_template[\w.-]*\.(jinja|json)"
)


def safetensors(files: Iterable[str]) -> list[str]:
    """Weights that load without running anything."""
    return _matching(_SAFETENSORS, files)


def pickles(files: Iterable[str]) -> list[str]:
    """Weights in PyTorch's older format."""
    return _matching(_PICKLE, files)


def adapters(files: Iterable[str]) -> list[str]:
    """A PEFT adapter."""
    return _matching(_ADAPTER, files)


def weights(files: Iterable[str]) -> list[str]:
    """One format of the weights, the safer one where there are two, and the adapter."""
    names = list(files)
    return sorted({*(safetensors(names) or pickles(names)), *adapters(names)})


def beside(files: Iterable[str]) -> list[str]:
    """Config, tokenizer and chat template."""
    return sorted(_matching(_BESIDE, files))


def wanted(files: Iterable[str]) -> list[str]:
    """What to fetch: weights, adapter, config, tokenizer and chat template."""
    names = list(files)
    return sorted({*weights(names), *beside(names)})


def complete(folder: Path) -> bool:
    """Whether the weights that were fetched into a folder are all there."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for index in (name for name in names if name.endswith(".index.json")):
        names_of_parts = json.loads((folder / index).read_text(encoding="utf-8"))["weight_map"].values()
        if not names >= set(names_of_parts):
            return False
    return any(name.endswith((".safetensors", ".bin")) for name in names)


def superseded(there: Iterable[str], pushed: Iterable[str]) -> list[str]:
    """Weights of an earlier publish that would be loaded instead of, or beside, the ones pushed now."""
    new = set(pushed)
    if not any(name.endswith((".safetensors", ".bin")) for name in new):
        return []
    old = list(there)
    return [name for name in [*safetensors(old), *pickles(old), *adapters(old)] if name not in new]


def _matching(pattern: re.Pattern[str], files: Iterable[str]) -> list[str]:
    return [name for name in files if pattern.fullmatch(name)]
