"""Writing that a full disk or a folder without write permission ends in plain words."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tunekit_hub.errors import StorageError, TunekitError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_SAID = ("no space left", "disk quota", "filewriter failed", "streamwriter failed")  # torch, safetensors
_CLOSED_SAID = ("read-only file system", "permission denied")


@contextmanager
def writing(folder: str | Path, then: str = "") -> Generator[None]:
    """What fails in here because `folder` takes no more raises a StorageError; anything else goes through.

    Args:
        folder: what is written to.
        then: what to do once there is room, to be said after how to make it.
    """
    try:
        yield
    except (OSError, RuntimeError, ValueError) as error:
        found = _explain(error, folder, then)
        if found is None:
            raise
        raise found from error
    except Exception as error:  # safetensors has an exception of its own, which is none of these
        found = _explain(error, folder, then) if type(error).__name__ == "SafetensorError" else None
        if found is None:
            raise
        raise found from error


def _explain(error: Exception, folder: str | Path, then: str) -> StorageError | None:
    if isinstance(error, TunekitError):
        return None
    number = error.errno if isinstance(error, OSError) else None
    said = str(error).lower()
    if number in _FULL or (number is None and any(words in said for words in _FULL_SAID)):
        why, hint = "the disk is full", "free some space"
    elif _closed(error, number, said, Path(folder)):
        why, hint = "it cannot be written to", "give this user the right to write there"
    else:
        return None
    where = getattr(error, "filename", None) or folder
    return StorageError(f"`{where}` could not be written: {why}", f"{hint}{then and f'; then {then}'}")


def _closed(error: Exception, number: int | None, said: str, folder: Path) -> bool:
    """Whether writing is not allowed in `folder`; that a file elsewhere may not be read is another matter."""
    if number is None:
        return any(words in said for words in _CLOSED_SAID)
    name = getattr(error, "filename", None)
    inside = not isinstance(name, str | Path) or Path(name).absolute().is_relative_to(folder.absolute())
    return number == errno.EROFS or (number in (errno.EACCES, errno.EPERM) and inside)


@contextmanager
def replacing(folder: Path, then: str = "") -> Generator[Path]:
    """An empty folder to fill; it takes the place of `folder` once it is filled and on the disk."""
    half = folder.with_name(f".{folder.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    with writing(folder, then):
        half.mkdir(parents=True)
        yield half
        flush(half)
        if folder.exists():
            shutil.rmtree(folder)
        half.rename(folder)


def flush(folder: Path) -> None:
    """Wait until all files under `folder`, and their names, are on the disk."""
    for path in [*folder.rglob("*"), folder]:
        flush_one(path)


def flush_one(path: Path) -> None:
    """Wait until a file's content, or a folder's list of names, is on the disk."""
    if path.is_dir() and os.name != "posix":  # only there can a folder be opened
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
