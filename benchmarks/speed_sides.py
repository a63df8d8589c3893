"""What the speed benchmarks share: a side is a whole process that is watched, and a row of the table."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parent.parent
OURS = [sys.executable, "-c", "from tunekit_hub.cli import main; raise SystemExit(main())"]
TOKEN = "hf_" + "s" * 34
LONGEST = 3600.0  # seconds of a process
_LOOK, _FAMILY = 0.2, 10  # seconds between looks at the memory, and looks between those for new children
COLUMNS = ("tokens/s", "start-up s", "peak GB", "wall s", "computed", "steps")


@dataclass
class Side:
    """A command to measure; `{out}` in it is a folder of its own for each repeat."""

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    before: Callable[[Path], Any] = lambda _: None  # puts into the folder what the command finds there
    model: str = ""  # where in the folder it leaves the model
    found: list[dict[str, float]] = field(default_factory=list)
    quality: float = float("nan")


def measure(side: Side, out: Path) -> dict[str, float]:
    """Run the side once, as a process with children; what was seen of it.

    Raises:
        SystemExit: it failed, or it trained nothing; with its last words.
    """
    side.before(out)
    log, said = out.with_suffix(".watch"), out.with_suffix(".log")
    paths = [str(ROOT / "benchmarks" / "watch"), str(ROOT)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "SPEED_LOG": str(log), **side.environment}
    env |= {"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_XET": "1", "NO_COLOR": "1"}
    began = time.time()
    with said.open("w", encoding="utf-8") as output:
        arguments = [part.replace("{out}", str(out)) for part in side.command]
        ran = subprocess.Popen(arguments, cwd=out.parent, env=env, stdout=output, stderr=output)
        peak = _peak(ran)
    ended = time.time()
    if ran.returncode or not log.exists():
        words = said.read_text(encoding="utf-8")[-2000:]
        raise SystemExit(f"`{side.name}` ended with {ran.returncode}:\n{words}")
    seen = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    return {
        "tokens/s": seen["tokens"] / (seen["end"] - seen["begin"]),
        "start-up s": seen["begin"] - began,
        "peak GB": peak / 1e9,
        "wall s": ended - began,
        "computed": seen["computed"] / seen["tokens"],
        "steps": seen["steps"],
    }


def _peak(ran: subprocess.Popen[Any]) -> int:
    """Bytes of the process and its children together, the most that was seen, up to its end."""
    most, deadline = 0, time.monotonic() + LONGEST
    watched, family, looks = psutil.Process(ran.pid), [], 0
    while ran.poll() is None:
        if time.monotonic() > deadline:
            for process in [*watched.children(recursive=True), watched]:
                process.kill()
        try:
            if looks % _FAMILY == 0:  # it looks at every process there is, which takes time from what is measured
                family = [watched, *watched.children(recursive=True)]
            most = max(most, sum(process.memory_info().rss for process in family))
            looks += 1
        except psutil.Error:  # one has ended
            looks = 0
        time.sleep(_LOOK)
    return most


def alternate(sides: Sequence[Side], work: Path, repeats: int) -> None:
    """Every side once, then every side again, so that what slows the machine for a while slows all of them."""
    for repeat in range(1, repeats + 1):
        for side in sides:
            found = measure(side, folder(side, work, repeat))
            side.found.append(found)
            figures = ", ".join(f"{name} {_written(name, value)}" for name, value in found.items())
            say(f"{repeat}/{repeats} {side.name}: {figures}")


def folder(side: Side, work: Path, repeat: int) -> Path:
    """Where a repeat of the side has what it writes."""
    return work / f"{side.name.replace(' ', '-')}-{repeat}"


def median(side: Side, column: str) -> float:
    """Of all repeats."""
    return statistics.median(one[column] for one in side.found)


def table(sides: Sequence[Side], quality: str) -> str:
    """A Markdown row a side, with the ratios to the first one."""
    head = ["side", *COLUMNS, quality, "× tokens/s", "± of repeats"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for side in sides:
        speeds = [one["tokens/s"] for one in side.found]
        middle = median(side, "tokens/s")
        cells = [_written(name, median(side, name)) for name in COLUMNS]
        spread = (max(speeds) - min(speeds)) / 2 / middle
        ratio = middle / median(sides[0], "tokens/s")
        ends = [f"{side.quality:.4f}", f"{ratio:.2f}", f"{spread * 100:.0f} %"]
        lines.append(f"| {' | '.join([side.name, *cells, *ends])} |")
    return "\n".join(lines)


def plan(data: Path, held: Path, out: Path, settings: dict[str, Any], env: dict[str, str], model: str) -> Path:
    """A finished plan of ours in `out`, made with real commands, and the base model in the cache."""
    fixed = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    where = ["--model", model, "--test-file", str(held), "--out", str(out)]
    _finish([*OURS, "plan", str(data), *where, *fixed], env)
    made = json.loads((out / "run.json").read_text(encoding="utf-8"))
    commit = made["selection"]["revision"]
    fetch = f"from tunekit_hub.hub import Hub; Hub().fetch({model!r}, {commit!r})"
    _finish([sys.executable, "-c", fetch], env)
    return out


def upload(base: Path, endpoint: str) -> None:
    """The base model as `you/base` on a Hub, with a card that allows everything that is done with it."""
    from huggingface_hub import HfApi

    api = HfApi(endpoint=endpoint, token=TOKEN)
    api.create_repo("you/base")
    api.upload_folder(repo_id="you/base", folder_path=base)
    card = b"---\nlicense: apache-2.0\n---\n# Base\n"
    api.upload_file(repo_id="you/base", path_or_fileobj=card, path_in_repo="README.md")


def _finish(command: Sequence[str], env: dict[str, str]) -> None:
    ran = subprocess.run(
        command,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        timeout=LONGEST,
    )
    if ran.returncode:
        raise SystemExit(f"`{' '.join(command[-8:])}` ended with {ran.returncode}:\n{ran.stderr[-2000:]}")


def say(line: str) -> None:
    """One line on the screen, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _written(name: str, value: float) -> str:
    return {"computed": f"{value * 100:.0f} %", "steps": f"{value:.0f}", "peak GB": f"{value:.2f}"}.get(
        name, f"{value:.1f}"
    )
