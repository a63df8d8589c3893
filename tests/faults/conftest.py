"""One world for all cells of a process; what takes a training is made once for all processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import filelock
import pytest


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `fault_world.make` makes."""
    from fault_world import make

    base = tmp_path_factory.getbasetemp()
    base = base.parent if "popen-gw" in base.name else base  # of pytest-xdist's processes
    folder = base / "trained-for-faults"
    with filelock.FileLock(base / "trained-for-faults.lock"):
        if not (folder / "whole").exists():
            folder.mkdir()
            make(folder)
            (folder / "whole").touch()
    return folder


@pytest.fixture(scope="session")
def world(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    from fault_world import standing_world

    with standing_world(trained, tmp_path_factory.mktemp("faults")) as world:
        yield world


@pytest.fixture(scope="session")
def calls(world: object) -> Callable[[str], list[object]]:
    """`calls(scene)`: the calls that a scene makes, recorded once."""
    from fault_cells import record

    known: dict[str, list[object]] = {}

    def calls(name: str) -> list[object]:
        if name not in known:
            known[name] = record(world, name)
        return known[name]

    return calls
