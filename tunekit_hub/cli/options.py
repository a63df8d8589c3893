"""Options that several commands share, and what they mean. Their defaults are those of `facts.Options`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
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


class Share(click.ParamType):
    """A share, from `5%` or `0.05`."""

    name = "SHARE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Between 0 and 1."""
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            share = -1.0
        return share if 0 <= share <= 1 else self.fail(f"`{value}` is no share; write 5% or 0.05", param, ctx)


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


def all_options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one decorator, listed in this order."""

    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


class Names(click.ParamType):
    """A list of names with commas between them; `known` gives those that exist."""

    def __init__(self, name: str, known: Callable[[], Iterable[str]]):
        self.name = name
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The names, each of them known."""
        if isinstance(value, tuple):  # click converts a default twice
            return value
        names, known = tuple(name.strip() for name in str(value).split(",")), tuple(self._known())
        wrong = next((name for name in names if name not in known), None)
        return names if wrong is None else self.fail(f"`{wrong}` is none of {', '.join(known)}", param, ctx)


class LicenseIds(click.ParamType):
    """License ids of the Hub, with commas between them."""

    name = "ID"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """The ids as they were written, each of them known."""
        from tunekit_hub.verdicts import licenses

        licenses.given(value)
        return value


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a page.")
use_options = all_options(
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
        help="You have read this model's (or dataset's) terms and accept them; kept with the date (repeatable).",
    ),
)
data_options = all_options(
    click.option("--task", help="The task, where the data fit more than one."),
    click.option(
        "--column",
        "columns",
        type=Pair("ROLE=NAME"),
        multiple=True,
        help="Which column plays which role, where it is not recognised (repeatable).",
    ),
    click.option("--label-column", metavar="NAME", help="The same as `--column label=NAME`."),
    click.option("--test-file", metavar="FILE", help="Evaluate on these rows, instead of holding some back."),
    click.option("--max-rows", type=click.IntRange(min=1), help="Use at most this many rows, evenly spread."),
)
choice_options = all_options(
    click.option("--description", metavar="TEXT", help="What the model is for, in one sentence."),
    use_options,
    click.option("--model", help="This model, instead of the recommended ones."),
    click.option(
        "--dataset-license",
        type=LicenseIds(),
        help="The license of the data, such as cc-by-4.0; of a Hub dataset it is read from its card.",
    ),
    click.option(
        "--explore",
        is_flag=True,
        help="Search the Hub for more models, and take one where the recommended ones cannot be used.",
    ),
    click.option("--max-time", type=Duration(), help="Time budget for the whole run, such as 10m or 1h30m."),
    click.option(
        "--hardware",
        metavar="NAME",
        help="Plan for this machine instead of the one at hand: t4-small, a10g-large, …, or a GPU such as 24GB.",
    ),
)
plan_options = all_options(
    click.option("--seed", type=click.IntRange(0, 2**32 - 1), help="Fixes the split and the training."),
    click.option(
        "--set",
        "settings",
        type=Setting("NAME=NUMBER"),
        multiple=True,
        help="Fix a setting of the plan, such as epochs=2 (repeatable).",
    ),
)
running_options = all_options(
    click.option("--max-dropped", type=Share(), help="Share of rows that may carry no loss; 5% by default."),
    click.option("--checkpoint-every", type=Duration(), help="Time between checkpoints; 5m by default."),
    click.option("--processes", type=click.IntRange(min=1), help="Train in this many processes, one a GPU."),
    click.option(
        "--accelerate-config",
        type=click.Path(exists=True, dir_okay=False, resolve_path=True),
        help="Train in the processes that this file of `accelerate config` describes.",
    ),
    click.option(
        "--report-to",
        type=click.Choice(["trackio", "tensorboard", "wandb"]),
        help="Send the training's figures there too; nowhere by default.",
    ),
)
run_argument = click.argument("run", type=click.Path(path_type=Path))


def options_from(source: str, asked: dict[str, Any]) -> Options:
    """What was asked for, as the record that is kept; options left out take the record's defaults."""
    from tunekit_hub.facts import Options

    given = {name: value for name, value in asked.items() if value not in (None, ())}
    for name in ("columns", "settings"):
        if name in given:
            given[name] = dict(given[name])
    if "label_column" in given:
        given.setdefault("columns", {})["label"] = given.pop("label_column")
    if "public" in given:
        given["private"] = not given.pop("public")
    return Options(source=source, **given)


def default_out(source: str, push_to: str | None) -> Path:
    """`runs/NAME`, named after the repo it will go to, or after the data."""
    name = push_to.rpartition("/")[2] if push_to else Path(source).stem
    return Path("runs") / (re.sub(r"[^\w.-]+", "-", name).strip(".-") or "run")
