"""Options that several commands share, and what they mean. Their defaults are those of `facts.Options`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from tunekit_hub.facts import Options

Command = TypeVar("Command", bound=Callable[..., Any])
_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")


class Duration(click.ParamType):
    """Seconds, from `600`, `10m` or `1h30m`."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds of a written duration."""
        found = _DURATION.fullmatch(str(value).strip().lower())
        hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0, 0.0, 0.0)
        total = hours * 3600 + minutes * 60 + seconds
        return (
            total if total > 0 else self.fail(f"`{value}` is not a duration; write 600, 10m or 1h30m", param, ctx)
        )


class Pair(click.ParamType):
    """`KEY=VALUE`."""

    def __init__(self, name: str):
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Both sides, neither of them empty."""
        left, _, right = (part.strip() for part in str(value).partition("="))
        return (
            (left, right) if left and right else self.fail(f"`{value}` is not of the form {self.name}", param, ctx)
        )


class Setting(Pair):
    """`NAME=NUMBER`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """The name and the number; whole numbers stay whole."""
        name, number = super().convert(value, param, ctx)
        try:
            return name, int(number) if re.fullmatch(r"[+-]?\d+", number) else float(number)
        except ValueError:
            return self.fail(f"`{number}` is not a number", param, ctx)


def _all(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a page.")
use_options = _all(
    click.option(
        "--use",
        type=click.Choice(["commercial", "research"]),
        help="What the model is for; commercial by default.",
    ),
    click.option(
        "--accept-license",
        "accepted_licenses",
        metavar="MODEL",
        multiple=True,
        help="You have read this model's license terms and accept them (repeatable).",
    ),
)
data_options = _all(
    click.option("--task", help="The task, where the data fit more than one."),
    click.option(
        "--column",
        "columns",
        type=Pair("ROLE=NAME"),
        multiple=True,
        help="Which column plays which role, where it is not recognised (repeatable).",
    ),
    click.option("--max-rows", type=click.IntRange(min=1), help="Use at most this many rows, evenly spread."),
)
choice_options = _all(
    click.option("--description", metavar="TEXT", help="What the model is for, in one sentence."),
    use_options,
    click.option("--model", help="This model, instead of the recommended ones."),
    click.option("--max-time", type=Duration(), help="Time budget for the whole run, such as 10m or 1h30m."),
)
plan_options = _all(
    click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Fixes the split and the training."),
    click.option(
        "--set",
        "settings",
        type=Setting("NAME=NUMBER"),
        multiple=True,
        help="Fix a setting of the plan, such as epochs=2 (repeatable).",
    ),
)
run_argument = click.argument("run", type=click.Path(path_type=Path))
public_option = click.option("--public", is_flag=True, help="Publish for everybody; private by default.")


def options_from(source: str, asked: dict[str, Any]) -> Options:
    """What was asked for, as the record that is kept; options left out take the record's defaults."""
    from tunekit_hub.facts import Options

    given = {name: value for name, value in asked.items() if value not in (None, ())}
    for name in ("columns", "settings"):
        if name in given:
            given[name] = dict(given[name])
    if "public" in given:
        given["private"] = not given.pop("public")
    return Options(source=source, **given)


def default_out(source: str, push_to: str | None) -> Path:
    """`runs/NAME`, named after the repo it will go to, or after the data."""
    name = push_to.rpartition("/")[2] if push_to else Path(source).stem
    return Path("runs") / (re.sub(r"[^\w.-]+", "-", name).strip(".-") or "run")
