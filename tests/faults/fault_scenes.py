"""The commands that the matrix runs, and what must be true when one has ended.

Publishing is `tunekit-hub resume` of a planned run: the rehearsal and the publication are real, training and
evaluation hand over what was trained once. Fetching is `tunekit-hub train` with stages that ask the Hub what
planning and training ask it, and do nothing with it.
"""

from __future__ import annotations

import hashlib
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunekit_hub import runfile
from tunekit_hub.errors import AccessDenied
from tunekit_hub.localhub.repos import open_repo

if TYPE_CHECKING:
    from fault_world import World

TARGET, BASE, ROWS = "you/tuned", "ada/tiny", "ada/chats"
NAMES = {TARGET: "{repo}", BASE: "{base}", ROWS: "{dataset}"}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    err: str
    raised: str  # an exception that no command may end with
    waited: tuple[float, ...]  # seconds, each time

    @property
    def finished(self) -> bool:
        return self.code == 0 and not self.raised


class Scene(ABC):
    """One command against the Hub, in a folder of its own."""

    name = ""
    share = 1  # of its calls that only read, each meets one in so many faults

    def __init__(self, world: World, folder: Path):
        self.world, self.folder = world, folder

    @abstractmethod
    def command(self) -> list[str]:
        """What is typed, after `tunekit-hub`."""

    def stages(self) -> dict[str, Any]:
        """What stands in for stages of the line."""
        return {}

    def goes_on(self) -> str:
        """The command that an error must name."""
        return f"tunekit-hub {' '.join(self.command())}"

    def state(self) -> str:
        """Of the repository that is written to."""
        return "-"

    def wrong(self, finished: bool) -> list[str]:
        """What may not be, after either run."""
        return []


class Publish(Scene):
    name = "publish, new repo"
    share = 6
    old: str | None = None

    def __init__(self, world: World, folder: Path):
        super().__init__(world, folder)
        self.out, self.repo = folder / "run", world.storage.repo_folder("model", TARGET)
        shutil.copytree(world.planned, self.out)
        shutil.rmtree(self.repo, ignore_errors=True)

    def command(self) -> list[str]:
        return ["resume", str(self.out)]

    def stages(self) -> dict[str, Any]:
        return {"training": self._trained, "evaluation": self._evaluated}

    def _trained(self, at: Any) -> Any:
        shutil.copytree(self.world.done, at.out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("run.json"))
        return self.world.run.training.but(plan=at.run.plan, run_dir=str(at.out))

    def _evaluated(self, at: Any) -> Any:
        return self.world.run.evaluation.but(training=at.run.training)

    def state(self) -> str:
        repo = open_repo(self.world.storage, "model", TARGET)
        if repo is None:
            return "absent"
        commit = repo.commit("main")
        if commit.id == self.old:
            return "untouched"
        there = self.files()
        if not there:
            return "empty"
        return "complete" if there == self.world.whole.get(self.name, there) else "HALF"

    def files(self) -> dict[str, str]:
        """What the repository holds: path → sha256."""
        tree = open_repo(self.world.storage, "model", TARGET).commit("main").tree
        return {path: entry.sha256 for path, entry in tree.items() if path != ".gitattributes"}

    def wrong(self, finished: bool) -> list[str]:
        state, now = self.state(), runfile.load(self.out)
        found = []
        if state == "HALF" or (state in ("absent", "empty") and self.old):
            found.append(f"the repository is {state}")
        if finished and state != "complete":
            found.append(f"finished, and the repository is {state}")
        if finished != (now.status == "done"):
            found.append(f"`run.json` says {now.status}")
        if now.rehearsal is not None:  # from there on there are results to lose
            same = digests(self.out / "model") == digests(self.world.done / "model")
            if not same or now.evaluation is None:
                found.append("the training is lost")
        return found


class Update(Publish):
    name = "publish, existing repo"

    def __init__(self, world: World, folder: Path):
        super().__init__(world, folder)
        shutil.copytree(world.older, self.repo)
        self.old = open_repo(world.storage, "model", TARGET).commit("main").id


class Fetch(Scene):
    name = "fetch a model"
    share = 3

    def __init__(self, world: World, folder: Path):
        super().__init__(world, folder)
        self.out = folder / "run"
        shutil.copytree(world.selected, self.out)

    def command(self) -> list[str]:
        return ["train", str(self.out)]

    def goes_on(self) -> str:
        return f"tunekit-hub resume {self.out}"

    def stages(self) -> dict[str, Any]:
        return {"plan": self._planned, "training": self._trained}

    def _planned(self, at: Any) -> Any:
        chosen = at.run.selection
        facts = at.hub.facts(chosen.repo_id)
        if facts.access != "open":  # the check of access, which is not run here, turns the model down
            raise AccessDenied(f"access: {facts.access}", "sign in again, then run again")
        at.hub.fetch(chosen.repo_id, facts.revision, weights=False)
        return self.world.run.plan.but(selection=chosen)

    def _trained(self, at: Any) -> Any:
        chosen = at.run.selection
        self.fetched = at.hub.fetch(chosen.repo_id, chosen.revision)
        return self.world.run.training.but(plan=at.run.plan, run_dir=str(at.out))

    def wrong(self, finished: bool) -> list[str]:
        if not finished:
            return []
        got, there = digests(self.fetched), self.world.base
        damaged = [name for name, digest in there.items() if got.get(name) != digest]
        return [f"finished, and `{name}` is not what the Hub holds" for name in damaged]


class Dataset(Scene):
    name = "fetch a dataset"

    def command(self) -> list[str]:
        return ["profile", ROWS]

    def goes_on(self) -> str:
        return "run again"


SCENES: dict[str, type[Scene]] = {scene.name: scene for scene in (Publish, Update, Fetch, Dataset)}


def digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
