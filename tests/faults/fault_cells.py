"""One cell of the matrix: a call, a fault, and whether all is well afterwards."""

from __future__ import annotations

import re
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from fault_proxy import Fault, Seen, Spot
from fault_scenes import SCENES, Ended, Scene
from fault_world import World

from tunekit_hub.hub.errors import LONGEST_WAIT

_BARE = re.compile(r"Traceback|HF_DEBUG=1|httpx|\b\w+Error\b(?!\))")


@dataclass(frozen=True)
class Cell:
    """What became of one command."""

    scene: str
    spot: str
    fault: str
    ended: str  # finished, error
    repo: str  # absent, empty, untouched, complete; - where nothing is published
    again: str  # how the second run ended; - where none was needed
    wrong: tuple[str, ...] = ()
    said: str = ""

    @property
    def name(self) -> str:
        return f"{self.scene}, {self.fault}, {self.spot}"

    def as_json(self) -> dict:
        return asdict(self)


def record(world: World, name: str) -> list[Seen]:
    """The calls that a scene makes, in order, where nothing goes wrong."""
    with tempfile.TemporaryDirectory() as folder:
        scene = SCENES[name](world, Path(folder))
        world.proxy.arm()
        ended = world.ends(scene)
        assert ended.finished, ended
        if scene.state() != "-":
            world.whole[name] = scene.files()
        assert not scene.wrong(True)
        return list(world.proxy.seen)


def cell(world: World, name: str, spot: Spot, fault: Fault) -> Cell:
    """Do it, look at what is left, and run the command that goes on."""
    with tempfile.TemporaryDirectory() as folder:
        scene = SCENES[name](world, Path(folder))
        world.proxy.arm(spot, fault)
        first = world.ends(scene, impatient=fault.waits)
        met = world.proxy.met
        world.proxy.arm()
        state = scene.state()
        wrong = _wrong(scene, first) + ([] if met else ["the call was not made"])
        again = "-"
        if not first.finished:
            second = world.ends(scene)
            again = "finished" if second.finished else "error"
            wrong += [f"second run: {said}" for said in _wrong(scene, second)]
            if not second.finished:
                wrong.append(f"the second run fails: {second.raised or second.err[-300:]}")
        ended = "finished" if first.finished else "error"
        return Cell(name, str(spot), fault.name, ended, state, again, tuple(wrong), first.err[-400:])


def _wrong(scene: Scene, ended: Ended) -> list[str]:
    found = scene.wrong(ended.finished)
    if ended.raised:
        found.append(f"raised {ended.raised}")
    elif not ended.finished:
        found += _unclear(scene, ended)
    if any(seconds > LONGEST_WAIT + 1 for seconds in ended.waited):
        found.append(f"waited {max(ended.waited):.0f} s without a word")
    return found


def _unclear(scene: Scene, ended: Ended) -> list[str]:
    """What an error does not say."""
    found = [f"no `{part}`" for part in ("error: ", "\nhint: ") if part not in f"\n{ended.err}"]
    said = ended.err[ended.err.find("error: ") :]
    if bare := _BARE.search(said):
        found.append(f"`{bare[0]}` in the error")
    if scene.goes_on() not in said:
        found.append("no command that goes on")
    if scene.state() == "empty" and "empty" not in said:
        found.append("an empty repository stays behind, and nobody says so")
    return found
