"""Front matter of a card: reading it, and what the Hub would say against it."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import yaml

from tunekit_hub.localhub.known import LICENSES

_BLOCK = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)(.*)\Z", re.DOTALL | re.MULTILINE)
_ID = re.compile(r"(?![-.])[\w.-]+(?<![-.])(/(?![-.])[\w.-]+(?<![-.]))?", re.ASCII)
_LANGUAGE = re.compile(r"[a-z]{2,3}([-_][A-Za-z0-9]+)*|multilingual|code")
_LONGEST = 128 << 10  # characters; YAML is read at some 50 kB a second
_MOST_ALIASES, _MOST_PARTS, _DEEPEST = 10, 50_000, 100
_RELATIONS = ("adapter", "finetune", "merge", "quantized")


def split(text: str) -> tuple[str | None, str]:
    """The YAML block of a card (None: it has none) and the text after it."""
    match = _BLOCK.match(text)
    return (match[1], match[2]) if match else (None, text)


class BrokenCard(ValueError):
    """A front matter that cannot be read; the message says why."""


class _Loader(yaml.SafeLoader):
    """Takes few aliases: a hundred bytes of them can stand for gigabytes."""

    aliases = depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """The next node; an alias is counted first, and how deep we are."""
        if self.check_event(yaml.AliasEvent):
            self.aliases += 1
            if self.aliases > _MOST_ALIASES:
                raise yaml.YAMLError(f"more than {_MOST_ALIASES} aliases")
        self.depth += 1
        if self.depth > _DEEPEST:
            raise yaml.YAMLError("it is nested too deeply")
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def front_matter(text: str) -> dict[str, Any]:
    """The metadata, as JSON can hold it; nothing when it is missing or broken, as on the Hub."""
    block, _ = split(text)
    return dict(_read(block)) if block else {}


@lru_cache(maxsize=256)
def _read(block: str) -> dict[str, Any]:
    """Reading YAML takes longer than all the rest of an answer, so a card is read once, a broken one too."""
    try:
        data = _load(block)
    except BrokenCard:
        return {}
    return plain(data) if isinstance(data, dict) else {}


def _load(block: str) -> Any:
    """What a block of YAML says.

    Raises:
        BrokenCard: It is no YAML, or more of it than a card needs.
    """
    if len(block) > _LONGEST:
        raise BrokenCard(f"it has {len(block)} characters, more than {_LONGEST}")
    try:
        data = yaml.load(block, _Loader)
        plain(data)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # also a date or a number that cannot be
        raise BrokenCard(str(error).splitlines()[0] if str(error) else "not YAML") from error
    except RecursionError as error:
        raise BrokenCard("it is nested too deeply") from error
    return data


def plain(value: Any) -> Any:
    """What JSON can hold of a value that YAML or a lenient JSON reader made.

    Raises:
        ValueError: It has more parts than a card needs, written out; or it holds itself.
    """
    return _plain(value, [_MOST_PARTS], 0)


def _plain(value: Any, left: list[int], depth: int) -> Any:
    left[0] -= 1
    if left[0] < 0 or depth > _DEEPEST:
        raise ValueError("too many parts, written out")
    if isinstance(value, dict):
        return {_text(str(key)): _plain(item, left, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item, left, depth + 1) for item in value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return None if isinstance(value, int) and abs(value) >= 2**64 else value


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode()  # half of a surrogate pair is no text


def as_list(value: Any) -> list[str]:
    """A field that may be one string or several."""
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]


def validate(text: str, repo_type: str) -> tuple[list[str], list[str]]:
    """Errors and warnings about a card's front matter."""
    block, _ = split(text)
    if block is None or not block.strip():
        return [], ["empty or missing yaml metadata in repo card"]
    try:
        data = _load(block)
    except BrokenCard as error:
        return [f"The front matter is not valid YAML: {error}"], []
    if not isinstance(data, dict):
        return ["The front matter must be a YAML mapping"], []
    errors: list[str] = []
    for key, check in _CHECKS.items():
        if data.get(key) is not None and (repo_type == "model" or key in _EVERYWHERE):
            errors += check(key, data[key])
    return errors, []


def _each(key: str, value: Any, legal: Callable[[str], object], what: str) -> list[str]:
    """Check a string, or every string of a list."""
    named = [(f"{key}[{i}]", item) for i, item in enumerate(value)] if isinstance(value, list) else [(key, value)]
    return [
        f'"{name}" with value {item!r} is not valid. It must be {what}'
        for name, item in named
        if not isinstance(item, str) or not legal(item)
    ]


def _license(key: str, value: Any) -> list[str]:
    return _each(key, value, LICENSES.__contains__, "one of the license ids the Hub lists")


def _repo_ids(key: str, value: Any) -> list[str]:
    return _each(key, value, _ID.fullmatch, "the id of a repo on the Hub")


def _language(key: str, value: Any) -> list[str]:
    return _each(key, value, _LANGUAGE.fullmatch, "an ISO 639 code in lower case")


def _strings(key: str, value: Any) -> list[str]:
    return _each(key, value, str.isprintable, "text")


def _string(key: str, value: Any) -> list[str]:
    return [] if isinstance(value, str) else [f'"{key}" must be a string']


def _relation(key: str, value: Any) -> list[str]:
    return [] if value in _RELATIONS else [f'"{key}" must be one of {", ".join(_RELATIONS)}']


def _need(where: str, value: Any, *keys: str) -> list[str]:
    """Which of the nested, dotted keys a mapping lacks."""
    missing = []
    for dotted in keys:
        found = value
        for key in dotted.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if found is None:
            missing.append(f'"{where}.{dotted}" is required')
    return missing


def _model_index(key: str, value: Any) -> list[str]:
    """Names, results, and in each result a task, a dataset and metrics with a type and a value."""
    if not isinstance(value, list):
        return [f'"{key}" must be a list']
    errors: list[str] = []
    for i, model in enumerate(value):
        errors += _need(f"{key}[{i}]", model, "name", "results")
        results = model.get("results") if isinstance(model, dict) else None
        if results is not None and not isinstance(results, list):
            errors.append(f'"{key}[{i}].results" must be a list')
            continue
        for j, result in enumerate(results or []):
            where = f"{key}[{i}].results[{j}]"
            errors += _need(where, result, "task.type", "dataset.type", "dataset.name", "metrics")
            errors += _metrics(f"{where}.metrics", result.get("metrics") if isinstance(result, dict) else None)
    return errors


def _metrics(where: str, metrics: Any) -> list[str]:
    if metrics is None:  # its absence is reported already
        return []
    if not isinstance(metrics, list):
        return [f'"{where}" must be a list']
    return [error for k, metric in enumerate(metrics) for error in _need(f"{where}[{k}]", metric, "type", "value")]


_EVERYWHERE = {"license", "license_name", "license_link", "language", "tags"}
_CHECKS: dict[str, Callable[[str, Any], list[str]]] = {
    "license": _license,
    "license_name": _string,
    "license_link": _string,
    "language": _language,
    "tags": _strings,
    "base_model": _repo_ids,
    "base_model_relation": _relation,
    "datasets": _repo_ids,
    "library_name": _string,
    "pipeline_tag": _string,
    "model-index": _model_index,
}
