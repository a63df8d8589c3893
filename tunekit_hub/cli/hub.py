"""`tunekit-hub hub`: a Hub on this machine."""

from __future__ import annotations

import secrets
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunekit_hub.cli.options import Pair
from tunekit_hub.errors import UsageError

if TYPE_CHECKING:
    from tunekit_hub.localhub.server import Seed

_FOLDER = click.option(
    "--dir", "folder", type=click.Path(path_type=Path), required=True, help="Where its repos are kept."
)


@click.group()
def hub() -> None:
    """A Hub on this machine, for demos, tests and closed networks."""


@hub.command()
@_FOLDER
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; any free one by default."
)
@click.option(
    "--token",
    "tokens",
    type=Pair("USER=TOKEN"),
    multiple=True,
    help="Who may sign in with what (repeatable). Other users of this machine can see it in the process list.",
)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The same from a file, one USER=TOKEN a line.",
)
@click.option("--seed-registry", is_flag=True, help="A repo for every model of the registry, without weights.")
@click.option("--seed-weights", is_flag=True, help="The real weights of a small chat model and a small encoder.")
@click.option(
    "--second-origin", is_flag=True, help="Send large files from a second port by a redirect, as the Hub does."
)
def serve(folder: Path, port: int, tokens: tuple[tuple[str, str], ...], **options: Any) -> None:
    """Serve a folder as a Hub until Ctrl-C.

    Without a token, one is made up and printed.
    """
    from tunekit_hub import extras

    extras.require("local", "the local Hub")
    from tunekit_hub.localhub.server import serve as serve_folder

    known = {token: user for user, token in (*_from_file(options["token_file"]), *tokens)}
    made_up = None
    if not known:
        made_up = f"hf_{secrets.token_hex(17)}"
        known[made_up] = "me"

    def ready(endpoint: str) -> None:
        click.echo(f"export HF_ENDPOINT={endpoint}")
        click.echo("export HF_HUB_DISABLE_XET=1")
        if made_up:
            click.echo(f"export HF_TOKEN={made_up}")
        users = ", ".join(sorted({user.partition(":")[0] for user in known.values()}))
        click.echo(f"serving {folder} for {users}; set the lines above where you use it; Ctrl-C stops", err=True)

    seed = _seeds(registry=options["seed_registry"], weights=options["seed_weights"])
    second = options["second_origin"]
    serve_folder(folder, tokens=known, ready=ready, port=port, seed=seed, second_origin=second)


def _seeds(*, registry: bool, weights: bool) -> tuple[Seed, ...]:
    return (*(("registry",) if registry else ()), *(("weights",) if weights else ()))


@hub.command()
@_FOLDER
@click.option("--weights", is_flag=True, help="Also the real weights of a small chat model and a small encoder.")
def seed(folder: Path, weights: bool) -> None:
    """Fill a folder with the facts that the registry recorded.

    A repo for every model, with a card and a config, and without weights.
    """
    from tunekit_hub import extras

    extras.require("local", "the local Hub")
    from tunekit_hub.localhub.server import plant
    from tunekit_hub.localhub.storage import Storage

    storage = Storage(folder)
    before = set(storage.repo_names("model"))
    with storage.hold():
        plant(storage, _seeds(registry=True, weights=weights))
    names = set(storage.repo_names("model"))
    click.echo(f"{folder}: {len(names)} models, {len(names - before)} of them new", err=True)


@hub.command()
@_FOLDER
@click.argument("name")
@click.option(
    "--redirect", "redirects", multiple=True, metavar="URL", help="Where people come back to (repeatable)."
)
@click.option("--scope", "scopes", multiple=True, help="What the app may ask for (repeatable).")
@click.option("--space", "space_id", metavar="OWNER/NAME", default="", help="Tell Gradio that it is this Space.")
@click.option("--endpoint", metavar="URL", help="Of the local Hub, if it is not where the folder was served last.")
def app(
    folder: Path,
    name: str,
    redirects: tuple[str, ...],
    scopes: tuple[str, ...],
    space_id: str,
    endpoint: str | None,
) -> None:
    """Register an app that people sign in to with their account here.

    What the app needs to know is printed.
    """
    from tunekit_hub import extras

    extras.require("local", "the local Hub")
    from tunekit_hub.localhub import oauth_apps
    from tunekit_hub.localhub.storage import Storage

    storage = Storage(folder)
    place = endpoint or storage.served_at()
    if not place:
        raise UsageError(f"`{folder}` has not been served yet, so its address is not known", "give --endpoint URL")
    known = oauth_apps.register(storage, name, redirects, scopes or oauth_apps.DEFAULT_SCOPES)
    for key, value in known.environment(place, space_id).items():
        click.echo(f"export {key}={shlex.quote(value)}")


def _from_file(path: Path | None) -> list[tuple[str, str]]:
    """The pairs of a token file; empty lines and lines that start with `#` are left out."""
    pairs: list[tuple[str, str]] = []
    lines = path.read_text(encoding="utf-8").splitlines() if path else []
    for number, line in enumerate(lines, 1):
        user, _, token = (part.strip() for part in line.partition("="))
        if not line.strip() or line.startswith("#"):
            continue
        if not user or not token:
            raise UsageError(f"`{path}` line {number} is not of the form USER=TOKEN", "write one pair a line")
        pairs.append((user, token))
    return pairs
