"""Datasets of the Hub: which files of a repository are trained and tested on, fetched at one commit.

The card's `configs` decide where there are some, else the names of the files. Scripts are never run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunekit_hub.hub import Hub  # isort: skip, it sets the client's environment

import yaml
from huggingface_hub import constants

from tunekit_hub.dataset_ids import DatasetId
from tunekit_hub.errors import DataError, HubUnreachable
from tunekit_hub.formats.parts import Parts, candidates, choose, part_of
from tunekit_hub.hub import files as hub_files
from tunekit_hub.hub import login as hub_login
from tunekit_hub.hub.connection import TIMEOUT
from tunekit_hub.text import quote

_CARD = "README.md"
_CONVERTED = "refs/convert/parquet"
_GLOBS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_PIECES = r"\*\*/|\*\*|\*|\?|[^*?]+"


@dataclass(frozen=True)
class Fetched:
    """The files of a dataset on this machine."""

    folder: Path
    parts: Parts
    repo_id: str
    commit: str
    public: bool  # False where it is not known, as offline
    label_names: Mapping[str, Sequence[str]]  # column → what its numbers stand for, as the card says
    license: tuple[str, ...]  # declared ids


def default_hub() -> Hub:
    """The Hub of the environment."""
    return Hub()


def fetch(hub: Hub, dataset: DatasetId) -> Fetched:
    """The files of a dataset to train and test on, from the cache of that Hub.

    Raises:
        DataError: It has no files of rows, or it is not clear which are meant.
        HubError: It is missing or gated, or the Hub cannot be reached.
    """
    repo, commit, public, files = _listing(hub, dataset)
    name = f"the dataset `{repo}`"
    card = _front_matter(_download(hub, repo, commit, [_CARD]) / _CARD) if _CARD in files else {}
    parts = _choose(files, card, dataset, name)
    folder = _download(hub, repo, commit, [*parts.train, *parts.test])
    licenses = card.get("license")
    licenses = licenses if isinstance(licenses, list) else [licenses]
    return Fetched(
        folder,
        parts,
        repo,
        commit,
        public,
        _label_names(card, dataset.config),
        tuple(entry for entry in licenses if isinstance(entry, str)),
    )


def _listing(hub: Hub, dataset: DatasetId) -> tuple[str, str, bool, list[str]]:
    """The dataset's id as the Hub spells it, the commit, whether it is public, and all its files.

    Offline, the files that were fetched.
    """
    what = f"reading the files of the dataset `{dataset.repo}`"
    if constants.HF_HUB_OFFLINE:
        folder = _cached(hub, dataset)
        if folder is None:
            hint = "unset `HF_HUB_OFFLINE` to fetch it"
            raise HubUnreachable(f"{what} failed: it is not on this machine, and offline mode is on", hint)
        inside = (path for path in folder.rglob("*") if path.is_file())
        return dataset.repo, folder.name, False, sorted(path.relative_to(folder).as_posix() for path in inside)
    info = hub._call(what, lambda: hub._api.dataset_info(dataset.repo, revision=dataset.revision, timeout=TIMEOUT))
    public = info.private is False and not info.disabled
    return info.id, str(info.sha), public, sorted(file.rfilename for file in info.siblings or ())


def _cached(hub: Hub, dataset: DatasetId) -> Path | None:
    """The folder of the commit that is meant, else of the one that was fetched last."""
    base = hub_login.cache_dir(hub.endpoint) / f"datasets--{dataset.repo.replace('/', '--')}" / "snapshots"
    commits = sorted(base.iterdir(), key=lambda path: path.stat().st_mtime) if base.is_dir() else []
    if dataset.revision and re.fullmatch("[0-9a-f]{40}", dataset.revision):
        commits = [path for path in commits if path.name == dataset.revision]
    return commits[-1] if commits else None


def _download(hub: Hub, repo: str, commit: str, files: Sequence[str]) -> Path:
    """The folder of that commit, with these files in it."""
    cache = hub_login.cache_dir(hub.endpoint)
    return hub_files.snapshot(hub, repo, commit, files, cache=cache, kind="dataset")


def _choose(files: Sequence[str], card: Mapping[str, Any], dataset: DatasetId, name: str) -> Parts:
    """The files to use: as the id says, else as the card says, else by their names."""
    rows = candidates(files)
    if dataset.path is not None:
        inside = [file for file in files if file == dataset.path] or _under(rows, dataset.path)
        if not inside:
            raise DataError(f"{name} has no file `{dataset.path}`", f"its files of rows are {quote(rows[:10])}")
        return Parts(tuple(inside), (), False, ()) if inside == [dataset.path] else _by_name(inside, name, dataset)
    configs = [entry for entry in _dicts(card.get("configs")) if "data_files" in entry or "data_dir" in entry]
    if configs and dataset.revision != _CONVERTED:
        return _by_config(_config(configs, dataset.config, name), rows, name, dataset)
    if dataset.config:
        inside = _under(rows, dataset.config)
        if not inside:
            folders = sorted({file.split("/")[0] for file in rows if "/" in file})
            raise DataError(f"{name} has no part `{dataset.config}`", f"its folders are {quote(folders)}")
        return _by_name(inside, name, dataset)
    if not rows:
        scripts = [file for file in files if file.endswith(".py")]
        found = f"only the script {quote(scripts[:1])}, and scripts are not run" if scripts else "no file of rows"
        hint = f"try its converted files: `{dataset.repo}@{_CONVERTED}`"
        raise DataError(f"{name} has {found}", hint)
    return _by_name(rows, name, dataset)


def _by_name(files: Sequence[str], name: str, dataset: DatasetId) -> Parts:
    try:
        return choose(files, name)
    except DataError as error:
        hint = f"name one: `hf://datasets/{dataset.repo}/PATH`, or a folder of it: `{dataset.repo}:FOLDER`"
        raise DataError(error.message, hint) from None


def _config(configs: Sequence[Mapping[str, Any]], wanted: str | None, name: str) -> Mapping[str, Any]:
    """The configuration that is asked for, else the default, else the only one."""
    named = {str(entry.get("config_name", "default")): entry for entry in configs}
    if wanted in named:
        return named[wanted]
    marked = [entry for entry in configs if entry.get("default") is True]
    if wanted is None and (marked or "default" in named or len(named) == 1):
        return marked[0] if marked else named.get("default", next(iter(named.values())))
    found = (
        f"has no configuration `{wanted}`"
        if wanted
        else f"has {len(named)} configurations, and none is the default"
    )
    shown = f"{quote(list(named)[:10])}{', …' if len(named) > 10 else ''}"
    raise DataError(f"{name} {found}", f"say which: `owner/name:CONFIG`, with one of {shown}")


def _by_config(config: Mapping[str, Any], rows: Sequence[str], name: str, dataset: DatasetId) -> Parts:
    """The files of a configuration, split by split."""
    folder = str(config.get("data_dir") or "").strip("./")
    inside = _under(rows, folder) if folder else list(rows)
    declared = config.get("data_files")
    if isinstance(declared, Mapping):
        declared = [{"split": split, "path": path} for split, path in declared.items()]
    splits = {
        str(entry.get("split", "train")): _matching(inside, entry.get("path"), folder)
        for entry in _dicts(declared)
    }
    if not splits:
        return _by_name(_matching(inside, declared, folder) if declared else inside, name, dataset)
    by_part = {part_of(split): files for split, files in reversed(splits.items()) if files}
    train = by_part.get("train") or (next(iter(by_part.values())) if len(by_part) == 1 else [])
    if not train:
        found = f"the splits {quote(splits)}" if by_part else "no file for the splits that its card names"
        hint = f"name a file to train on: `hf://datasets/{dataset.repo}/PATH`"
        raise DataError(f"{name} has {found}, and none to train on", hint)
    test = by_part.get("test") or by_part.get("validation") or []
    test = [] if test == train else test
    ignored = [file for files in splits.values() for file in files if file not in train and file not in test]
    return Parts(tuple(train), tuple(test), bool(test) and "test" not in by_part, tuple(ignored))


def _matching(files: Sequence[str], patterns: Any, folder: str) -> list[str]:
    """The files that the card's patterns mean; `**` crosses folders, `*` does not."""
    found: list[str] = []
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        spelled = "/".join(filter(None, (folder, str(pattern).removeprefix("./"))))
        regex = "".join(_GLOBS.get(piece) or re.escape(piece) for piece in re.findall(_PIECES, spelled))
        found += [file for file in files if re.fullmatch(regex, file) and file not in found]
    return found


