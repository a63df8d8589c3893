"""How long it takes to check thirteen models, over how long it takes to check one.

    python benchmarks/check_latency.py [--latency 50] [--repeat 7]

The models are those of the seed, served by the local Hub, in a process of its own, with their recorded facts;
every answer is held back by the latency. Measured from the first request to the last answer, with nothing kept
from before. The ratio of the two medians is printed; above 4 the exit code is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

AIM = 4.0
LATER = ("sentence-transformers/", "HuggingFaceTB/")  # came to the registry after the seed's thirteen
TOKEN = "hf_benchmark"


class Late:
    """Holds every answer back."""

    def __init__(self, app: Any, seconds: float):
        self.app = app
        self.seconds = seconds

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        await asyncio.sleep(self.seconds)
        await self.app(scope, receive, send)


def serve(seconds: float, line: Connection) -> None:
    """A Hub of the registry's models: sends its endpoint, then the requests so far whenever it is asked."""
    from tunekit_hub import registry
    from tunekit_hub.localhub import seed
    from tunekit_hub.localhub.server import running

    with tempfile.TemporaryDirectory() as folder, running(Path(folder), {TOKEN: "you"}) as served:
        seed.seed_registry(served.storage, registry.load())
        served.app.add_middleware(Late, seconds=seconds)
        line.send(served.endpoint)
        while line.recv():
            line.send(len(served.log))


@contextmanager
def served(seconds: float) -> Generator[tuple[str, Connection]]:
    """The endpoint of a Hub in another process, and the line to it."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(seconds, there))
    process.start()
    try:
        yield here.recv(), here
    finally:
        here.send(False)
        process.join(timeout=10)


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency", type=float, default=50.0, help="milliseconds that every answer is held back")
    parser.add_argument("--repeat", type=int, default=7, help="times each is measured; the median counts")
    asked = parser.parse_args()

    with tempfile.TemporaryDirectory() as home, served(asked.latency / 1000) as (endpoint, line):
        os.environ["HF_HOME"] = home  # read when the client is first imported
        from tunekit_hub import hardware, registry
        from tunekit_hub.facts import Request
        from tunekit_hub.hub import Hub
        from tunekit_hub.selection import check

        models = [entry.id for entry in registry.load().models if not entry.id.startswith(LATER)]
        request = Request(hardware=hardware.detect())

        def timed(ids: list[str]) -> float:
            began = time.monotonic()
            check(ids, request, Hub(TOKEN, endpoint, refresh=True))
            return time.monotonic() - began

        def requests() -> int:
            line.send(True)
            return line.recv()

        timed(models)  # opens the connections
        before = requests()
        single = statistics.median(timed(models[:1]) for _ in range(asked.repeat))
        between = requests()
        batch = statistics.median(timed(models) for _ in range(asked.repeat))
        counts = [(between - before) // asked.repeat, (requests() - between) // asked.repeat]

    ratio = batch / single
    sys.stdout.write(
        f"{asked.latency:.0f} ms a request, median of {asked.repeat}\n"
        f"  one model      {1000 * single:6.0f} ms  {counts[0]:3d} requests\n"
        f"  {len(models)} models      {1000 * batch:6.0f} ms  {counts[1]:3d} requests\n"
        f"  ratio          {ratio:6.2f}     (aim: at most {AIM:.0f})\n"
    )
    return int(ratio > AIM)


if __name__ == "__main__":
    sys.exit(main())
