"""What the cells share: a local Hub with a proxy before it, a model that was really trained, and no waiting."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hubs
import huggingface_hub
import pytest
import tiny
from fault_proxy import Proxy, standing
from fault_scenes import BASE, NAMES, ROWS, TARGET, Ended, Scene, digests
from hubs import TOKENS, USERS
from huggingface_hub import constants, file_download
from huggingface_hub.utils import _http

from tunekit_hub import hub, pipeline, runfile
from tunekit_hub.cli import main
from tunekit_hub.facts import Options
from tunekit_hub.hub import Hub
from tunekit_hub.hub import connection as hub_connection
from tunekit_hub.hub import datasets as hub_datasets
from tunekit_hub.hub import look as hub_look
from tunekit_hub.localhub import running, seed
from tunekit_hub.localhub.repos import create_repo, open_repo
from tunekit_hub.scores import reload

SHORT = 0.15  # seconds, the time limits where a fault is that nobody answers
HANGS = 60  # seconds


@dataclass
class World:
    """One local Hub, and what stands ready beside it."""

    storage: Any
    proxy: Proxy
    done: Path  # a run folder, trained and evaluated
    run: runfile.Run  # what it holds
    planned: Path  # the same run, before its training
    selected: Path  # and before its plan
    measured: reload.Outputs  # what the trained model predicts
    older: Path  # a repository with an earlier model of ours
    base: dict[str, str]  # the files of the base model that are fetched → sha256
    whole: dict[str, dict[str, str]] = field(default_factory=dict)  # what a publish that met no fault left

    def ends(self, scene: Scene, *, impatient: bool = False) -> Ended:
        """Run the scene's command in this process, with nothing kept from before.

        `impatient`: with time limits so short that a silent Hub costs no time.
        """
        waited: list[float] = []

        def nap(seconds: float) -> None:
            waited.append(seconds)
            self.proxy.paused()

        code, raised, err = 1, "", io.StringIO()
        huggingface_hub.close_session()
        with pytest.MonkeyPatch.context() as patch:
            self._prepare(patch, scene, nap)
            if impatient:
                _shorten(patch)
            try:
                with _no_longer(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(err):
                    code = main(scene.command())
            except Exception as error:
                raised = f"{type(error).__name__}: {error}"
        huggingface_hub.close_session()
        return Ended(code, err.getvalue(), raised, tuple(waited))

    def _prepare(self, patch: pytest.MonkeyPatch, scene: Scene, nap: Any) -> None:
        endpoint = self.proxy.endpoint
        patch.setenv("HF_ENDPOINT", endpoint)
        patch.setenv("HF_TOKEN", TOKENS["you"])
        hubs.lead(patch, endpoint, scene.folder / "hf-cache")
        # Nothing here is encrypted, and each new connection would read all certificates.
        patch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)
        patch.setattr(hub_connection, "_sleep", nap)
        # The process that loads what was published asks no Hub; `test_fault_commands.py` starts it for real.
        patch.setattr(reload, "_replayed", lambda job, said: self.measured)
        for module in (_http, file_download):
            patch.setattr(module, "time", _Clock(nap))
        for name, stage in scene.stages().items():
            patch.setitem(pipeline.STAGES, name, stage)


class _Clock:
    """The module `time`, but for how it sleeps."""

    def __init__(self, sleep: Any):
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)


def _shorten(patch: pytest.MonkeyPatch) -> None:
    for module in (hub, hub_connection, hub_datasets, hub_look):
        if hasattr(module, "TIMEOUT"):
            patch.setattr(module, "TIMEOUT", SHORT)
    patch.setattr(hub_connection, "PATIENCE", SHORT)
    patch.setattr(constants, "HF_HUB_ETAG_TIMEOUT", SHORT)
    patch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", SHORT)
    patch.setattr(file_download, "_ETAG_RETRY_TIMEOUT", SHORT)


@contextmanager
def _no_longer(seconds: int = HANGS) -> Iterator[None]:
    """Ends a command that hangs; and gives the signals back that a command took."""

    def ring(*_: object) -> None:
        raise AssertionError(f"the command hung for {seconds} s")

    asked = (signal.SIGALRM, signal.SIGTERM)
    before = [signal.signal(number, ring if number == signal.SIGALRM else signal.SIG_DFL) for number in asked]
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        for number, handler in zip(asked, before, strict=True):
            signal.signal(number, handler)


def make(folder: Path) -> None:
    """A local Hub's folder with a tiny model and rows, and a run that was trained on them for real."""
    with running(folder / "hub", USERS) as local:
        base = tiny.save_model(folder / "base")
        (base / "README.md").write_text("---\nlicense: apache-2.0\nlanguage: en\n---\n# Tiny\n")
        rows = "\n".join(json.dumps(row) for row in tiny.chats(30)).encode()
        (folder / "chats.jsonl").write_bytes(rows)
        files = {path.name: path for path in sorted(base.iterdir())}
        seed.add_files(create_repo(local.storage, "model", BASE), files, "Add weights")
        card = b"---\nlicense: mit\n---\n# Chats\n"
        seed.add_files(
            create_repo(local.storage, "dataset", ROWS), {"train.jsonl": rows, "README.md": card}, "Add rows"
        )
        settings = {"epochs": 1, "learning_rate": 5e-3}
        wished = Options(source=str(folder / "chats.jsonl"), model=BASE, settings=settings, description="colours")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(constants, "HF_HUB_CACHE", str(folder / "cache"))
            pipeline.run(wished, folder / "done", hub=Hub(TOKENS["you"], local.endpoint))


@contextmanager
def standing_world(made: Path, folder: Path) -> Iterator[World]:
    """A world of its own in `folder`, from what `make` left in `made`."""
    shutil.copytree(made / "hub", folder / "hub")
    run = runfile.load(made / "done")
    planned, selected = folder / "planned", folder / "selected"
    to_publish = run.options.but(push_to=TARGET)
    runfile.save(run.but(options=to_publish, record=run.plan, stage="plan", status="paused"), planned)
    runfile.save(run.but(record=run.selection, stage="selection", status="paused"), selected)
    base = {name: digest for name, digest in digests(made / "base").items() if name != "README.md"}
    with running(folder / "hub", USERS) as local, standing(local.endpoint, NAMES) as proxy:
        stands = {"done": made / "done", "planned": planned, "selected": selected, "older": folder / "older"}
        measured = reload.kept(made / "done")[1]
        world = World(local.storage, proxy, run=run, measured=measured, base=base, **stands)
        _older(world, folder)
        yield world


def _older(world: World, folder: Path) -> None:
    """A repository as an earlier publish left it: other weights, another card, and ours not uploaded yet."""
    from fault_scenes import Publish

    scene = Publish(world, folder / "first")
    ended = world.ends(scene)
    assert ended.finished, ended
    repo = open_repo(world.storage, "model", TARGET)
    tree = repo.commit("main").tree
    other = {
        "adapter_model.safetensors": b"earlier weights",
        "README.md": repo.content(tree["README.md"]) + b"old\n",
    }
    seed.add_files(repo, other, "As it was")
    shutil.copytree(scene.repo, world.older)
    os.unlink(world.older / "objects" / tree["adapter_model.safetensors"].sha256)
