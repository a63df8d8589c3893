"""Files that are no text: what they are, and what to do with them instead."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tunekit_hub.errors import DataError
from tunekit_hub.text import quote

_UNPACK = "unpack it, and give the file or the folder that is inside"
_SHEET = "save the sheet as CSV and give that"
_PARQUET = "write it as Parquet or JSONL and give that"
_PICKLE = (
    "a pickle may run code when it is opened, so it never is; write it as Parquet: `df.to_parquet('rows.parquet')`"
)
_TEXT = "give the text itself: a folder of `.txt` files by label, or a table with a text column"
_DOCBIN = "write its documents as JSONL: one object with `text` and `spans` a line"
# What a file begins with → what it is, what to do.
_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", _SHEET),
    (b"%PDF", "a PDF", _TEXT),
    (b"\x89PNG", "a PNG picture", _TEXT),
    (b"\xff\xd8\xff", "a JPEG picture", _TEXT),
    (b"GIF8", "a GIF picture", _TEXT),
    (b"SQLite format 3", "an SQLite database", "export the table as CSV and give that"),
    (b"ARROW1", "an Arrow file", _PARQUET),
    (b"\x93NUMPY", "a NumPy array", _PARQUET),
    (b"\x89HDF", "an HDF5 file", _PARQUET),
    (b"ORC", "an ORC file", _PARQUET),
    (b"Obj\x01", "an Avro file", _PARQUET),
    (b"BZh", "packed with bzip2", _UNPACK),
    (b"\xfd7zXZ", "packed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "packed with Zstandard", _UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", _UNPACK),
    (b"Rar!", "a RAR archive", _UNPACK),
    (b"\x7fELF", "a program", "give a file of rows"),
)
_NAMES: dict[str, tuple[str, str]] = {
    ".spacy": ("a spaCy DocBin", _DOCBIN),
    ".pkl": ("a pickle", _PICKLE),
    ".pickle": ("a pickle", _PICKLE),
    ".pt": ("a PyTorch file", _PICKLE),
    ".xlsx": ("an Excel file", _SHEET),
    ".xls": ("an Excel file", _SHEET),
    ".arrow": ("an Arrow file", _PARQUET),
}


def refuse_binary(path: Path, start: bytes) -> None:
    """Raises what this file is, if its first bytes say that it is no text.

    Raises:
        DataError: It is a picture, an archive, a pickle, …
    """
    what = _zip(path) if start.startswith(b"PK\x03\x04") else _known(start)
    if what is None and b"\0" in start[:1024]:
        what = _NAMES.get(path.suffix.lower())
    if what is None and path.suffix.lower() == ".spacy":
        what = _NAMES[".spacy"]
    if what is not None:
        raise DataError(f"`{path.name}` is {what[0]}, not a file of rows", what[1])


def _known(start: bytes) -> tuple[str, str] | None:
    for magic, what, hint in _MAGIC:
        # Words such as `ORC` also begin texts; what they mark is followed by bytes that no text has.
        if start.startswith(magic) and (not magic.isalnum() or _no_text(start)):
            return what, hint
    if start[257:262] == b"ustar":
        return "a tar archive", _UNPACK
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        return "a pickle", _PICKLE
    return None


def _no_text(start: bytes) -> bool:
    return len(start[:256].translate(None, bytes(range(9)))) < len(start[:256])


def _zip(path: Path) -> tuple[str, str]:
    """Office documents, saved models and real archives are all zip files."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return "a damaged zip archive", "fetch it again, and unpack it"
    if any(name.startswith("xl/") for name in names):
        return _NAMES[".xlsx"]
    if any(name.startswith("word/") for name in names):
        return "a Word document", _TEXT
    if any(name.endswith("data.pkl") for name in names):
        return _NAMES[".pt"]
    return f"a zip archive of {quote(names[:3])}{' and more' if len(names) > 3 else ''}", _UNPACK
