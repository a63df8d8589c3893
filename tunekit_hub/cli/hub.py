"""`tunekit-hub hub`: a Hub on this machine."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from tunekit_hub.cli.options import Pair
from tunekit_hub.errors import UsageError


@click.group()
def hub() -> None:
    """A Hub on this machine, for demos, tests and networks without internet."""


@hub.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), required=True, help="Where its repos are kept.")
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
def serve(
    folder: Path,
    port: int,
    tokens: tuple[tuple[str, str], ...],
    token_file: Path | None,
    seed_registry: bool,
    seed_weights: bool,
) -> None:
    """Serve a folder as a Hub until Ctrl-C; without a token, one is made up and printed."""
    from tunekit_hub import extras

    extras.require("local", "the local Hub")
    from tunekit_hub.localhub.server import serve as serve_folder

    known = {token: user for user, token in (*_from_file(token_file), *tokens)}
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

    serve_folder(
        folder, tokens=known, ready=ready, port=port, seed_registry=seed_registry, seed_weights=seed_weights
    )


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
