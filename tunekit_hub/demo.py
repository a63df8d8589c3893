"""`tunekit-hub demo`: the real main job on our own examples, against a Hub on this machine. Needs no account."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tunekit_hub import extras
from tunekit_hub.errors import RunError
from tunekit_hub.runfile import NAME
from tunekit_hub.units import duration

if TYPE_CHECKING:
    from tunekit_hub.facts import Options

USER = "you"


@dataclass(frozen=True)
class Demo:
    """What one demo starts from; all else follows from the data, as for anybody's own."""

    example: str
    description: str
    repo: str
    weights: str  # the model that this machine's Hub has real weights of
    time_budget: float  # seconds; makes a small machine turn down what would take longer

    @property
    def path(self) -> Path:
        """The example: in an installed package inside it, in a checkout under `examples/`."""
        package = Path(__file__).parent
        places = (package / "_data" / self.example, package.parent / "examples" / self.example)
        return next(path for path in places if path.is_file())


_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
DEMOS = {
    "chat": Demo(
        "support_chats.jsonl",
        "production support chatbot",
        f"{USER}/support-desk-demo",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
        600.0,
    ),
    "classification": Demo(
        "support_tickets.csv", "sort support tickets by topic", f"{USER}/ticket-topics-demo", _ENCODER, 600.0
    ),
    "ner": Demo(
        "device_reports.conll",
        "find machines, parts, fault codes and places in maintenance reports",
        f"{USER}/device-reports-demo",
        _ENCODER,
        600.0,
    ),
}


def run(kind: str, out: Path, source: Path | None = None) -> None:
    """Seed a local Hub, run the whole line on the example, publish to it, and say where things are.

    Args:
        kind: One of `DEMOS`.
        out: the run folder; an earlier demo's is made anew. The Hub's folder stands beside it.
        source: Other rows of the same form than the example's.

    Raises:
        MissingExtra: a part that trains or serves is not installed.
        RunError: `out` holds something other than a demo.
        TunekitError: as the stages do.
    """
    extras.require("train", "the demo")
    extras.require("local", "the demo")
    began, demo = time.monotonic(), DEMOS[kind]
    folder = out.with_name(f"{out.name}-hub")
    _clear(out, folder)
    # A Hub cache of its own: nothing of the demo stays among the user's models. Read at the client's import.
    os.environ["HF_HOME"] = str((folder / "home").resolve())
    from tunekit_hub.facts import Options

    options = Options(
        source=str(source or demo.path),
        description=demo.description,
        max_time=demo.time_budget,
        push_to=demo.repo,
    )
    _publish(demo, options, out, folder)
    shutil.rmtree(folder / "home", ignore_errors=True)
    _say(
        f"\ndone in {duration(time.monotonic() - began)}; the run is in {out}, the local Hub's repos in {folder}\n"
        f"serve them again:  tunekit-hub hub serve --dir {folder / 'storage'} --port 8008 --token {USER}=TOKEN\n"
        f"                   then open http://127.0.0.1:8008/{demo.repo} and sign in with TOKEN\n"
        "your own data:     tunekit-hub run DATA --description TEXT --push-to NAME/REPO"
    )


def _publish(demo: Demo, options: Options, out: Path, folder: Path) -> None:
    """The line, from the data to the published card, with a Hub that serves `folder` for as long as it takes."""
    from tunekit_hub import pipeline
    from tunekit_hub.hub import Hub
    from tunekit_hub.localhub import seed
    from tunekit_hub.localhub.server import running
    from tunekit_hub.localhub.storage import Storage
    from tunekit_hub.progress import Progress
    from tunekit_hub.registry import load

    name = demo.weights.rsplit("/", 1)[-1]
    _say(f"preparing a Hub on this machine: recorded facts of every model, real weights of {name}")
    storage = Storage(folder / "storage")
    seed.seed_registry(storage, load())
    seed.seed_small_model(storage, demo.weights)
    token = secrets.token_hex(20)
    with running(folder / "storage", {token: USER}) as served:
        _say(f"it answers at {served.endpoint}; its user is `{USER}`")
        hub, progress = Hub(token, served.endpoint), Progress(sys.stdout, sys.stderr)
        try:
            pipeline.run(options, out, hub=hub, on_event=progress)
        finally:
            progress.close()
        sys.stdout.write(f"\nThe card of {demo.repo}, as published\n\n{hub.read_text(demo.repo, 'README.md')}")


def _clear(out: Path, hub_folder: Path) -> None:
    """Make room where an earlier demo stood."""
    if out.exists() and any(out.iterdir()):
        if not (out / NAME).exists() or not hub_folder.exists():
            raise RunError(f"`{out}` holds something other than an earlier demo", "name another: `--out DIR`")
        shutil.rmtree(out)
    shutil.rmtree(hub_folder, ignore_errors=True)


def _say(words: str) -> None:
    sys.stderr.write(words + "\n")
    sys.stderr.flush()
