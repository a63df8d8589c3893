"""Many visitors at once: how many recommendations a second the Space gives, and how long the slowest wait.

    python benchmarks/space_load.py                            # 5 and 50 visitors, then 20 runs in the queue
    python benchmarks/space_load.py --visitors 5,50,200 --runs 0

The real app in a process of its own, asked over its HTTP API on loopback, beside a local Hub. Each visitor, a
guest with a session of their own, asks for a profile and then for a recommendation, again and again.
Some of the data are our examples, the others datasets of the Hub, for which access is asked each time.
Exit code 1 where an answer is an error, or a run ends in one.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
COMMAND = [sys.executable, "-c", "from tunekit_hub.cli import main; raise SystemExit(main())"]
TOKEN = "hf_" + "l" * 34
DATASETS = 4
ROWS = 2000  # of each dataset
WISHES = ("", "commercial", "", "")  # description, use, hardware, model
DATA = ("example-chat", "example-classification", "example-ner", *(f"load/rows-{i}" for i in range(DATASETS)))
DONE = ("done", "failed", "cancelled")


@dataclass
class Told:
    """What the visitors saw."""

    profiles: list[float] = field(default_factory=list)  # seconds each
    recommendations: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0
    memory: int = 0  # bytes, at most


def main() -> int:
    """Print the table."""
    arguments = _arguments()
    with tempfile.TemporaryDirectory() as scratch, _hub(Path(scratch)) as hub, _app(Path(scratch), hub) as app:
        process, address = app
        _say(f"app at {address}, process {process.pid}")
        _visits(address, 1, 3.0, process)  # what is loaded once is loaded
        rows = []
        for visitors in arguments.visitors:
            told = _visits(address, visitors, arguments.seconds, process)
            rows.append((visitors, told))
        wrong = _table(rows)
        if arguments.runs:
            wrong += _queue(Path(scratch), hub, arguments.runs)
    return int(wrong > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visitors", type=lambda text: [int(one) for one in text.split(",")], default=[5, 50])
    parser.add_argument("--seconds", type=float, default=30.0, help="for each number of visitors")
    parser.add_argument("--runs", type=int, default=20, help="put in the queue at the end")
    return parser.parse_args()


@contextlib.contextmanager
def _hub(folder: Path) -> Generator[str]:
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
        yield endpoint


@contextlib.contextmanager
def _app(folder: Path, endpoint: str) -> Generator[tuple[psutil.Process, str]]:
    """The app, as a Space of the Hub runs it: visitors are guests until they sign in."""
    from space.served import space  # ty: ignore[import-not-found]

    from tunekit_hub.localhub import oauth_apps
    from tunekit_hub.localhub.storage import Storage

    app = oauth_apps.register(Storage(folder / "hub"), "Load", scopes=("read-repos",))
    more = app.environment(endpoint, "load/space") | {"HF_ENDPOINT": endpoint, "HF_HOME": str(folder / "home")}
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


def _visits(address: str, visitors: int, seconds: float, process: psutil.Process) -> Told:
    """All visitors at once, each in a thread, until the time is over."""
    told, stop = Told(), time.monotonic() + seconds
    started = time.monotonic()

    def visit(number: int) -> None:
        session, place = f"visitor{number:08d}", number
        while time.monotonic() < stop:
            data, place = DATA[place % len(DATA)], place + 1
            asks = (
                ("profile", [data, "", ""], told.profiles),
                ("recommend", [data, *WISHES], told.recommendations),
            )
            for name, values, kept in asks:
                began = time.monotonic()
                try:
                    wrong = _ask(address, name, values, session)
                except (OSError, ValueError) as error:
                    wrong = f"{type(error).__name__}: {error}"
                kept.append(time.monotonic() - began)
                if wrong:
                    told.errors.append(f"{name} {data}: {wrong}")

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(visitors)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        told.memory = max(told.memory, process.memory_info().rss)
        time.sleep(0.1)
    told.seconds = time.monotonic() - started
    return told


def _ask(address: str, name: str, data: list[Any], session: str) -> str:
    """One call of the API; what went wrong, or nothing."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
    try:
        body = json.dumps({"data": data, "session_hash": session})
        headers = {"Content-Type": "application/json"}
        connection.request("POST", f"/gradio_api/call/{name}", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            return f"{answer.status} {text[:200]!r}"
        connection.request("GET", f"/gradio_api/call/{name}/{json.loads(text)['event_id']}")
        said = connection.getresponse().read().decode()
        return "" if "event: complete" in said else said[-300:]
    finally:
        connection.close()


def _queue(folder: Path, endpoint: str, number: int) -> int:
    """As many runs as visitors, put in the queue at once; how many of them ended otherwise than well."""
    from tunekit_hub import runs

    desk = runs.Service(folder / "service", endpoint=endpoint)  # the app works through the same queue
    options = runs.options(source="example-classification", settings={"epochs": 1}, max_rows=100)
    began = time.monotonic()
    visitors = [runs.Visitor(f"visitor{i}") for i in range(number)]
    ids = [desk.submit(visitor, options) for visitor in visitors]
    waiting = max(desk.state(visitor, run).place or 0 for visitor, run in zip(visitors, ids, strict=True))
    _say(f"{number} runs in the queue after {time.monotonic() - began:.1f} s; the last has place {waiting}")
    while True:
        states = [desk.state(visitor, run) for visitor, run in zip(visitors, ids, strict=True)]
        if all(state.status in DONE for state in states):
            break
        time.sleep(0.5)
    failed = [state for state in states if state.status != "done"]
    _say(f"{number - len(failed)} of {number} done after {time.monotonic() - began:.0f} s, one at a time")
    for state in failed[:3]:
        _say(f"  {state.status}: {state.error.message if state.error else state.note}")
    return len(failed)


def _table(rows: list[tuple[int, Told]]) -> int:
    _say("visitors recommends/s      p50      p95  profile p95  errors    memory")
    for visitors, told in rows:
        speed = len(told.recommendations) / told.seconds
        _say(
            f"{visitors:>8} {speed:>12.1f} {statistics.median(told.recommendations):>7.2f}s "
            f"{_p95(told.recommendations):>7.2f}s {_p95(told.profiles):>11.2f}s {len(told.errors):>7} "
            f"{told.memory / 1e6:>6.0f} MB"
        )
        for error in told.errors[:3]:
            _say(f"  {error}")
    return sum(len(told.errors) for _, told in rows)


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
