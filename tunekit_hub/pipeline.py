"""The straight line: the stages in order, `run.json` after each, the publish rehearsal before training."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunekit_hub import (
    evaluation,
    extras,
    planning,
    profiling,
    publication,
    recommendation,
    runfile,
    selection,
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
    ),
    "recommendation": lambda at: recommendation.recommend(at.run.profile, at.run.options.description),
    "selection": lambda at: selection.select(
        at.run.recommendation,
        use=at.run.options.use,
        model=at.run.options.model,
        accepted_licenses=at.run.options.accepted_licenses,
        max_time=at.run.options.max_time,
        hub=at.hub,
    ),
    "plan": lambda at: planning.plan(
        at.run.selection, seed=at.run.options.seed, hub=at.hub, **at.run.options.settings
    ),
    "training": lambda at: training.train(at.run.plan, at.out, hub=at.hub, on_event=at.tell),
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
    planning.check_settings(options.settings)
    if Path(options.source).expanduser().is_file():  # the run is gone on with from any folder
        options = options.but(source=str(Path(options.source).expanduser().resolve()))
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
    out: str | Path, *, hub: Hub | None = None, on_event: OnEvent | None = None, until: str = "publication"
) -> Run:
    """Go on with the run in `out` after the last stage it finished, up to and with the stage `until`."""
    out, hub = Path(out), hub or Hub()
    tell = _recorder(out, on_event)
    now = runfile.load(out).but(status="running", error=None)
    wanted = list(STAGES)[: list(STAGES).index(until) + 1]
    if now.options.push_to is None and "publication" in wanted:
        wanted.remove("publication")
    try:
        if "training" in wanted and now.training is None:
            extras.require("train", "training")  # said now, not after everything that can be done without it
        for name in wanted:
            if getattr(now, name) is not None:
                continue
            now = now.but(stage=name)
            if name == "training":
                now = _rehearse(now, hub, tell)
            runfile.save(now, out)
            tell({"event": "start", "stage": name})
            now = now.but(record=STAGES[name](_Line(now, out, hub, tell)))
            runfile.save(now, out)
            tell({"event": "stage", "stage": name, "record": now.record})
    except TunekitError as error:
        failure = Failure(code=error.code, message=error.message, hint=error.hint)
        runfile.save(now.but(status="failed", error=failure), out)
        raise
    except BaseException as error:
        status = "interrupted" if isinstance(error, KeyboardInterrupt | SystemExit) else "failed"
        failure = Failure(code=type(error).__name__, message=str(error), hint=f"tunekit-hub resume {out}")
        runfile.save(now.but(status=status, error=failure), out)
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
    try:
        asked = Options(source=str(source), **options)
    except ValidationError as error:
        wrong = "; ".join(f"`{'.'.join(map(str, e['loc']))}`: {e['msg']}" for e in error.errors())
        raise UsageError(f"wrong options: {wrong}", f"options are: {', '.join(Options.model_fields)}") from error
    done = run(asked, out_dir, hub=hub, on_event=on_event)
    return done.evaluation


def _rehearse(run: Run, hub: Hub, tell: OnEvent) -> Run:
    """Try the publish before hours of training."""
    if run.options.push_to is None or run.rehearsal is not None:
        return run
    tell({"event": "start", "stage": "rehearsal"})
    found = publication.rehearse(run.plan, run.options.push_to, private=run.options.private, hub=hub)
    tell({"event": "stage", "stage": "rehearsal", "record": found})
    return run.but(rehearsal=found)


def _recorder(out: Path, on_event: OnEvent | None) -> OnEvent:
    """Pass events on, and keep them as JSON lines in the run folder; records are in `run.json` already."""

    def tell(event: dict[str, Any]) -> None:
        kept = {name: value for name, value in event.items() if not isinstance(value, Record) and name != "proof"}
        with (out / "events.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps({"time": round(time.time(), 3)} | kept, ensure_ascii=False) + "\n")
        if on_event:
            on_event(event)

    return tell
