"""Any source → Arrow tables that know their line numbers: a file, a folder or a Hub dataset.

What cannot be read is said with the line it stands on.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from tunekit_hub import dataset_ids, formats
from tunekit_hub.errors import DataError, HubUnreachable, RepoNotFound
from tunekit_hub.formats import folders
from tunekit_hub.formats.parquet import named_labels
from tunekit_hub.formats.raw import Parsed
from tunekit_hub.formats.table import join
from tunekit_hub.records import DataRef, Note
from tunekit_hub.text import quote

if TYPE_CHECKING:
    from tunekit_hub.hub import Hub
    from tunekit_hub.hub.datasets import Fetched


@dataclass(frozen=True)
class Rows:
    """A table, the line each row came from, and what was noticed while it was read."""

    table: pa.Table
    # The file's line for CSV, TSV, JSONL and token files; otherwise, and where rows come from several files, the
    # row's number, from 1. A range or a NumPy array.
    lines: Sequence[int]
    ref: DataRef
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Sources:
    """The rows to train on, and those to test on where the user or the dataset has set some apart."""

    train: Rows
    test: Rows | None = None


def read(source: str | Path, columns: Collection[str] = ()) -> Rows:
    """Read a file of rows.

    The format follows from what is in the file, and from its name where that leaves a choice.

    Args:
        source: The file.
        columns: Columns that the user has named. Whether the first line of a CSV or TSV file is a header follows
            from its content; a column named by its place (`column_2`) asks for the reading without one.

    Raises:
        DataError: The file is missing, empty or broken; the message names the lines.
    """
    path = Path(source).expanduser()
    _check_is_file(path)
    return _read_files([path], str(source), columns)


def open_source(
    source: str | Path,
    *,
    test_file: str | Path | None = None,
    hub: Hub | None = None,
    revision: str | None = None,
    columns: Collection[str] = (),
) -> Sources:
    """Open a file, a folder or a Hub dataset.

    Folders are `LABEL/*.txt`, `train/LABEL/*.txt` with `test/LABEL/*.txt`, or files with `train` and `test` in
    their names. The rows to test on of a folder or dataset have the same `ref.source` as those to train on.

    Args:
        source: A path, or a dataset as `dataset_ids.py` spells it: `owner/name[:config][@revision]`.
        test_file: Rows to test on, instead of those that the source itself has; a path or a dataset.
        hub: Where datasets come from; left out, the Hub of the environment, with its token.
        revision: The commit of the dataset; left out, that of the id, else the newest.
        columns: As of `read`.

    Raises:
        DataError: Something cannot be read, or it is not clear which file is meant.
        HubError: The dataset is missing, gated, or the Hub cannot be reached.
    """
    opened = _open(str(source), hub, revision, columns)
    if test_file is None:
        return opened
    if str(test_file) == str(source):
        if opened.test is None:
            raise DataError(f"`{source}` is both trained and tested on", "give a test file of other rows, or none")
        return opened
    other = _open(str(test_file), hub, None, columns or opened.train.table.column_names)
    test = other.test or other.train
    return Sources(opened.train, replace(test, ref=test.ref.but(source=str(test_file))))


def sample(n: int, max_rows: int | None) -> list[int]:
    """Indices of at most `max_rows` of `n` rows, evenly spaced; the same ones every time."""
    if max_rows is None or max_rows >= n:
        return list(range(n))
    return [i * n // max_rows for i in range(max_rows)]


def _open(source: str, hub: Hub | None, revision: str | None, columns: Collection[str]) -> Sources:
    dataset = dataset_ids.parse(source)
    if dataset is not None and not _near(Path(source)):
        return _open_dataset(source, dataset._replace(revision=revision or dataset.revision), hub, columns)
    path = Path(source).expanduser()
    if not path.is_dir():
        return Sources(read(source, columns))
    labelled = folders.by_label(path)
    if labelled:
        read_parts = {part: folders.read_labelled(folder, labels) for part, (folder, labels) in labelled.items()}
        rows = {
            part: Rows(found.table, found.lines, DataRef(source=source, format="folder", sha256=sha), found.notes)
            for part, (found, sha) in read_parts.items()
        }
        return Sources(rows["train"], rows.get("test"))
    chosen = folders.by_name(path)
    return _open_parts(path, chosen, source, columns)


def _open_parts(
    folder: Path,
    chosen: folders.Parts,
    source: str,
    columns: Collection[str],
    found: Fetched | None = None,
) -> Sources:
    """The rows of files that were chosen; of a Hub dataset, its numbered labels named."""
    origin = {"revision": found.commit, "repo_id": found.repo_id, "public": found.public} if found else {}

    def rows(files: Sequence[str], wanted: Collection[str]) -> Rows:
        read = _read_files([folder / file for file in files], source, wanted)
        table = named_labels(read.table, found.label_names if found else {})
        return replace(read, table=table, ref=read.ref.but(**origin))

    train = rows(chosen.train, columns)
    told = folders.told(chosen)
    test = rows(chosen.test, columns or train.table.column_names) if chosen.test else None
    return Sources(replace(train, notes=(*told, *train.notes)), test)


def _open_dataset(
    source: str, dataset: dataset_ids.DatasetId, hub: Hub | None, columns: Collection[str]
) -> Sources:
    from tunekit_hub.hub import datasets as hub_datasets

    try:
        found = hub_datasets.fetch(hub or hub_datasets.default_hub(), dataset)
    except RepoNotFound as error:
        message = f"`{source}` is no file or folder here, and no dataset: {error.message}"
        raise RepoNotFound(message, f"check the path; or {error.hint}") from None
    except HubUnreachable as error:
        message = f"`{source}` is no file or folder here, so the Hub was asked for it: {error.message}"
        raise HubUnreachable(message, error.hint) from None
    return _open_parts(found.folder, found.parts, source, columns, found)


def _read_files(paths: Sequence[Path], source: str, columns: Collection[str]) -> Rows:
    """The rows of a file, or of several that are pieces of one."""
    if len(paths) == 1:
        name, found = formats.load(paths[0], tuple(columns))
        sha = _digest(paths[0])
    else:
        parts = [formats.load(path, tuple(columns)) for path in paths]
        name = parts[0][0]
        table = join([part.table for _, part in parts])
        notes = [
            note.but(message=f"`{path.name}`: {note.message}")
            for path, (_, part) in zip(paths, parts, strict=True)
            for note in part.notes
        ]
        found = Parsed(table, range(1, table.num_rows + 1), tuple(notes))
        sha = hashlib.sha256("".join(f"{_digest(path)}\n" for path in paths).encode()).hexdigest()
    if not found.table.num_rows:
        raise DataError(f"`{paths[0].name}` has no rows", "give a file with at least one row")
    return Rows(found.table, found.lines, DataRef(source=source, format=name, sha256=sha), found.notes)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _near(path: Path) -> list[str]:
    """Names beside this missing path that are much like it."""
    if not path.parent.is_dir() or path.parent == Path():
        return []
    return difflib.get_close_matches(path.name, [other.name for other in path.parent.iterdir()], n=3, cutoff=0.5)


def _check_is_file(path: Path) -> None:
    if path.is_file():
        if path.stat().st_size:
            return
        raise DataError(f"`{path}` is empty", "give a file with at least one row")
    if path.is_dir():
        inside = sorted(p.name for p in path.iterdir() if formats.suffix_of(p) in formats.SUFFIXES)
        hint = f"name one file in it: {quote(inside[:5])}" if inside else f"give a file: {formats.ACCEPTED}"
        raise DataError(f"`{path}` is a folder, not a file of rows", hint)
    if path.exists():
        raise DataError(f"`{path}` is no regular file", "save its content in a file and give that")
    folder = path.parent
    if not folder.is_dir():
        raise DataError(f"`{path}` does not exist, nor does the folder `{folder}`", "check the path")
    near = difflib.get_close_matches(path.name, [p.name for p in folder.iterdir()], n=3, cutoff=0.5)
    hint = f"did you mean {quote(near)}?" if near else f"check the path; rows are read from {formats.ACCEPTED}"
    raise DataError(f"`{path}` does not exist", hint)
