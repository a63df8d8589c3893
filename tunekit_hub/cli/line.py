"""The commands of the line: from a dataset to a published model, at once or stage by stage."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunekit_hub import shapes
from tunekit_hub.cli import output
from tunekit_hub.cli.options import (
    choice_options,
    data_options,
    default_out,
    json_option,
    options_from,
    plan_options,
    run_argument,
    running_options,
)
from tunekit_hub.cli.publishing import publish, publishing_options, push_to_option
from tunekit_hub.errors import NoUsableModel

if TYPE_CHECKING:
    from tunekit_hub.facts import Options
    from tunekit_hub.progress import Progress
    from tunekit_hub.runfile import Run

out_option = click.option("--out", type=click.Path(path_type=Path), help="Run folder; runs/NAME by default.")


@click.command()
@click.argument("data")
@push_to_option
@out_option
@data_options
@choice_options
@plan_options
@running_options
@publishing_options
@json_option
def run(data: str, out: Path | None, as_json: bool, **asked: Any) -> None:
    """Fine-tune on DATA, from the first look to the published model."""
    from tunekit_hub import pipeline

    options = options_from(data, asked)
    out = out or default_out(data, options.push_to)
    with output.progress(as_json, out) as progress:
        done = pipeline.run(options, out, on_event=progress)
    _finish(done, out, as_json)


@click.command()
@click.argument("data")
@data_options
@json_option
def profile(data: str, as_json: bool, **asked: Any) -> None:
    """Say what DATA holds and which task it fits."""
    with tempfile.TemporaryDirectory() as folder, output.progress(as_json) as progress:
        found = _until("profile", options_from(data, asked), Path(folder), progress, as_json).profile
    if as_json:
        output.emit(shapes.profile_json(found))


@click.command()
@click.argument("data")
@data_options
@choice_options
@json_option
def recommend(data: str, as_json: bool, **asked: Any) -> None:
    """Say which model suits DATA, and which may be used here and now."""
    from tunekit_hub import runfile

    with tempfile.TemporaryDirectory() as folder, output.progress(as_json) as progress:
        try:
            found = _until("selection", options_from(data, asked), Path(folder), progress, as_json)
        except NoUsableModel as error:
            if as_json:
                before = runfile.load(folder)
                output.emit(_advice(before) | {"verdicts": shapes.verdicts_json(error.verdicts)})
            raise
    if as_json:
        output.emit(_advice(found))


@click.command()
@click.argument("data")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the plan in this new folder, for `train`.")
@data_options
@choice_options
@plan_options
@running_options
@push_to_option
@publishing_options
@json_option
def plan(data: str, out: Path | None, as_json: bool, **asked: Any) -> int:
    """Say how a model would be trained on DATA, and whether it fits.

    FITS, TIGHT or NO, and for the last exit code 1. With `--out` the plan is kept for `train`.
    """
    from tunekit_hub import runfile

    options = options_from(data, asked)
    with tempfile.TemporaryDirectory() as scratch, output.progress(as_json) as progress:
        try:
            planned = _until("plan", options, out or Path(scratch), progress, as_json)
        except NoUsableModel as error:
            if not output.too_large(options, error.verdicts, as_json):
                raise
            return 1
    if as_json:
        output.emit(runfile.flat(planned.record))
    if out:
        click.echo(f"\nkept in {out}; go on with `tunekit-hub train {out}`", err=True)
    return int(planned.plan.fit == "no")


@click.command()
@run_argument
@running_options
@json_option
def train(run: Path, as_json: bool, **running: Any) -> None:
    """Train what the plan in the folder RUN says.

    A training that was stopped goes on after its newest checkpoint.
    """
    _resume(run, "training", as_json, running)


@click.command()
@run_argument
@click.option("--again", is_flag=True, help="Measure again, even though it was done; what was published stays.")
@json_option
def evaluate(run: Path, again: bool, as_json: bool) -> None:
    """Measure the model of the folder RUN, and reload it.

    It is held against baselines on rows that it was not trained on; reloaded in a fresh process, it must answer
    the same.
    """
    from tunekit_hub import pipeline

    if again:
        pipeline.forget(run, "evaluation")
    _resume(run, "evaluation", as_json)


@click.command()
@run_argument
@running_options
@json_option
def resume(run: Path, as_json: bool, **running: Any) -> None:
    """Go on with the run in the folder RUN where it stopped.

    That is after the last stage it finished; within its training, after the newest checkpoint.
    """
    _resume(run, "publication", as_json, running)


COMMANDS = (run, profile, recommend, plan, train, evaluate, publish, resume)


def _until(stage: str, options: Options, out: Path, progress: Progress, as_json: bool) -> Run:
    """A new run up to and with `stage`; pages are for people, so JSON does without them."""
    from tunekit_hub import pipeline

    pipeline.start(options, out)
    return pipeline.resume(out, until=stage, on_event=None if as_json else progress)


def _resume(out: Path, until: str, as_json: bool, running: dict[str, Any] | None = None) -> None:
    """Go on with a run as far as `until`."""
    from tunekit_hub import pipeline, runfile

    before = runfile.load(out)
    if getattr(before, until) is not None or before.status == "done":
        done = {"training": "trained", "evaluation": "evaluated"}.get(until, "done")
        click.echo(f"{out} is {done} already, so there is nothing to do", err=True)
    with output.progress(as_json, out) as progress:
        changed = {name: value for name, value in (running or {}).items() if value is not None}
        done = pipeline.resume(out, until=until, on_event=progress, **changed)
    _finish(done, out, as_json)


def _finish(done: Run, out: Path, as_json: bool) -> None:
    """The JSON of a run, or the next command."""
    from tunekit_hub import runfile

    if as_json:
        output.emit({"run": str(out), "status": done.status, **runfile.flat(done.record)})
    following = {"plan": "train", "training": "evaluate"}.get(done.stage)
    if following:
        click.echo(f"\nnext: `tunekit-hub {following} {out}`", err=True)
    elif done.publication is None:
        click.echo(f"\nnext: `tunekit-hub publish {out} NAME/REPO`", err=True)


def _advice(found: Run) -> dict[str, Any]:
    """Profile, recommendation and selection, as `recommend --json` prints them."""
    return {
        "profile": shapes.profile_json(found.profile),
        "recommendation": shapes.recommendation_json(found.recommendation),
        "selection": shapes.selection_json(found.selection) if found.selection else None,
    }
