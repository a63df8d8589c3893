"""The straight line: the stages in order, `run.json` after each, the publish rehearsal before training."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunekit_hub import (
    evaluation,
    event_log,
    extras,
    named_hardware,
    planning,
    profiling,
    publication,
    recommendation,
    runfile,
    selection,
    settings,
    storage,
    training,
)
from tunekit_hub.errors import RunError, TunekitError, UsageError
from tunekit_hub.facts import Options, Record
from tunekit_hub.hub import Hub
from tunekit_hub.records import Evaluation
from tunekit_hub.runfile import Failure, Run
from tunekit_hub.trainers import OnEvent
from tunekit_hub.version import __version__


@dataclass(frozen=True)
class _Line:
    """Where a run stands, for the next stage."""

    run: Run
    out: Path
    hub: Hub
    tell: OnEvent


# What each stage makes of the run so far. The order is the line.
STAGES: dict[str, Callable[[_Line], Record]] = {
    "profile": lambda at: profiling.profile(
        at.run.options.source,
        task=at.run.options.task,
        columns=at.run.options.columns,
        max_rows=at.run.options.max_rows,
        test_file=at.run.options.test_file,
        hub=at.hub,
    ),
    "recommendation": lambda at: recommendation.recommend(at.run.profile, at.run.options.description),
    "selection": lambda at: selection.select(
        at.run.recommendation,
        use=at.run.options.use,
        model=at.run.options.model,
        accepted_licenses=at.run.options.accepted_licenses,
        dataset_license=at.run.options.dataset_license,
        explore=at.run.options.explore,
        max_time=at.run.options.max_time,
        hardware=named_hardware.chosen(at.run.options.hardware),
        hub=at.hub,
    ),
    "plan": lambda at: planning.plan(
        at.run.selection, seed=at.run.options.seed, hub=at.hub, **at.run.options.settings
    ),
    "training": lambda at: training.train(
        at.run.plan, at.out, hub=at.hub, on_event=at.tell, running=at.run.options.running
    ),
    "evaluation": lambda at: evaluation.evaluate(at.run.training, hub=at.hub, on_event=at.tell),
    "publication": lambda at: publication.publish(
        at.run.evaluation, at.run.options.push_to or "", private=at.run.options.private, hub=at.hub
    ),
}


def start(options: Options, out: str | Path) -> Run:
    """A new run in `out`, with nothing done yet.

    Raises:
        PlanError: a setting that cannot be.
        RunError: `out` already holds a run that was trained or is in work, or something else.
    """
    out = Path(out)
    settings.check_settings(options.settings)
    named_hardware.chosen(options.hardware)  # an unknown name is refused before anything is done
    options = options.but(
        **{name: _absolute(getattr(options, name)) for name in ("source", "test_file", "accelerate_config")}
    )
    if (out / runfile.NAME).exists():
        before = runfile.load(out)
        if before.training is not None or before.status == "running":
            raise RunError(
                f"`{out}` already holds a run",
                f"go on with it: `tunekit-hub resume {out}`; or name another: `--out DIR`",
            )
        (out / "events.jsonl").unlink(missing_ok=True)  # nothing was trained there: it begins anew
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"`{out}` exists and is not an empty folder", "name another: `--out DIR`")
    run = Run(options=options, versions={"tunekit_hub": __version__})
    with storage.writing(out):
        runfile.save(run, out)
    return run


def run(options: Options, out: str | Path, *, hub: Hub | None = None, on_event: OnEvent | None = None) -> Run:
    """All stages in the new folder `out`; the last one, publication, only where `options.push_to` names a repo.

    Raises:
        TunekitError: as the stages do; `run.json` has it, and `resume` goes on from there.
    """
    start(options, out)
    return resume(out, hub=hub, on_event=on_event)


def resume(
    out: str | Path,
    *,
    hub: Hub | None = None,
    on_event: OnEvent | None = None,
    until: str = "publication",
    **running: Any,
) -> Run:
    """Go on with the run in `out` after the last stage it finished, up to and with the stage `until`.

    A training goes on after its newest checkpoint.

    Args:
        out: the run folder.
        hub: the Hub to ask and to fetch from.
        on_event: called with a dict at every stage and logged step.
        until: the last stage to do.
        running: fields of `tunekit_hub.facts.Running` that are to change; nothing else of a run can.

    Raises:
        RunError: `out` holds no run, or another process is at work on it.
        StorageError: the disk is full, or `out` cannot be written.
        TunekitError: as the stages do; `run.json` has it.
    """
    with storage.writing(out), runfile.locked(Path(out)):
        return _resume(Path(out), hub or Hub(), on_event, until, running)


def forget(out: str | Path, stage: str) -> None:
    """Take the result of `stage`, and of what came after it, out of the run in `out`, to do it again."""
    with runfile.locked(Path(out)):
        now = runfile.load(out)
        before = getattr(now, list(STAGES)[list(STAGES).index(stage) - 1])
        if getattr(now, stage) is not None:
            runfile.save(now.but(record=before, stage=stage, status="paused", error=None), Path(out))


def _resume(out: Path, hub: Hub, on_event: OnEvent | None, until: str, running: dict[str, Any]) -> Run:
    tell = event_log.keep(out, on_event)
    now = runfile.load(out).but(status="running", error=None)
    now = now.but(options=_options(**now.options.model_dump() | running))
    wanted = list(STAGES)[: list(STAGES).index(until) + 1]
    if now.options.push_to is None and "publication" in wanted:
        wanted.remove("publication")
    try:
        if "training" in wanted and now.training is None:
            extras.require("train", "training")  # said now, not after everything that can be done without it
            named_hardware.require_here(named_hardware.chosen(now.options.hardware))
            extras.require_reporter(now.options.report_to)
        for name in wanted:
            if getattr(now, name) is not None:
                continue
            now = now.but(stage=name)
            with storage.writing(out, then=f"`tunekit-hub resume {out}`"):
                if name == "training":
                    now = _rehearse(now, hub, tell)
                runfile.save(now, out)
                tell({"event": "start", "stage": name})
                now = now.but(record=STAGES[name](_Line(now, out, hub, tell)))
                runfile.save(now, out)
                if name == "training":
                    training.forget_checkpoints(out)  # what they were kept for is in `run.json` now
                tell({"event": "stage", "stage": name, "record": now.record})
    except TunekitError as error:
        failure = Failure(code=error.code, message=error.message, hint=error.hint)
        _end(now.but(status="failed", error=failure), out)
        raise
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else "failed"
        failure = Failure(code=type(error).__name__, message=str(error), hint=f"tunekit-hub resume {out}")
        _end(now.but(status=status, error=failure), out)
        raise
    finished = now.evaluation and (now.publication or now.options.push_to is None)
    now = now.but(status="done" if finished else "paused")
    runfile.save(now, out)
    return now


def finetune(
    source: str, out_dir: str | Path, *, hub: Hub | None = None, on_event: OnEvent | None = None, **options: Any
) -> Evaluation:
    """Profile, recommend, select, plan, train and evaluate; nothing is published.

    Args:
        source: the data.
        out_dir: a new folder for the run.
        hub: the Hub to ask and to fetch from; by default `HF_ENDPOINT` and `HF_TOKEN` as everywhere.
        on_event: called with a dict at every stage and logged step.
        options: any other field of `tunekit_hub.facts.Options`, such as `description` or `max_time`.

    Raises:
        TunekitError: as the stages do.
    """
    done = run(_options(source=str(source), **options), out_dir, hub=hub, on_event=on_event)
    return done.evaluation


def _options(**given: Any) -> Options:
    try:
        return Options(**given)
    except ValidationError as error:
        wrong = "; ".join(f"`{'.'.join(map(str, e['loc']))}`: {e['msg']}" for e in error.errors())
        raise UsageError(f"wrong options: {wrong}", f"options are: {', '.join(Options.model_fields)}") from error


def _end(run: Run, out: Path) -> None:
    """Keep how the run ended, if the disk takes it; what ended it is to be said in any case."""
    with contextlib.suppress(OSError):
        runfile.save(run, out)


def _absolute(source: str | None) -> str | None:
    """A path that holds from any folder, as the run is gone on with from any; a Hub dataset's id as it is."""
    path = Path(source).expanduser() if source else None
    return str(path.resolve()) if path and path.exists() else source


def _rehearse(run: Run, hub: Hub, tell: OnEvent) -> Run:
    """Try the publish before hours of training."""
    if run.options.push_to is None or run.rehearsal is not None:
        return run
    tell({"event": "start", "stage": "rehearsal"})
    found = publication.rehearse(run.plan, run.options.push_to, private=run.options.private, hub=hub)
    tell({"event": "stage", "stage": "rehearsal", "record": found})
    return run.but(rehearsal=found)
