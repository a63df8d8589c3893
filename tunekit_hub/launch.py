"""Training in several processes: `accelerate launch` starts them, and their events come back here.

They get the plan and the folder of the base model in a file, and everything else from the disk: no token reaches
them. One file tells them to stop, another brings their events, and a third their result.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunekit_hub import errors
from tunekit_hub.errors import RunError, TrainingFailed, TunekitError, UsageError
from tunekit_hub.facts import Record, Running
from tunekit_hub.records import Plan, Supervision, TrainResult
from tunekit_hub.trainers import OnEvent
from tunekit_hub.trainers._stop import PARENT, STOP_FILE, Stop

FOLDER, LOG, LOCK = ".processes", "processes.log", ".processes.lock"
_JOB, _EVENTS, _RESULT, _STOP = "job.json", "events.jsonl", "result.json", "stop"
_MEMORY = "OutOfMemory"
_PATIENCE = 120.0  # seconds that the processes of a killed run have to notice it
_LOOK = 0.1  # seconds between looks at the processes


def alone(running: Running) -> bool:
    """Whether one process is enough."""
    return running.processes == 1 and running.accelerate_config is None


def together(
    plan: Plan, base: Path, run_dir: Path, tell: OnEvent, running: Running, endpoint: str | None
) -> TrainResult:
    """Train in several processes; `base` is the folder of the base model, `endpoint` the Hub's that data are from.

    Raises:
        UsageError: more processes than GPUs.
        TrainingFailed: a process died; the last checkpoint is kept.
        KeyboardInterrupt, SystemExit: a signal came, and they have saved.
        TunekitError: as it was raised in one of them.
    """
    _check(plan, running)
    adjusted: list[str] = []
    now = plan
    while True:
        with _workplace(run_dir) as work:
            job = {"base": str(base), "endpoint": endpoint}
            job |= {"plan": now.model_dump(mode="json"), "running": running.model_dump()}
            (work / _JOB).write_text(json.dumps(job), encoding="utf-8")
            code = _run(run_dir, work, tell, running)
            if code == 0:
                done = TrainResult.model_validate_json((work / _RESULT).read_text(encoding="utf-8"))
                return done.but(plan=plan, run_dir=str(run_dir), adjustments=(*adjusted, *done.adjustments))
            failed = _failure(run_dir, work, code)
        smaller = _halved(now)
        if failed.hint != _MEMORY or smaller is None:
            raise failed if failed.hint != _MEMORY else _too_big(now)
        what = f"out of memory: {_batch(now)} → {_batch(smaller)}"
        adjusted.append(what)
        tell({"event": "adjusted", "message": what})
        tell({"event": "note", "message": what})
        now = smaller


def one_of_several(train: Callable[..., TrainResult]) -> None:
    """What each process does: `train` as the job in the run folder named on its command line says."""
    from tunekit_hub.hub import Hub
    from tunekit_hub.trainers._lasting import memory_ended

    run_dir, rank = Path(sys.argv[1]), int(os.environ["RANK"])
    work = run_dir / FOLDER
    job = json.loads((work / _JOB).read_text(encoding="utf-8"))
    running = Running.model_validate(job["running"]).but(processes=int(os.environ["WORLD_SIZE"]))
    tell = _writer(work / _EVENTS) if rank == 0 else lambda _: None
    with _only(run_dir, rank):
        try:
            hub = Hub(endpoint=job["endpoint"])
            done = train(Plan.model_validate(job["plan"]), Path(job["base"]), run_dir, hub, tell, running)
        except TunekitError as error:
            known = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
            (work / f"error-{rank}.json").write_text(json.dumps(known), encoding="utf-8")
            raise SystemExit(1) from error
        except (RuntimeError, MemoryError) as error:
            if memory_ended(error):
                (work / f"error-{rank}.json").write_text(json.dumps({"kind": _MEMORY}), encoding="utf-8")
            raise
        if rank == 0:
            (work / _RESULT).write_text(done.model_dump_json(), encoding="utf-8")


def _check(plan: Plan, running: Running) -> None:
    hardware = plan.selection.request.hardware
    if hardware.device == "cuda" and running.accelerate_config is None and running.processes > len(hardware.gpus):
        raise UsageError(
            f"{running.processes} processes need as many GPUs; this machine has {len(hardware.gpus)}",
            f"`--processes {len(hardware.gpus)}`, or several machines by `--accelerate-config FILE`",
        )


@contextmanager
def _workplace(run_dir: Path) -> Generator[Path]:
    """An empty folder for what goes to the processes and comes from them."""
    import filelock

    run_dir.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(run_dir / LOCK, timeout=_PATIENCE):
            pass  # nobody is at work there any more
    except filelock.Timeout as error:
        raise RunError(
            f"processes of an earlier training are still at work in `{run_dir}`", "end them, or wait for them"
        ) from error
    work = run_dir / FOLDER
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _only(run_dir: Path, rank: int) -> Generator[None]:
    """Processes whose parent was killed are found by this lock, which the first of them holds."""
    import filelock

    if rank:
        yield
        return
    with filelock.FileLock(run_dir / LOCK):
        yield


def _run(run_dir: Path, work: Path, tell: OnEvent, running: Running) -> int:
    """Start the processes and pass their events on until they end; the exit code.

    Raises:
        KeyboardInterrupt, SystemExit: a signal came; the second one kills them.
    """
    stop, read = Stop(), _reader(work / _EVENTS, tell)
    with (run_dir / LOG).open("ab") as log:
        # In a group of its own: Ctrl-C in the terminal reaches this process alone, which tells the others.
        launched = subprocess.Popen(
            _command(run_dir, running), env=_environment(work), stdout=log, stderr=log, start_new_session=True
        )
    try:
        with stop.listening():
            while launched.poll() is None:
                if stop.wanted:
                    (work / _STOP).touch()
                read()
                time.sleep(_LOOK)
        read()
    finally:
        if launched.poll() is None:
            os.killpg(launched.pid, signal.SIGKILL)
            launched.wait()
    if stop.wanted and launched.returncode:
        stop.obey()
    return launched.returncode


def _command(run_dir: Path, running: Running) -> list[str]:
    config = running.accelerate_config
    number = ["--num_processes", str(running.processes)] if running.processes > 1 else []
    plain = ["--multi_gpu", "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    how = ["--config_file", config] if config else [*plain, "--main_process_port", "0"]
    launcher = [sys.executable, "-m", "accelerate.commands.launch"]
    return [*launcher, *how, *number, "-m", "tunekit_hub.training", str(run_dir)]


def _environment(work: Path) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
    }
    ours = {STOP_FILE: str((work / _STOP).resolve()), PARENT: str(os.getpid()), "HF_HUB_OFFLINE": "1"}
    return kept | ours


def _writer(path: Path) -> OnEvent:
    def tell(event: dict[str, Any]) -> None:
        plain = {name: v.model_dump(mode="json") if isinstance(v, Record) else v for name, v in event.items()}
        with path.open("a", encoding="utf-8") as out:
            out.write(json.dumps(plain) + "\n")

    return tell


def _reader(path: Path, tell: OnEvent) -> Callable[[], None]:
    """Passes on the events that were added since the last call."""
    done = 0

    def read() -> None:
        nonlocal done
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(done)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                done += len(line)
                event = json.loads(line)
                if event["event"] == "supervision":
                    event["record"] = Supervision.model_validate(event["record"])
                tell(event)

    return read


def _failure(run_dir: Path, work: Path, code: int) -> TunekitError:
    """The error of the process that failed first."""
    for path in sorted(work.glob("error-*.json"), key=lambda path: path.stat().st_mtime):
        known = json.loads(path.read_text(encoding="utf-8"))
        if known["kind"] == _MEMORY:
            return TrainingFailed("out of memory", _MEMORY)
        return getattr(errors, known["kind"])(known["message"], known["hint"])
    return TrainingFailed(
        f"a process of the training died (`accelerate launch` ended with {code}); the last checkpoint is kept",
        f"what it said is in `{run_dir / LOG}`; go on with `tunekit-hub resume {run_dir}`",
    )


def _halved(plan: Plan) -> Plan | None:
    """The same rows a step in smaller batches; None for a batch of one."""
    rows = plan.batch_size * plan.accumulation
    batch = next((size for size in range(plan.batch_size // 2, 0, -1) if rows % size == 0), None)
    return plan.but(batch_size=batch, accumulation=rows // batch) if batch else None


def _batch(plan: Plan) -> str:
    return f"{plan.batch_size} rows at a time, {plan.accumulation} times a step"


def _too_big(plan: Plan) -> TrainingFailed:
    from tunekit_hub.trainers._session import out_of_memory

    return out_of_memory(plan, rows=1)
