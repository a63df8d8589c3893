"""Tuned models that answer: a process for the one that was asked last, kept while somebody talks to it.

`python -m tunekit_hub.runs.talking FOLDER` is it: the token in the first line of stdin, turns in each other.
"""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunekit_hub.errors import RunError, TunekitError, UsageError
from tunekit_hub.replies import Marked, Reply
from tunekit_hub.runs import processes, worker

IDLE = 300.0  # seconds that a model is kept after an answer
_GOES = 5.0  # seconds for the lock, once the process that was asked is no more
_LONGEST = 20_000  # characters of all turns together


@dataclass
class _Talk:
    """A process with a model in it."""

    process: subprocess.Popen[bytes]
    lines: queue.Queue[bytes] = field(default_factory=queue.Queue)
    used: float = field(default_factory=time.monotonic)


class Talks:
    """At most one tuned model at a time; others wait for their turn.

    Args:
        endpoint: of the Hub that base models come from.
        patience: seconds for an answer, loading included.
    """

    def __init__(self, endpoint: str, patience: float):
        self._endpoint, self._patience = endpoint, patience
        self._talks: dict[tuple[Path, str], _Talk] = {}
        self._lock = threading.Lock()
        self._closed = False

    def ask(self, folder: Path, owner: str, turns: Sequence[dict[str, str]], token: str | None) -> Reply:
        """What the model in the run's `folder` says.

        Args:
            folder: the run's.
            owner: whose it is; a process that got one visitor's token never works for another.
            turns: the chat so far; the last one is the question.
            token: to fetch the base model of an adapter with.

        Raises:
            RunError: it took too long, or the process ended.
            TunekitError: as raised there.
        """
        if not turns or not turns[-1]["content"].strip():
            raise UsageError("there is no text to answer", "write something")
        if sum(len(turn["content"]) for turn in turns) > _LONGEST:
            raise UsageError(f"the text has over {_LONGEST:,} characters", "write less, or begin another chat")
        deadline = time.monotonic() + self._patience
        if not self._lock.acquire(timeout=self._patience):
            raise RunError("other visitors are talking to their models", "try again in a minute")
        try:
            if self._closed:
                raise RunError("the service is being stopped", "try again in a minute")
            talk = self._talk((folder, owner), token)
            processes.send(talk.process, {"turns": list(turns)}, last=False)
            said = self._line((folder, owner), talk, deadline)
            talk.used = time.monotonic()
        finally:
            self._lock.release()
        if "error" in said:
            raise worker.error_of(said["error"])
        reply = said["reply"]
        return Reply(
            text=reply["text"],
            stopped=reply["stopped"],
            scores=tuple((label, score) for label, score in reply["scores"]),
            chosen=tuple(reply["chosen"]),
            marks=tuple(Marked(*mark) for mark in reply["marks"]),
        )

    def close(self, folder: Path | None = None) -> None:
        """End the model of a run, or all of them for good. Nobody's answer is waited for."""
        self._closed = self._closed or folder is None
        mine = [(key, talk) for key, talk in list(self._talks.items()) if folder in (None, key[0])]
        for _, talk in mine:
            processes.end(talk.process.pid)  # whoever waits for its answer is told so, and lets go of the lock
        if not mine or not self._lock.acquire(timeout=_GOES):
            return
        try:
            for key, talk in mine:
                if self._talks.get(key) is talk:
                    self._end(key)
        finally:
            self._lock.release()

    def tidy(self) -> None:
        """End models that nobody talks to any more."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            for key, talk in list(self._talks.items()):
                if time.monotonic() - talk.used > IDLE:
                    self._end(key)
        finally:
            self._lock.release()

    def _talk(self, key: tuple[Path, str], token: str | None) -> _Talk:
        there = self._talks.get(key)
        if there and there.process.poll() is None:
            return there
        for other in list(self._talks):  # one model in memory is enough
            self._end(other)
        process = processes.start("talking", key[0], self._endpoint, answers=True)
        talk = self._talks[key] = _Talk(process)
        threading.Thread(target=_listen, args=(process, talk.lines), daemon=True).start()
        processes.send(process, {"token": token, "endpoint": self._endpoint}, last=False)
        return talk

    def _line(self, key: tuple[Path, str], talk: _Talk, deadline: float) -> dict[str, Any]:
        try:
            line = talk.lines.get(timeout=max(0.1, deadline - time.monotonic()))
        except queue.Empty:
            self._end(key)
            raise RunError(
                f"the model gave no answer within {self._patience:.0f} seconds",
                "try again, with a shorter text; the machine may be training just now",
            ) from None
        if not line:
            self._end(key)
            raise RunError("the process with the model ended", "try again; the machine may have too little memory")
        return json.loads(line)

    def _end(self, key: tuple[Path, str]) -> None:
        talk = self._talks.pop(key)
        processes.end(talk.process.pid)
        talk.process.wait()
        for pipe in (talk.process.stdin, talk.process.stdout):
            with contextlib.suppress(BrokenPipeError):  # what was not sent before it ended
                if pipe:
                    pipe.close()


def _listen(process: subprocess.Popen[bytes], lines: queue.Queue[bytes]) -> None:
    """Hand on what it says, line by line; an empty one at its end."""
    assert process.stdout
    try:
        for line in process.stdout:
            lines.put(line)
    except ValueError:  # closed meanwhile
        pass
    lines.put(b"")


def _main() -> None:
    from tunekit_hub import trying
    from tunekit_hub.hub import Hub

    out, folder = worker.own_stdout(), Path(sys.argv[1])
    job, tuned = json.loads(sys.stdin.readline() or "null"), None
    if job is None:
        return
    for line in sys.stdin:
        try:
            if tuned is None:
                tuned = trying.load(folder, hub=Hub(job["token"] or False, job["endpoint"]))
            reply = tuned.reply(json.loads(line)["turns"])
        except TunekitError as error:
            worker.tell(out, {"error": worker.plain_error(error)})
            continue
        worker.tell(out, {"reply": reply._asdict()})


if __name__ == "__main__":
    _main()
