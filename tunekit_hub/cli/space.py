"""`tunekit-hub space`: the whole flow in a browser, at home or as a Space of one's own."""

from __future__ import annotations

import ipaddress
import os
import runpy
import sys
from pathlib import Path

import click

from tunekit_hub.errors import UsageError


@click.group(invoke_without_command=True)
@click.option("--port", type=click.IntRange(0, 65535), default=7860, help="Port; 7860 by default, 0 for any.")
@click.option("--host", default="127.0.0.1", help="Address to listen on; 127.0.0.1 by default.")
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs") / "space",
    help="Where data, runs and the queue are kept; runs/space by default.",
)
@click.option(
    "--trust-network",
    is_flag=True,
    help="Listen on an address that others can reach. Everybody who does acts as you, with your token.",
)
@click.pass_context
def space(ctx: click.Context, port: int, host: str, root: Path, trust_network: bool) -> None:
    """The whole flow in a browser, from dataset to published model.

    It uses the token of this machine, or the Hub that HF_ENDPOINT names, and says which.
    """
    if ctx.invoked_subcommand is not None:
        return
    from tunekit_hub import extras, space_files

    extras.require("space", "the Space")
    if not trust_network and not _is_loopback(host):
        raise UsageError(
            f"`{host}` can be reached from other machines, and whoever reaches it acts as you, with your token",
            "listen on 127.0.0.1, and reach that through `ssh -L`; or say so: `--trust-network`",
        )
    os.environ["TUNEKIT_SPACE_DIR"] = str(root.resolve())
    os.environ["GRADIO_SERVER_NAME"], os.environ["GRADIO_SERVER_PORT"] = host, str(port or _free_port(host))
    # Read when the client is imported: no call may fall back on a token that it was not given.
    os.environ["HF_HUB_DISABLE_IMPLICIT_TOKEN"] = "1"
    from tunekit_hub import runs

    click.echo(runs.local().words, err=True)
    click.echo(f"in a few seconds at http://{host}:{os.environ['GRADIO_SERVER_PORT']}; Ctrl-C ends it", err=True)
    app = space_files.folder() / "app.py"
    sys.path.insert(0, str(app.parent))
    runpy.run_path(str(app), run_name="__main__")


@space.command()
@click.argument("repo", metavar="NAME/SPACE")
@click.option("--hardware", metavar="NAME", help="The machine it runs on, such as t4-small; you pay for it.")
@click.option("--private/--public", default=True, help="Who sees a Space that is made; private by default.")
@click.option("--released", is_flag=True, help="Install this version from PyPI instead of carrying it along.")
def deploy(repo: str, hardware: str | None, private: bool, released: bool) -> None:
    """Create or update the Space NAME/SPACE, in one commit.

    Again, it changes nothing.
    """
    from tunekit_hub import space_files
    from tunekit_hub.hub import Hub
    from tunekit_hub.hub import spaces as hub_spaces
    from tunekit_hub.version import __version__

    hub = Hub()
    if repo.count("/") != 1:
        raise UsageError(f"`{repo}` does not say whose Space it is", f"write `{hub.whoami()}/{repo.strip('/')}`")
    hub.whoami()
    content = space_files.files(released=released)
    done = hub_spaces.deploy(hub, repo, content, private=private, message=f"TuneKit Hub {__version__}")
    click.echo(done.url)
    said = f"{len(content)} files in one commit, {done.commit[:8]}" if done.changed else "nothing has changed"
    click.echo(f"{said}; it is {'private' if done.private else 'public'}", err=True)
    if done.private != private:
        click.echo(f"it was {'private' if done.private else 'public'} before, and stays so", err=True)
    if hardware:
        hub_spaces.request_hardware(hub, repo, hardware)
        click.echo(f"asked for {hardware}; what it costs begins now", err=True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _free_port(host: str) -> int:
    import socket

    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
        listener.bind((host, 0))
        return listener.getsockname()[1]
