"""`tunekit-hub demo`: the real main job on our own example, against a Hub on this machine. Needs no account."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from pathlib import Path

from tunekit_hub import extras
from tunekit_hub.errors import RunError
from tunekit_hub.runfile import NAME
from tunekit_hub.units import duration

USER = "you"
REPO = f"{USER}/support-desk-demo"
DESCRIPTION = "production support chatbot"
TIME_BUDGET = 600.0  # seconds; makes a small machine turn down what would take longer
EXAMPLE = "support_chats.jsonl"


def run(out: Path) -> None:
    """Seed a local Hub, run the whole line on the example, publish to it, and say where things are.

    Args:
        out: the run folder; an earlier demo's is made anew. The Hub's folder stands beside it.

    Raises:
        MissingExtra: a part that trains or serves is not installed.
        RunError: `out` holds something other than a demo.
        TunekitError: as the stages do.
    """
    extras.require("train", "the demo")
    extras.require("local", "the demo")
    began = time.monotonic()
    folder = out.with_name(f"{out.name}-hub")
    _clear(out, folder)
    # A Hub cache of its own: nothing of the demo stays among the user's models. Read at the client's import.
    os.environ["HF_HOME"] = str((folder / "home").resolve())
    from tunekit_hub import pipeline
    from tunekit_hub.facts import Options
    from tunekit_hub.hub import Hub
    from tunekit_hub.localhub import seed
    from tunekit_hub.localhub.server import running
    from tunekit_hub.localhub.storage import Storage
    from tunekit_hub.progress import Progress
    from tunekit_hub.registry import load

    _say("preparing a Hub on this machine: recorded facts of every model, real weights of SmolLM2-135M-Instruct")
    storage = Storage(folder / "storage")
    seed.seed_registry(storage, load())
    seed.seed_small_model(storage)
    token = secrets.token_hex(20)
    options = Options(source=str(example()), description=DESCRIPTION, max_time=TIME_BUDGET, push_to=REPO)
    with running(folder / "storage", {token: USER}) as served:
        _say(f"it answers at {served.endpoint}; its user is `{USER}`")
        hub, progress = Hub(token, served.endpoint), Progress(sys.stdout, sys.stderr)
        try:
            pipeline.run(options, out, hub=hub, on_event=progress)
        finally:
            progress.close()
        sys.stdout.write(f"\nThe card of {REPO}, as published\n\n{hub.read_text(REPO, 'README.md')}")
    shutil.rmtree(folder / "home", ignore_errors=True)
    _say(
        f"\ndone in {duration(time.monotonic() - began)}; the run is in {out}, the local Hub's repos in {folder}\n"
        f"serve them again:  tunekit-hub hub serve --dir {folder / 'storage'} --port 8008 --token {USER}=TOKEN\n"
        f"                   then open http://127.0.0.1:8008/{REPO} and sign in with TOKEN\n"
        "your own data:     tunekit-hub run DATA --description TEXT --push-to NAME/REPO"
    )


def example() -> Path:
    """The example chats: in an installed package inside it, in a checkout under `examples/`."""
    package = Path(__file__).parent
    places = (package / "_data" / EXAMPLE, package.parent / "examples" / EXAMPLE)
    return next(path for path in places if path.is_file())


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