def _under(files: Sequence[str], folder: str) -> list[str]:
    return [file for file in files if file.startswith(f"{folder.rstrip('/')}/")]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _front_matter(path: Path) -> dict[str, Any]:
    """The YAML on top of a card; empty where it has none that can be read."""
    found = re.match(r"\ufeff?---\s*\n(.*?)\n---", path.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    try:
        card = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        return {}
    return card if isinstance(card, dict) else {}


def _label_names(card: Mapping[str, Any], config: str | None) -> dict[str, list[str]]:
    """Column → names of its labels, as the card's `dataset_info` has them."""
    infos = card.get("dataset_info")
    infos = [infos] if isinstance(infos, dict) else _dicts(infos)
    own = [info for info in infos if config and info.get("config_name") == config] or infos
    features = _dicts(own[0].get("features")) if own else []
    found = {str(feature.get("name")): _class_names(feature) for feature in features}
    return {column: names for column, names in found.items() if names}


def _class_names(feature: Any) -> list[str]:
    if not isinstance(feature, Mapping):
        return []
    label = feature.get("class_label")
    names = label.get("names") if isinstance(label, Mapping) else None
    if names:
        return [str(name) for name in (names.values() if isinstance(names, Mapping) else names)]
    inner = (feature.get(key) for key in ("dtype", "sequence", "list", "feature"))
    return next((found for found in map(_class_names, inner) if found), [])
