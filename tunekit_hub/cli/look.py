"""Commands that look and tell: verdicts, the registry, past runs, this machine; and the demo."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tunekit_hub.cli import output
from tunekit_hub.cli.options import json_option, use_options
from tunekit_hub.errors import RunError

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


@click.command()
@click.argument("models", nargs=-1, required=True)
@use_options
@click.option(
    "--fail-on",
    type=click.Choice(["block", "warn"]),
    help="Exit 1 where a model is not usable, or already where a check warns.",
)
@json_option
def check(
    models: tuple[str, ...],
    fail_on: str | None,
    as_json: bool,
    use: str | None,
    accepted_licenses: tuple[str, ...],
) -> int:
    """Say whether MODELS may be used: access, license, size, files."""
    from tunekit_hub import hardware, render
    from tunekit_hub.facts import Request
    from tunekit_hub.progress import colored
    from tunekit_hub.selection import check as check_models

    request = Request(hardware=hardware.detect(), accepted_licenses=accepted_licenses)
    verdicts = check_models(models, request.but(use=use) if use else request)
    if as_json:
        output.emit({"verdicts": output.verdicts_json(verdicts)})
    else:
        click.echo(render.text(verdicts, color=colored(sys.stdout)), nl=False)
    warned = fail_on == "warn" and any(f.status != "pass" for verdict in verdicts for f in verdict.findings)
    blocked = fail_on is not None and not all(verdict.usable for verdict in verdicts)
    return int(warned or blocked)


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
    """Say what this machine has, what is installed, and which Hub would be asked."""
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
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("runs/demo"), help="Run folder; runs/demo by default."
)
def demo(out: Path) -> None:
    """The whole line on a small example, against a Hub on this machine; needs no account."""
    from tunekit_hub.demo import run

    run(out)


COMMANDS = (check, models, runs, doctor, demo)


def _version(distribution: str) -> str | None:
    """The installed version, without importing anything."""
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
