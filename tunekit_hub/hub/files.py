"""Files of a repository on this machine: fetched, tried again after outages, and held against their hashes.

The client retries the questions before a download, and a body that breaks off; not a 5xx answer to the download,
and it looks at no more than the size of what arrived. Its cache names each file by the hash that the Hub gave:
the sha256 of a large file, git's SHA-1 of any other. Where the disk knows no links there are no such names, and
only the size is looked at.
"""

from __future__ import annotations

import glob
import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from tunekit_hub.hub.connection import Connection  # isort: skip, it sets the client's environment

from huggingface_hub import constants

from tunekit_hub.hub.errors import Damaged

Kind = Literal["model", "dataset"]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_BLOCK = 1 << 20


def snapshot(
    hub: Connection, repo_id: str, revision: str, names: Sequence[str], *, cache: Path, kind: Kind = "model"
) -> Path:
    """The folder of a commit, with these files in it, whole.

    Args:
        hub: Where they are.
        repo_id: The repository.
        revision: A commit, or a ref.
        names: Paths of the files.
        cache: Where they are kept.
        kind: Of the repository.

    Raises:
        HubUnreachable: The Hub gave no answer, or what arrived is not what it holds.
        HubError: It refused.
    """
    options: Any = {"repo_type": kind, "revision": revision, "cache_dir": cache}

    def fetch() -> Path:
        found = hub._api.snapshot_download(
            repo_id, allow_patterns=[glob.escape(name) for name in names], **options
        )
        _check([Path(found) / name for name in names], Path(found))
        return Path(found)

    return hub._call(f"fetching {'the dataset ' * (kind == 'dataset')}`{repo_id}`", fetch)


def one(hub: Connection, repo_id: str, name: str, revision: str | None, *, cache: Path) -> Path:
    """One file of a model, whole; raises what the client raises, and `Damaged`."""

    def fetch() -> Path:
        path = Path(hub._api.hf_hub_download(repo_id, name, revision=revision, cache_dir=cache))
        _check([path], path.parent)
        return path

    return hub._retried(fetch)


def _check(paths: Sequence[Path], folder: Path) -> None:
    """Forget what is damaged, and say so."""
    bad = [path for path in paths if not _whole(path)]
    for path in bad:
        path.resolve().unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    if bad:
        raise Damaged(", ".join(f"`{path.relative_to(folder).as_posix()}`" for path in bad))


def _whole(path: Path) -> bool:
    """Whether a file has the hash that its blob is named by."""
    if not path.is_file():  # after an outage the client may hand out a folder that was not filled
        return False
    blob = path.resolve()
    if not path.is_symlink() or not (_SHA256.fullmatch(blob.name) or _SHA1.fullmatch(blob.name)):
        return True
    note, found = _note(blob), blob.stat()
    state = f"{found.st_size} {found.st_mtime_ns}"
    with suppress(OSError):
        if note.read_text(encoding="ascii") == state:
            return True
    if blob.name not in _hashes(blob, found.st_size):
        return False
    with suppress(OSError):  # a disk that takes no notes costs hashing again, and nothing else
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(state, encoding="ascii")
    return True


def _hashes(blob: Path, size: int) -> set[str]:
    """The names that a blob may have: by its sha256, or by git's SHA-1, for which mirrors write the plain one."""
    if _SHA256.fullmatch(blob.name):
        kinds = [hashlib.sha256()]
    else:
        kinds = [hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False), hashlib.sha1(usedforsecurity=False)]
    with blob.open("rb") as file:
        while block := file.read(_BLOCK):
            for kind in kinds:
                kind.update(block)
    return {kind.hexdigest() for kind in kinds}


def _note(blob: Path) -> Path:
    """Where it is noted that a blob was found whole, so that many gigabytes are hashed once."""
    return Path(constants.HF_HUB_CACHE).parent / "tunekit" / "whole" / blob.name
