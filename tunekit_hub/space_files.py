"""What a Space of one's own consists of: its pages, this package, and what both need.

The package goes along unpacked. A wheel beside `requirements.txt` could not be installed: the Hub's build sees
that one file alone, and an address would need a token where the Space is private.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from email import message_from_bytes
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path, PurePosixPath

from tunekit_hub.errors import MissingExtra, RunError
from tunekit_hub.version import __version__

PACKAGE = Path(__file__).parent
_NAME, _REQUIREMENTS = "tunekit-hub", "requirements.txt"
_OWN = re.compile(r"^tunekit-hub\b.*$", re.MULTILINE)
_EXTRAS = ("space", "train")
_LINUX = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}  # what Spaces run on


def folder() -> Path:
    """The folder with `app.py`: in an installed package inside it, in a checkout `spaces/`.

    Raises:
        RunError: there is none.
    """
    for place in (PACKAGE / "_spaces", PACKAGE.parent / "spaces"):
        if (place / "app.py").is_file():
            return place
    raise RunError("the pages of the Space are not there", "install the package again: `pip install tunekit-hub`")


def files(*, released: bool = False) -> dict[str, bytes]:
    """Path in the Space's repository → content.

    Args:
        released: this version is on PyPI, so it is named and not carried.

    Raises:
        MissingExtra: a checkout is packed with hatchling, which is not installed.
        RunError: it cannot be packed.
    """
    pages = _pages(folder())
    given = pages[_REQUIREMENTS].decode()
    if released:
        named = f"{_NAME}[{','.join(_EXTRAS)}]=={__version__}"
        return pages | {_REQUIREMENTS: _OWN.sub(named, given).encode()}
    package = _packed() if (PACKAGE.parent / "pyproject.toml").is_file() else _installed()
    about = next(content for name, content in package.items() if name.endswith(".dist-info/METADATA"))
    needed = _needed(message_from_bytes(about).get_all("Requires-Dist") or (), given)
    return package | pages | {_REQUIREMENTS: _OWN.sub("\n".join(needed), given).encode()}


def _pages(place: Path) -> dict[str, bytes]:
    found = (path for path in sorted(place.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in found}


def _kept(name: str) -> bool:
    """The package and what is known about it; the pages stand beside it already."""
    parts = PurePosixPath(name).parts
    inside = parts[0] == "tunekit_hub" and parts[1] != "_spaces" and not name.endswith(".pyc")
    return inside or (len(parts) == 2 and parts[0].endswith(".dist-info") and parts[1] == "METADATA")


def _packed() -> dict[str, bytes]:
    """The files of a wheel, made from this checkout; the same bytes each time."""
    if find_spec("hatchling") is None:
        raise MissingExtra("packing a checkout for the Space needs hatchling", "pip install hatchling")
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", out]
        done = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
        wheel = next(Path(out).glob("*.whl"), None)
        if done.returncode or wheel is None:
            said = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise RunError(f"the package cannot be packed: {' '.join(said)}", "run `python -m hatchling build`")
        with zipfile.ZipFile(wheel) as packed:
            return {name: packed.read(name) for name in sorted(packed.namelist()) if _kept(name)}


def _installed() -> dict[str, bytes]:
    """The files of this package as it was installed."""
    listed = metadata.distribution(_NAME).files or []
    paths = {path.as_posix(): Path(str(path.locate())) for path in listed if ".." not in path.parts}
    return {name: path.read_bytes() for name, path in sorted(paths.items()) if _kept(name) and path.is_file()}


def _needed(requires: Iterable[str], given: str) -> list[str]:
    """What the package needs on a Space, a line each; what `given` names already stays as it stands there."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lines = [line.split("#")[0].strip() for line in given.splitlines()]
    known = {canonicalize_name(Requirement(line).name) for line in lines if line}
    found = []
    for one in map(Requirement, requires):
        environments: list[Mapping[str, str]] = [_LINUX | {"extra": extra} for extra in _EXTRAS]
        if one.marker is not None and not any(one.marker.evaluate(dict(where)) for where in environments):
            continue
        if canonicalize_name(one.name) not in known:
            extras = f"[{','.join(sorted(one.extras))}]" if one.extras else ""
            found.append(f"{one.name}{extras}{one.specifier}")
    return sorted(set(found))
