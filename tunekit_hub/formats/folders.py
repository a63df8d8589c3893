"""What a folder holds: text files by label, or files of rows with `train` and `test` in their names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tunekit_hub.errors import DataError
from tunekit_hub.formats.label_folders import labels_in
from tunekit_hub.formats.label_folders import read_labelled as read_labelled
from tunekit_hub.formats.parts import Part, Parts, candidates, choose, part_of
from tunekit_hub.profiles.notes import note
from tunekit_hub.records import Note
from tunekit_hub.text import quote

_DEPTH = 3
_SHOWN = 5


def by_label(folder: Path) -> dict[Part, tuple[Path, dict[str, list[Path]]]]:
    """The parts of a folder of text files by label: "train", and "test" if there is one; else empty."""
    inside = {path: part_of(path.name) for path in sorted(folder.iterdir()) if path.is_dir()}
    parts = {part: (path, labels) for path, part in inside.items() if part and (labels := labels_in(path))}
    if "train" in parts:
        if "test" not in parts and "validation" in parts:
            parts["test"] = parts["validation"]
        return {part: parts[part] for part in ("train", "test") if part in parts}
    labels = labels_in(folder)
    if len(labels) < 2 or all(part_of(label) for label in labels):
        return {}
    return {"train": (folder, labels)}


def by_name(folder: Path) -> Parts:
    """The files to use of a folder.

    Raises:
        DataError: There are none, or it is not clear which.
    """
    paths = [path.relative_to(folder).as_posix() for path in _files(folder)]
    found = candidates(paths)
    if not found:
        texts = sum(path.endswith(".txt") for path in paths)
        if texts:
            raise DataError(
                f"`{folder}` has {texts:,} text files and no labels",
                "put them into a folder for each label, named for it: `LABEL/*.txt`",
            )
        hint = "give a file of rows, a folder with `train.*` and `test.*`, or a folder of `LABEL/*.txt`"
        raise DataError(f"`{folder}` is a folder without a file of rows", hint)
    return choose(found, f"`{folder}`")


def told(chosen: Parts) -> list[Note]:
    """Which files are used, if that was a choice."""
    if not chosen.test and not chosen.ignored:
        return []
    message = f"{_some(chosen.train)} to train on"
    if chosen.test:
        message += f", {_some(chosen.test)} to test on"
        message += " (meant for validation; there is no test file)" if chosen.stand_in else ""
    if chosen.ignored:
        message += f"; not used: {_some(chosen.ignored)}"
    return [note("files", message, [])]


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{quote(names[:_SHOWN])}{more}"


def _files(folder: Path, depth: int = 1) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_file():
            yield path
        elif path.is_dir() and depth < _DEPTH and not path.name.startswith("."):
            yield from _files(path, depth + 1)
