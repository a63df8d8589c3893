"""A local Hub with tiny models, and the Space in front of it, each in a process or thread of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent.parent
APP = ROOT / "spaces" / "app.py"
CHAT = "HuggingFaceTB/SmolLM2-135M-Instruct"
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
TOKENS = {"you": "hf_" + "y" * 34, "ada": "hf_" + "a" * 34}
STARTS = 300.0  # seconds that the app may take to answer, on a machine that does other things besides


@dataclass(frozen=True)
class Space:
    """A running app."""

    url: str
    folder: Path
    secret: str = field(repr=False)  # that sessions are signed with


def seed(storage: object, folder: Path) -> None:
    """Every model of the registry as recorded facts; tiny weights of a chat model and of an encoder."""
    import tiny

    from tunekit_hub import registry
    from tunekit_hub.localhub import seed as seeding

    seeding.seed_registry(storage, registry.load())
    made = {CHAT: tiny.save_model(folder / "chat"), ENCODER: tiny.save_encoder(folder / "encoder")}
    for repo_id, weights in made.items():
        seeding.seed_weights(storage, weights, repo_id, "Tiny random weights for a test.")


def free_port() -> int:
    """A port of loopback that nobody uses now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def space(folder: Path, environment: dict[str, str], port: int | None = None) -> Iterator[str]:
    """The app as a process; its address. It ends with a request to, so that its workers save."""
    port = port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "PYTHONPATH": str(_without_zero_gpu(folder / "no-zero-gpu")),
        "TUNEKIT_SPACE_DIR": str(folder),
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
        "PYTHONUNBUFFERED": "1",
    }
    log = (folder / "app.log").open("a")
    app = subprocess.Popen(
        [sys.executable, str(APP)], cwd=folder, env={**os.environ, **environment, **told}, stdout=log, stderr=log
    )
    try:
        _wait(app, f"http://127.0.0.1:{port}", folder)
        yield f"http://127.0.0.1:{port}"
    finally:
        app.terminate()
        with suppress(subprocess.TimeoutExpired):
            app.wait(30)
        app.kill()
        app.wait()
        log.close()


def _without_zero_gpu(folder: Path) -> Path:
    """On a Space Gradio looks for the package `spaces`, and in a checkout would find our folder of that name."""
    folder.mkdir(exist_ok=True)
    (folder / "spaces.py").write_text("raise ImportError('ZeroGPU is not here')\n")
    return folder


def _wait(app: subprocess.Popen, url: str, folder: Path) -> None:
    until = time.monotonic() + STARTS
    while time.monotonic() < until:
        if app.poll() is not None:
            break
        with suppress(URLError, OSError), urlopen(f"{url}/config", timeout=5):  # noqa: S310, on loopback
            return
        time.sleep(0.3)
    raise AssertionError(f"the app did not start:\n{(folder / 'app.log').read_text()[-4000:]}")
