"""The straight line: the stages in order, `run.json` after each, the publish rehearsal before training."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunekit_hub import (
    evaluation,
    event_log,
    planning,
    profiling,
    publication,
    recommendation,
    runfile,
    selection,
    storage,
    training,
)
from tunekit_hub.errors import TunekitError
from tunekit_hub.facts import Options, Record
from tunekit_hub.hardware import named as named_hardware
from tunekit_hub.hub import Hub
from tunekit_hub.records import Evaluation
from tunekit_hub.runfile import Failure, Run
from tunekit_hub.starting import evaluated, require_for_training
from tunekit_hub.starting import forget as forget
from tunekit_hub.starting import start as start
from tunekit_hub.trainers import OnEvent
from tunekit_hub.wishes import asked_for


@dataclass(frozen=True)
class _Line:
    """Where a run stands, for the next stage."""

    run: Run
    out: Path
    hub: Hub
    tell: OnEvent
    keep: Callable[[Record], None]  # a record that is not whole yet, and what was done for it must not be lost


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
    "publication": lambda at: publication.go_on(
        at.run.evaluation,
        at.run.options.publishing,
        hub=at.hub,
        on_event=at.tell,
        before=at.run.publication,
        keep=at.keep,
    ),
}


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


def publish(
    out: str | Path, repo_id: str, *, hub: Hub | None = None, on_event: OnEvent | None = None, **publishing: Any
) -> Run:
    """Publish what the run in `out` has evaluated. Where that is refused, the run stays as it was.

    Args:
        out: the run folder.
        repo_id: where to, `namespace/name`.
        hub: the Hub to publish to.
        on_event: called with a dict about what takes its time.
        publishing: fields of `tunekit_hub.facts.Publishing`; the others are those that the run was started with.

    Raises:
        RunError: `out` holds no run, or one that is not evaluated, or another process is at work on it.
        TunekitError: as `publication.publish`.
    """
    out = Path(out)
    with storage.writing(out), runfile.locked(out):
        tell, before = event_log.keep(out, on_event), evaluated(out)
        options = asked_for(Options, **before.options.model_dump() | publishing | {"push_to": repo_id})
        now = before.but(options=options, record=before.evaluation, stage="publication", error=None)

        def keep(record: Record) -> None:
            nonlocal now
            now = now.but(record=record, status="interrupted")  # until the rest is done
            runfile.save(now, out)

        how: dict[str, Any] = {"hub": hub or Hub(), "on_event": tell, "before": before.publication, "keep": keep}
        try:
            done = publication.go_on(before.evaluation, options.publishing, afresh=True, **how)
        except TunekitError as error:
            if now.publication is not None:  # something is on the Hub, and not as it should be
                _end(now.but(status="failed", error=Failure.of(error)), out)
            raise
        now = now.but(record=done, status="done")
        runfile.save(now, out)
        tell({"event": "stage", "stage": "publication", "record": done})
        return now


def _resume(out: Path, hub: Hub, on_event: OnEvent | None, until: str, running: dict[str, Any]) -> Run:
    tell = event_log.keep(out, on_event)
    now = runfile.load(out).but(status="running", error=None)
    now = now.but(options=asked_for(Options, **now.options.model_dump() | running))
    wanted = list(STAGES)[: list(STAGES).index(until) + 1]
    if now.options.push_to is None and "publication" in wanted:
        wanted.remove("publication")

    def keep(record: Record) -> None:
        nonlocal now
        now = now.but(record=record)
        runfile.save(now, out)

    try:
        if "training" in wanted and now.training is None:
            require_for_training(now.options)
        for name in wanted:
            if _is_done(now, name):
                continue
            now = now.but(stage=name)
            with storage.writing(out, then=f"`tunekit-hub resume {out}`"):
                if name == "training":
                    now = _rehearse(now, hub, tell)
                runfile.save(now, out)
                tell({"event": "start", "stage": name})
                now = now.but(record=STAGES[name](_Line(now, out, hub, tell, keep)))
                runfile.save(now, out)
                if name == "training":
                    training.forget_checkpoints(out)  # what they were kept for is in `run.json` now
                tell({"event": "stage", "stage": name, "record": now.record})
    except TunekitError as error:
        _end(now.but(status="failed", error=Failure.of(error)), out)
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
    done = run(asked_for(Options, source=str(source), **options), out_dir, hub=hub, on_event=on_event)
    return done.evaluation


def _is_done(run: Run, stage: str) -> bool:
    """Whether a stage has nothing left to do."""
    if stage == "publication":
        return publication.complete(run.publication, run.options.publishing)
    return getattr(run, stage) is not None


def _end(run: Run, out: Path) -> None:
    """Keep how the run ended, if the disk takes it; what ended it is to be said in any case."""
    with contextlib.suppress(OSError):
        runfile.save(run, out)


def _rehearse(run: Run, hub: Hub, tell: OnEvent) -> Run:
    """Try the publish before hours of training."""
    if run.options.push_to is None or run.rehearsal is not None:
        return run
    tell({"event": "start", "stage": "rehearsal"})
    found = publication.rehearse(run.plan, run.options.push_to, run.options.publishing, hub=hub)
    tell({"event": "stage", "stage": "rehearsal", "record": found})
    return run.but(rehearsal=found)
