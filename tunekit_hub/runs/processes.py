"""Processes of the service: started with no token but the one they are sent, and ended with all they started."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

LOG = "worker.log"
# Names of variables that hold secrets: the owner's tokens, and what a Space signs its visitors in with.
_SECRET = re.compile(r"TOKEN(?!IZERS)|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY")
_CLOSE = 1.0  # seconds by which two starts of one process may seem to differ


def environment(endpoint: str, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a worker sees of the environment: nothing secret, and no token that it was not sent."""
    seen = os.environ if given is None else given
    kept = {name: value for name, value in seen.items() if not _SECRET.search(name.upper())}
    # A file of this name is never there: what `hf auth login` has saved is the owner's.
    nowhere = {"HF_TOKEN_PATH": os.devnull, "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    ours = str(Path(__file__).parents[2])
    paths = os.pathsep.join(dict.fromkeys([ours, *filter(None, kept.get("PYTHONPATH", "").split(os.pathsep))]))
    return kept | nowhere | {"HF_ENDPOINT": endpoint, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"}


def start(module: str, folder: Path, endpoint: str, *, answers: bool) -> subprocess.Popen[bytes]:
    """A process of `module` at work on the run in `folder`, in a group of its own; it waits for its job.

    Args:
        module: of `tunekit_hub.runs`.
        folder: the run's; what the process says goes to `worker.log` in it.
        endpoint: the Hub's.
        answers: whether its stdout is read here; otherwise it outlives this process.
    """
    # An empty folder: `owner/name` cannot be a path there.
    place = folder.parent.parent / "empty"
    place.mkdir(exist_ok=True)
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            [*command(module), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if answers else log,
            stderr=log,
            cwd=place,
            env=environment(endpoint),
            start_new_session=True,
        )


def command(module: str) -> list[str]:
    """What starts a module of `tunekit_hub.runs`."""
    return [sys.executable, "-m", f"tunekit_hub.runs.{module}"]


def send(process: subprocess.Popen[bytes], job: dict[str, Any], *, last: bool) -> None:
    """One line of JSON; `last` closes the pipe. A process that is gone already is noticed elsewhere."""
    assert process.stdin
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
    if last:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def started(pid: int) -> float | None:
    """When the process began; None if there is none that works."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def same(pid: int, began: float) -> bool:
    """Whether the process of that number is the one that began then, and still works."""
    now = started(pid)
    return now is not None and abs(now - began) < _CLOSE


def ask_to_stop(pid: int) -> None:
    """SIGTERM to the process alone: it tells the others of its group by itself."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM)


def end(pid: int) -> None:
    """SIGKILL to the process and all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
