"""Commands that look and tell: verdicts, the registry, past runs, this machine; and the demo."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from tunekit_hub import shapes
from tunekit_hub.cli import output
from tunekit_hub.cli.options import Names, json_option, use_options
from tunekit_hub.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunekit_hub.facts import Finding, Request, Verdict
    from tunekit_hub.hub import Hub

LIBRARIES = (
    "tunekit-hub",
    "huggingface_hub",
    "pydantic",
    "pyarrow",
    "torch",
    "transformers",
    "datasets",
    "trl",
    "peft",
    "bitsandbytes",
    "starlette",
)
EXTRAS = ("train", "local")


def _check_names() -> list[str]:
    from tunekit_hub.checks import CHECKS

    return list(CHECKS)


@click.command()
@click.argument("models", nargs=-1, required=True)
@click.option("--task", help="The task it is wanted for, such as classification.")
@use_options
@click.option(
    "--fail-on",
    type=Names("CHECKS", _check_names),
    default=(),
    help="Exit 1 where one of these checks blocks, or access or license cannot be told; such as license,access.",
)
@click.option("--data", help="Check for these rows: their languages, lengths and number, and their own license.")
@click.option(
    "--hardware", metavar="NAME", help="Check for this machine, such as t4-small or 24GB; this one by default."
)
@click.option("--refresh", is_flag=True, help="Ask again what was asked within the last hour.")
@json_option
def check(
    models: tuple[str, ...],
    fail_on: tuple[str, ...],
    data: str | None,
    hardware: str | None,
    refresh: bool,
    as_json: bool,
    **asked: Any,
) -> int:
    """Say whether MODELS may be used: access, license, size, files.

    Any models of the Hub, in the registry or not; their lineage is looked at, too.
    """
    from tunekit_hub import render
    from tunekit_hub.hub import Hub
    from tunekit_hub.progress import colored
    from tunekit_hub.selection import check as check_models

    hub = Hub(refresh=refresh)
    verdicts = check_models(models, _request(data, hardware, hub, asked), hub)
    if as_json:
        output.emit({"verdicts": shapes.verdicts_json(verdicts)})
    else:
        click.echo(render.text(verdicts, color=colored(sys.stdout)), nl=False)
        click.echo(_summary(verdicts), nl=False)
    return int(any(_fails(finding, fail_on) for verdict in verdicts for finding in verdict.findings))


def _request(data: str | None, machine: str | None, hub: Hub, asked: dict[str, Any]) -> Request:
    """What the models are checked for: some rows, or rows nobody has seen yet."""
    from tunekit_hub import hardware, profiling, recommendation, selection
    from tunekit_hub.hardware import named as named_hardware

    device = named_hardware.chosen(machine) or hardware.detect()
    if data is None:
        return selection.request_for(device, **asked)
    seen = profiling.profile(data, task=asked.pop("task"), hub=hub)
    wishes = cast("selection.Wishes", {name: value for name, value in asked.items() if value})
    return selection.request_of(recommendation.recommend(seen, ""), device, hub, wishes)


def _summary(verdicts: Sequence[Verdict]) -> str:
    """Model by check, one line each, for whoever asked about several."""
    from tunekit_hub.render.layout import Page, terminal_width

    if len(verdicts) < 2:
        return ""
    checks = sorted({finding.check for verdict in verdicts for finding in verdict.findings})
    said = [{finding.check: finding.status for finding in verdict.findings} for verdict in verdicts]
    rows = [
        (
            verdict.model,
            *(statuses.get(name, "") for name in checks),
            "usable" if verdict.usable else "turned down",
        )
        for verdict, statuses in zip(verdicts, said, strict=True)
    ]
    page = Page("", color=False, width=terminal_width())
    page.table(("model", *checks, "verdict"), rows)
    return str(page)


def _fails(finding: Finding, fail_on: tuple[str, ...]) -> bool:
    """What cannot be told is no permission, either."""
    bad = ("block", "unknown") if finding.check in ("access", "license") else ("block",)
    return finding.check in fail_on and finding.status in bad


@click.command()
@click.option("--task", help="Only models for this task.")
@json_option
def models(task: str | None, as_json: bool) -> None:
    """List the registry's models, with what was recorded about them."""
    from tunekit_hub import registry
    from tunekit_hub.render.layout import Page, terminal_width

    entries = [entry for entry in registry.load().models if task is None or task in entry.tasks]
    if as_json:
        output.emit([entry.model_dump(mode="json", exclude={"config"}) for entry in entries])
        return
    page = Page(
        "Models (license and gating as recorded; the Hub's own answer counts)", color=False, width=terminal_width()
    )
    rows = [
        (
            entry.id,
            f"{entry.parameters / 1e6:,.0f} M",
            ", ".join(entry.recorded.license) or "none declared",
            str(entry.recorded.gated or "open" if entry.recorded.gated is not None else "not known"),
            entry.good_for,
        )
        for entry in entries
    ]
    page.table(("model", "size", "license", "gate", "good for"), rows, right={1})
    click.echo(str(page), nl=False)


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("runs"))
@json_option
def runs(folder: Path, as_json: bool) -> None:
    """List the runs in FOLDER (runs by default)."""
    from tunekit_hub import runfile
    from tunekit_hub.render.layout import Page, terminal_width

    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob(f"*/{runfile.NAME}")):
        try:
            run = runfile.load(path.parent)
        except RunError as error:
            click.echo(f"warning: {error.message}", err=True)
            continue
        published = run.publication.url if run.publication else None
        found.append({"run": str(path.parent), "status": run.status, "stage": run.stage, "published": published})
    if as_json:
        output.emit(found)
    elif not found:
        click.echo(f"no runs in {folder}", err=True)
    else:
        page = Page("Runs", color=False, width=terminal_width())
        rows = [(run["run"], run["status"], run["stage"], run["published"] or "") for run in found]
        page.table(("run", "status", "stage", "published"), rows)
        click.echo(str(page), nl=False)


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Say what this machine has, and which Hub would be asked."""
    from tunekit_hub import extras, hardware, units
    from tunekit_hub.hub import Hub
    from tunekit_hub.render.layout import Page, terminal_width

    machine, hub = hardware.detect(), Hub()
    versions = {name: _version(name) for name in LIBRARIES}
    lacking = {extra: absent for extra in EXTRAS if (absent := extras.missing(extra))}
    if as_json:
        about = {"endpoint": hub.endpoint, "token": hub.has_token, "hardware": machine.model_dump(mode="json")}
        output.emit(about | {"versions": versions, "missing": lacking})
        return
    page = Page("Doctor", color=False, width=terminal_width())
    precision = "bf16" if machine.bf16 else "no bf16"
    page.fields(
        [
            ("machine", f"{machine.name}, {precision}, about {units.count(machine.gflops)} GFLOP/s"),
            ("memory", f"{units.size(machine.memory)} free"),
            ("disk", f"{units.size(machine.disk)} free"),
            ("endpoint", hub.endpoint),
            ("token", "present" if hub.has_token else "none: set HF_TOKEN, or run `hf auth login`"),
            *((name, version or "not installed") for name, version in versions.items()),
            *((f"for {extra}", f"pip install 'tunekit-hub[{extra}]'") for extra in lacking),
        ]
    )
    click.echo(str(page), nl=False)


@click.command()
@click.argument("kind", type=click.Choice(["chat", "classification", "ner"]), default="chat")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Run folder; runs/demo by default, runs/demo-KIND but for chat."
)
def demo(kind: str, out: Path | None) -> None:
    """The whole line on a small example; needs no account.

    The model is published on a Hub on this machine, which ends with the command.
    """
    from tunekit_hub.demo import run

    run(kind, out or Path("runs") / ("demo" if kind == "chat" else f"demo-{kind}"))


COMMANDS = (check, models, runs, doctor, demo)


def _version(distribution: str) -> str | None:
    """The installed version, without importing anything."""
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
