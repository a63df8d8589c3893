"""A folder of text files by label: `DIR/LABEL/*.txt`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from tunekit_hub.errors import DataError
from tunekit_hub.formats.decoding import GZIP, look
from tunekit_hub.formats.raw import BATCH, Parsed, chunked
from tunekit_hub.profiles.notes import note
from tunekit_hub.records import Note
from tunekit_hub.text import quote

_WITHOUT_LABEL = frozenset(("unsup", "unlabeled", "unlabelled"))
_MARKED = (GZIP, b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def labels_in(folder: Path) -> dict[str, list[Path]]:
    """Label → its files, both in order; empty where the folder is not made that way.

    Files are those that end in `.txt`; where no file does, those without an ending or with a number for one.
    """
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    inside = {path.name: [file for file in sorted(path.iterdir()) if _is_text(file)] for path in folders}
    texts = any(file.suffix for files in inside.values() for file in files if not file.suffix[1:].isdigit())
    if texts:
        inside = {
            name: [file for file in files if file.suffix.lower() == ".txt"] for name, files in inside.items()
        }
    return {name: files for name, files in inside.items() if files}


def _is_text(path: Path) -> bool:
    plain = path.suffix.lower() in ("", ".txt") or path.suffix[1:].isdigit()
    return plain and path.is_file() and not path.name.startswith(".")


def read_labelled(folder: Path, labels: dict[str, list[Path]]) -> tuple[Parsed, str]:
    """A row for each file, with the columns `text` and `label`; and the SHA-256 of names and contents.

    Raises:
        DataError: There is only one label, or a file is no text.
    """
    unlabelled = [label for label in labels if label.lower() in _WITHOUT_LABEL]
    used = {label: files for label, files in labels.items() if label not in unlabelled}
    if len(used) < 2:
        message = f"`{folder}` has text files of one label only: {quote(used)}"
        raise DataError(message, "give the folder that holds a folder for each label")
    notes: list[Note] = []
    if unlabelled:
        count = sum(len(labels[label]) for label in unlabelled)
        notes.append(
            note(
                "files-left-out", f"{_files_in_words(count)} in {quote(unlabelled)} without a label: left out", []
            )
        )
    digest, odd = hashlib.sha256(), []
    texts: list[pa.Array] = []
    names: list[str] = []
    batch: list[str] = []
    for number, (label, file) in enumerate(_files(used), 1):
        raw = file.read_bytes()
        digest.update(f"{file.relative_to(folder).as_posix()}\0{len(raw)}\0".encode())
        digest.update(raw)
        text, plain = _text(file, raw)
        odd += [] if plain else [number]
        batch.append(text)
        names.append(label)
        if len(batch) == BATCH:
            texts.append(pa.array(batch, pa.string()))
            batch = []
    texts.append(pa.array(batch, pa.string()))
    if odd:
        message = f"{_files_in_words(len(odd))} not in UTF-8, read as Windows-1252"
        notes.append(note("encoding", message, odd))
    table = pa.table({"text": chunked(texts, pa.string()), "label": pa.array(names, pa.string())})
    return Parsed(table, range(1, table.num_rows + 1), tuple(notes)), digest.hexdigest()


def _files_in_words(count: int) -> str:
    return f"{count:,} {'file' if count == 1 else 'files'}"


def _files(labels: dict[str, list[Path]]) -> Iterator[tuple[str, Path]]:
    return ((label, file) for label, files in labels.items() for file in files)


def _text(file: Path, raw: bytes) -> tuple[str, bool]:
    """The text, and whether nothing had to be guessed."""
    try:
        if not raw.startswith(_MARKED) and b"\0" not in raw and b"\r" not in raw:
            return raw.decode("utf-8"), True
    except UnicodeDecodeError:
        pass
    text = look(file)
    return "".join(text.lines()), not text.notes
