"""What `space_load.py` measures in: a local Hub with models and datasets, and the Space in front of it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
COMMAND = [sys.executable, "-c", "from tunekit_hub.cli import main; raise SystemExit(main())"]
TOKEN = "hf_" + "l" * 34
DATASETS = 4
ROWS = 2000  # of each dataset
CARD = b"---\nlicense: apache-2.0\n---\n# Rows for a measurement\n"


@contextlib.contextmanager
def hub(folder: Path) -> Generator[str]:
    """A local Hub in a process of its own: the models of the registry, some with small weights; some datasets."""
    import tiny  # ty: ignore[import-not-found]
    from huggingface_hub import HfApi

    from tunekit_hub.localhub import seed
    from tunekit_hub.localhub.storage import Storage
    from tunekit_hub.registry import load

    storage = Storage(folder / "hub")
    seed.seed_registry(storage, load())
    encoder, chat = tiny.save_encoder(folder / "encoder"), tiny.save_model(folder / "chat")
    for entry in load().models:  # so that each ladder ends where it would on the real Hub, on a small machine
        if entry.id.endswith("SmolLM2-135M-Instruct") or "instruction_tuning" not in entry.tasks:
            files = chat if "instruction_tuning" in entry.tasks else encoder
            seed.seed_weights(storage, files, entry.canonical, "random weights")
    serve = ["hub", "serve", "--dir", str(folder / "hub"), "--token", f"load={TOKEN}"]
    with _started([*COMMAND, *serve], {}) as process:
        assert process.stdout
        endpoint = process.stdout.readline().strip().rpartition("=")[2]
        api = HfApi(endpoint=endpoint, token=TOKEN)
        for i in range(DATASETS):
            topics = ("delivery", "billing", "login", "returns")
            rows = "".join(f"message {n} of file {i} about {topics[n % 4]},{topics[n % 4]}\n" for n in range(ROWS))
            api.create_repo(f"load/rows-{i}", repo_type="dataset")
            content = ("text,label\n" + rows).encode()
            where: Any = {"repo_id": f"load/rows-{i}", "repo_type": "dataset", "path_in_repo": "train.csv"}
            api.upload_file(path_or_fileobj=content, **where)
            api.upload_file(path_or_fileobj=CARD, **(where | {"path_in_repo": "README.md"}))
        yield endpoint


@contextlib.contextmanager
def app(folder: Path, endpoint: str) -> Generator[tuple[psutil.Process, str]]:
    """The app, as a Space of the Hub runs it: visitors are guests until they sign in."""
    from space.served import space  # ty: ignore[import-not-found]

    from tunekit_hub.localhub import oauth_apps
    from tunekit_hub.localhub.storage import Storage

    registered = oauth_apps.register(Storage(folder / "hub"), "Load", scopes=("read-repos",))
    more = registered.environment(endpoint, "load/space") | {
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(folder / "home"),
    }
    before = {process.pid for process in psutil.Process().children()}
    with space(folder / "service", more) as address:
        process = next(one for one in psutil.Process().children() if one.pid not in before)
        yield process, address


@contextlib.contextmanager
def _started(command: list[str], more: dict[str, str]) -> Generator[subprocess.Popen[str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment |= {"HF_HUB_DISABLE_XET": "1", "PYTHONPATH": str(ROOT)}
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    # Somewhere else than the checkout: our folder `spaces` would pass for the package of that name.
    process = subprocess.Popen(command, env=environment | more, cwd=tempfile.gettempdir(), **pipes)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
