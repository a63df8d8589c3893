"""Kill a run at random moments, go on with it, and compare its end with that of a run nobody disturbed.

    python benchmarks/kill_resume.py                     # ten runs, each killed once: a table
    python benchmarks/kill_resume.py --chain --kills 4   # one run, killed four times
    python benchmarks/kill_resume.py --real              # SmolLM2-135M-Instruct instead of a tiny random model

Real commands, `kill -9`, a Hub on this machine. The moments: a step, the writing of a checkpoint, the evaluation,
the publication. Exit code 1 if a run does not end, ends in another loss, or publishes something else.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from speed_sides import TOKEN, upload

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
COMMAND = [sys.executable, "-c", "from tunekit_hub.cli import main; raise SystemExit(main())"]
MOMENTS = ("step", "checkpoint", "evaluation", "step", "publication", "checkpoint")
SAME = 1e-3  # of a loss
LONGEST = 900.0  # seconds of a command
TINY = {"rows": 60, "settings": ["epochs=6", "learning_rate=0.005"], "every": "0.2"}
REAL = {"rows": 60, "settings": ["epochs=1"], "every": "5"}


class Job:
    """What is run, where, and what is seen of it from outside."""

    def __init__(self, folder: Path, model: str, size: dict[str, Any], env: dict[str, str]):
        self.folder, self.model, self.size, self.env = folder, model, size, env

    def run(self, name: str) -> list[str]:
        """The command that starts the run `name`."""
        settings = [part for setting in self.size["settings"] for part in ("--set", setting)]
        where = ["--out", name, "--push-to", f"you/{name}", "--checkpoint-every", self.size["every"]]
        return ["run", "chats.jsonl", "--model", self.model, *where, *settings]

    def start(self, arguments: list[str]) -> subprocess.Popen[str]:
        """A command at work."""
        pipes: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen([*COMMAND, *arguments], cwd=self.folder, env=self.env, **pipes)

    def finish(self, arguments: list[str]) -> None:
        """A command up to its end, which has to be a good one."""
        ran = self.start(arguments)
        said = ran.communicate(timeout=LONGEST)[1]
        if ran.returncode:
            raise SystemExit(f"`tunekit-hub {' '.join(arguments)}` ended with {ran.returncode}:\n{said}")

    def events(self, name: str) -> list[dict[str, Any]]:
        """What the run has told so far."""
        path = self.folder / name / "events.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def end(self, name: str) -> dict[str, Any]:
        """How the run ended."""
        run = json.loads((self.folder / name / "run.json").read_text())
        return {
            "status": run["status"],
            "loss": run["training"]["losses"][-1]["loss"],
            "held_out": run["evaluation"]["tuned"]["figures"]["loss"]["value"],
            "published": bool(run["publication"]["commit"]),
            "files": sorted(path.name for path in (self.folder / name / "model").iterdir()),
        }


def kill(job: Job, name: str, arguments: list[str], moment: str, chance: random.Random) -> str:
    """Start a command and kill it at a moment; where it stood then."""
    before, reached = len(job.events(name)), _reached(job, name, moment, chance)
    ran = job.start(arguments)
    deadline = time.monotonic() + LONGEST
    while ran.poll() is None and not reached(job.events(name)[before:]) and time.monotonic() < deadline:
        time.sleep(0.002)
    longest = {"step": 0.05, "checkpoint": 0.02, "evaluation": 1.5, "publication": 0.3}[moment]
    time.sleep(chance.uniform(0, longest))
    ran.send_signal(signal.SIGKILL)
    said = ran.communicate()[1]
    if ran.returncode != -signal.SIGKILL:
        return f"too late for {moment}" if ran.returncode == 0 else f"failed by itself: {said}"
    events = job.events(name)
    step = next((event["step"] for event in reversed(events) if event["event"] == "step"), 0)
    return f"{moment}, step {step}"


def _reached(job: Job, name: str, moment: str, chance: random.Random) -> Callable[[list[dict[str, Any]]], bool]:
    after = chance.randint(1, 30) if moment in ("step", "checkpoint") else 0
    writing = job.folder / name / "checkpoints" / ".writing"

    def steps(events: list[dict[str, Any]]) -> int:
        return sum(event["event"] == "step" for event in events)

    if moment == "step":
        return lambda events: steps(events) >= after
    if moment == "checkpoint":
        return lambda events: steps(events) >= after and writing.exists()
    return lambda events: any(e["event"] == "start" and e["stage"] == moment for e in events)


def killed(job: Job, name: str, moments: list[str], chance: random.Random) -> dict[str, Any]:
    """A run that is killed at each of `moments`, and ends."""
    arguments, stood = job.run(name), []
    for moment in moments:
        stood.append(kill(job, name, arguments, moment, chance))
        begun = (job.folder / name / "run.json").exists()
        arguments = ["resume", name] if begun else arguments
    job.finish(["resume", name])
    resumed = [event["step"] for event in job.events(name) if event["event"] == "resumed"]
    return {"run": name, "killed at": stood, "went on after": resumed, **job.end(name)}


@contextmanager
def workshop(real: bool) -> Generator[Job]:
    """A folder with the data, and a local Hub with the model."""
    import tiny  # ty: ignore[import-not-found]

    from tunekit_hub.localhub import weights
    from tunekit_hub.localhub.server import running

    size = REAL if real else TINY
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        rows = "".join(json.dumps(row) + "\n" for row in tiny.chats(size["rows"]))
        (folder / "chats.jsonl").write_text(rows)
        if real:
            base = weights.from_wheel("HuggingFaceTB/SmolLM2-135M-Instruct").folder
        else:
            base = tiny.save_model(folder / "base")
        with running(folder / "hub", {TOKEN: "you"}) as hub:
            env = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN, "HF_HOME": str(folder / "home")}
            env |= {"PYTHONPATH": str(ROOT), "HF_HUB_DISABLE_XET": "1", "NO_COLOR": "1"}
            upload(base, hub.endpoint)
            yield Job(folder, "you/base", size, env)


def main() -> int:
    """Run the table."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--kills", type=int, default=10)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--chain", action="store_true", help="all of them in one run")
    asked.add_argument("--real", action="store_true", help="SmolLM2-135M-Instruct")
    asked.add_argument("--moments", default=",".join(MOMENTS), help="taken in turn")
    asked.add_argument("--json", action="store_true")
    given = asked.parse_args()
    os.environ["HF_HUB_DISABLE_XET"] = "1"
    chance = random.Random(given.seed)
    named = given.moments.split(",")
    moments = [named[n % len(named)] for n in range(given.kills)]
    with workshop(given.real) as job:
        job.finish(job.run("unbroken"))
        unbroken = job.end("unbroken")
        if given.chain:
            line = ("step", "checkpoint", "evaluation", "publication")
            plans = [sorted(moments, key=line.index)]
        else:
            plans = [[moment] for moment in moments]
        found = []
        for number, plan in enumerate(plans, 1):
            found.append(killed(job, f"killed-{number}", plan, chance))
            found[-1]["difference"] = abs(found[-1]["loss"] - unbroken["loss"])
            if not given.json:
                _say(found[-1])
    if given.json:
        print(json.dumps({"unbroken": unbroken, "killed": found}))  # noqa: T201
    alike = ("status", "published", "files")
    good = all(one["difference"] <= SAME and all(one[k] == unbroken[k] for k in alike) for one in found)
    return 0 if good and unbroken["status"] == "done" else 1


def _say(one: dict[str, Any]) -> None:
    stood, after = "; ".join(one["killed at"]), ", ".join(map(str, one["went on after"])) or "–"
    print(  # noqa: T201
        f"{one['run']:<10}  killed at {stood:<28}  went on after {after:<8}  "
        f"loss {one['loss']:.6f}  difference {one['difference']:.1e}  {one['status']}",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
