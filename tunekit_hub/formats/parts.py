"""Which files of a folder or repository are trained on, and which are tested on: by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from tunekit_hub.errors import DataError
from tunekit_hub.formats.suffixes import SUFFIXES, suffix_of
from tunekit_hub.text import quote

Part = Literal["train", "validation", "test"]
_WORDS: dict[Part, tuple[str, ...]] = {
    "train": ("train", "training", "trainset"),
    "validation": ("validation", "valid", "val", "devel", "development", "dev"),
    "test": ("test", "testing", "testset", "eval", "evaluation"),
}
_FORMATS = ("parquet", "jsonl", "json", "csv", "tsv", "conll")  # where the same rows lie there twice
_SHOWN = 5
# Repositories have files beside their rows.
_NOT_ROWS = re.compile(
    r"(readme|license|licence|changelog|requirements|dataset_infos?|.*\.(md|py|ya?ml|toml|ipynb))(\..*)?"
)


@dataclass(frozen=True)
class Parts:
    """The files to use, by their paths in the folder."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    stand_in: bool  # the test rows are those meant for validation, because there are no others
    ignored: tuple[str, ...]


def part_of(path: str) -> Part | None:
    """The part of the data that a path names; its last piece that names one decides."""
    for piece in reversed(PurePosixPath(path.lower()).parts):
        found = [part for part, words in _WORDS.items() if _names(piece, words)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _names(piece: str, words: Iterable[str]) -> bool:
    return any(re.search(rf"(?<![a-z]){word}(?![a-z])", piece) for word in words)


def candidates(paths: Iterable[str]) -> list[str]:
    """The paths that may hold rows: those that end like it, and others that name a part of the data."""
    found = []
    for path in sorted(paths):
        pure = PurePosixPath(path)
        if any(piece.startswith((".", "__")) for piece in pure.parts) or _NOT_ROWS.fullmatch(pure.name.lower()):
            continue
        if suffix_of(pure) in SUFFIXES or part_of(pure.name):
            found.append(path)
    return found


def choose(paths: Sequence[str], where: str) -> Parts:
    """Which of these files to use.

    Args:
        paths: Of files that may hold rows.
        where: What they lie in, for messages.

    Raises:
        DataError: It is not clear which file is meant.
    """
    by_part: dict[Part | None, list[str]] = {}
    for path in paths:
        by_part.setdefault(part_of(path), []).append(path)
    train = by_part.get("train") or by_part.get(None, [])
    if not train:
        some = f"only {_some(paths)}" if paths else "no file of rows"
        raise DataError(f"{where} has {some}, and nothing to train on", "name the file to train on")
    held = by_part.get("test") or by_part.get("validation", [])
    used_train = _one(train, where, "train on")
    used_test = _one(held, where, "test on") if held else []
    ignored = [path for path in paths if path not in used_train and path not in used_test]
    return Parts(tuple(used_train), tuple(used_test), bool(held) and "test" not in by_part, tuple(ignored))


def _one(paths: list[str], where: str, purpose: str) -> list[str]:
    """One file, or the numbered pieces of one."""
    series: dict[str, list[str]] = {}
    for path in paths:
        series.setdefault(re.sub(r"\d+", "0", path), []).append(path)
    if len(series) > 1:
        series = _preferred(series)
    if len(series) > 1:
        raise DataError(
            f"{where} has {len(paths)} files to {purpose}: {_some(paths)}; it is not clear which is meant",
            "name one of them",
        )
    return next(iter(series.values()))


def _preferred(series: dict[str, list[str]]) -> dict[str, list[str]]:
    """The same file in several formats is one: the one that keeps types best."""
    stems = {pattern.removesuffix(".gz").rsplit(".", 1)[0] for pattern in series}
    if len(stems) > 1:
        return series

    def rank(pattern: str) -> int:
        name = SUFFIXES.get(suffix_of(PurePosixPath(pattern)), "")
        return _FORMATS.index(name) if name in _FORMATS else len(_FORMATS)

    best = min(series, key=rank)
    return {best: series[best]}


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return f"{quote(paths[:_SHOWN])}{more}"
