"""Which files of a trained model leave this machine, and what must not be in them."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tunekit_hub.errors import PublishError
from tunekit_hub.facts import Weights
from tunekit_hub.hub import Hub
from tunekit_hub.hub import login as hub_login
from tunekit_hub.records import Plan

# Everything else stays: `training_args.bin` pickles the token, optimizer states and logs are nobody's business.
ALLOWED = {
    "adapter_config.json",
    "adapter_model.safetensors",
    "added_tokens.json",
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "merges.txt",
    "model.safetensors",
    "model.safetensors.index.json",
    "special_tokens_map.json",
    "spiece.model",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
}
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_NEEDED = {
    "adapter": ("adapter_config.json", "adapter_model.safetensors", "tokenizer_config.json"),
    "full": ("config.json", "tokenizer_config.json"),
}
_ORIGIN_KEYS = ("_name_or_path", "name_or_path", "base_model_name_or_path")  # of JSON files, may hold a path
_LOADED_KEYS = ("is_local", "local_files_only")  # how it was loaded here, which says nothing to others
_TOKEN = re.compile(rb"\bhf_(?:[A-Za-z0-9]{24,}|(?:oauth|jwt)_[A-Za-z0-9._-]{24,})")
_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt", ".pth", ".onnx", ".h5", ".msgpack")


def collect(folder: Path, plan: Plan, form: Weights | None = None) -> dict[str, Path | bytes]:
    """The files to publish: those on the list, with configs naming the canonical base and its revision.

    Args:
        folder: where they lie.
        plan: what was trained.
        form: what they are to be together; None: as the plan's method leaves it.

    Raises:
        PublishError: something a loader needs is missing.
    """
    files: dict[str, Path | bytes] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_file() and not path.is_symlink() and (path.name in ALLOWED or _SHARD.fullmatch(path.name)):
            files[path.name] = path
    adapter = (form or plan.weights) == "adapter"
    missing = [name for name in _NEEDED["adapter" if adapter else "full"] if name not in files]
    if not adapter and "model.safetensors" not in files and "model.safetensors.index.json" not in files:
        missing.append("model.safetensors")
    missing += [name for name in _parts(folder) if name not in files]
    if missing:
        raise PublishError(
            f"`{folder}` lacks {', '.join(missing)}, so nobody could load what would be published",
            "train again in a new folder",
        )
    for name in files:
        if name.endswith("config.json"):
            files[name] = _canonical(folder / name, plan)
    return files


def _parts(folder: Path) -> list[str]:
    """The weights files that an index names."""
    path = folder / "model.safetensors.index.json"
    if not path.is_file():
        return []
    try:
        return sorted(set(json.loads(path.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, AttributeError) as error:
        raise PublishError(f"`{path}` is no index of weights", "train again in a new folder") from error


def weights(names: Iterable[str]) -> list[str]:
    """Those of the file names that hold weights."""
    return sorted(name for name in names if name.endswith(_WEIGHTS))


def fingerprint(folder: Path) -> dict[str, str]:
    """The sha256 of every weights file in `folder`, by name."""
    found = {}
    for name in weights(path.name for path in folder.iterdir()):
        with (folder / name).open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def refuse_leaks(files: Mapping[str, Path | bytes], run_dir: Path, hub: Hub) -> None:
    """Look through every text and every safetensors header for local paths and tokens.

    Raises:
        PublishError: naming the file; the secret itself is not repeated.
    """
    needles = _local_paths(run_dir, hub_login.cache_dir(hub.endpoint))
    for name, content in files.items():
        readable = _readable(content)
        if name.endswith(".md"):  # where underscores and the like stand as character references
            readable += html.unescape(readable.decode(errors="replace")).encode(errors="replace")
        if _TOKEN.search(readable) or hub.holds_token(readable):
            raise PublishError(
                f"`{name}` contains an access token, which publishing would give away",
                "take it out of the data or the description and train again; revoke it if others may have seen it",
            )
        found = next((path for path in needles if path.encode() in readable), None)
        if found:
            raise PublishError(
                f"`{name}` contains `{found}`, a path of this machine",
                "nothing was published; take it out of the file, or out of the data and the description",
            )


def _canonical(path: Path, plan: Plan) -> bytes:
    """A config with the base model's id and commit in place of where it happened to lie."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise PublishError(f"`{path}` is not JSON: {error}", "train again in a new folder") from error
    for key in _ORIGIN_KEYS:
        if key in config:
            config[key] = plan.selection.repo_id
    for key in _LOADED_KEYS:
        config.pop(key, None)
    if path.name == "adapter_config.json":
        config |= {"base_model_name_or_path": plan.selection.repo_id, "revision": plan.selection.revision}
    return (json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def _local_paths(run_dir: Path, cache: Path) -> list[str]:
    """Folders of this machine, as they would be spelled in a text; short ones only with a slash behind."""
    found: set[str] = set()
    for folder in (
        run_dir,
        run_dir.resolve(),
        cache,
        cache.resolve(),
        Path.cwd(),
        Path.home(),
        Path.home().resolve(),
    ):
        if not folder.is_absolute() or len(folder.parts) < 2:  # "/" would be found everywhere
            continue
        text = str(folder) if len(folder.parts) > 2 else str(folder) + ("\\" if "\\" in str(folder) else "/")
        found |= {text, json.dumps(text)[1:-1], text.replace("\\", "/")}
    return sorted(found)


def _readable(content: Path | bytes) -> bytes:
    """What a person could read in a file: all of a text, the header of a safetensors file."""
    if isinstance(content, bytes):
        return content
    if content.suffix != ".safetensors":
        return content.read_bytes()
    with content.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return file.read(min(size, 100_000_000))
