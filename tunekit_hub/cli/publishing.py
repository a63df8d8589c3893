"""`tunekit-hub publish`, and the options of publishing that `run` and `plan` have too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tunekit_hub.cli import output
from tunekit_hub.cli.options import all_options, json_option, run_argument

public_option = click.option(
    "--public/--private", "public", default=None, help="For everybody, or not; private by default."
)
publishing_options = all_options(
    public_option,
    click.option(
        "--weights",
        type=click.Choice(["adapter", "merged", "full"]),
        help="Of a chat model: the adapter alone, as trained, or merged into its base. Others are always whole.",
    ),
    click.option(
        "--pr/--no-pr", "pull_request", default=None, help="Propose it as a pull request, instead of committing."
    ),
    click.option("--overwrite/--no-overwrite", default=None, help="Replace a model that is not one of ours."),
    click.option(
        "--revision", "push_revision", metavar="BRANCH", help="Publish to this branch, made if it is not there."
    ),
    click.option("--tag", "tags", metavar="TAG", multiple=True, help="Tag the commit, such as v1 (repeatable)."),
    click.option("--collection", metavar="TITLE", help="Add it to this collection, by title or slug."),
    click.option(
        "--on-mismatch",
        type=click.Choice(["mark", "delete"]),
        help="Where what was published predicts otherwise: say so on its card (the default), or delete it again.",
    ),
)
push_to_option = click.option(
    "--push-to", metavar="NAME/REPO", help="Publish here when done; tried out before training."
)


@click.command()
@run_argument
@click.argument("repo")
@publishing_options
@click.option("--dry-run", is_flag=True, help="Show what would be published, and write nothing.")
@json_option
def publish(run: Path, repo: str, dry_run: bool, as_json: bool, **asked: Any) -> None:
    """Publish the model of the folder RUN as REPO (NAME/REPO).

    It has to be evaluated. What is not given here is as the run was started with. Publishing again sends only what
    differs.
    """
    from tunekit_hub import pipeline, runfile

    wishes = given(asked)
    if dry_run:
        _show(run, repo, wishes, as_json)
        return
    with output.progress(as_json) as progress:
        done = pipeline.publish(run, repo, on_event=progress, **wishes)
    if as_json:
        output.emit({"run": str(run), "status": done.status, **runfile.flat(done.record)})


def given(asked: dict[str, Any]) -> dict[str, Any]:
    """The options that were given, as fields of `facts.Publishing`."""
    found = {name: value for name, value in asked.items() if value not in (None, ())}
    if "public" in found:
        found["private"] = not found.pop("public")
    return found


def _show(run: Path, repo: str, wishes: dict[str, Any], as_json: bool) -> None:
    """The dry run."""
    import sys

    from tunekit_hub import render
    from tunekit_hub.hub import Hub
    from tunekit_hub.progress import colored
    from tunekit_hub.publishing import preview
    from tunekit_hub.starting import evaluated

    now = evaluated(run)
    assert now.evaluation is not None
    found = preview.preview(now.evaluation, repo, now.options.publishing, hub=Hub(), **wishes)
    if as_json:
        output.emit(found.model_dump(mode="json"))
    else:
        click.echo(render.text(found, color=colored(sys.stdout)), nl=False)
