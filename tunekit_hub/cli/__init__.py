"""The command line: `tunekit-hub`. Data go to stdout, talk to stderr."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Sequence

import click

from tunekit_hub.cli import hub, line, look, space, trying
from tunekit_hub.errors import NoUsableModel, TunekitError
from tunekit_hub.version import __version__

INTERRUPTED, TERMINATED = 130, 143
WIDTH = 100  # of help texts, where the terminal is as wide


class _InOrder(click.Group):
    """Lists its commands in the order they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


@click.group(cls=_InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH})
@click.version_option(__version__, prog_name="tunekit-hub")
def tunekit() -> None:
    """Fine-tune a model on your data and publish it on the Hugging Face Hub.

    A dataset and one sentence in; a model out that you may use, that fits your machine, that was trained right,
    and whose card is true.
    """


for _command in (*line.COMMANDS, trying.try_, *look.COMMANDS, space.space, hub.hub):
    tunekit.add_command(_command)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command; the process's exit code comes back.

    0 done, 1 a known failure, 2 usage, 3 no usable model, 130 Ctrl-C, 143 SIGTERM. `HF_DEBUG=1` shows tracebacks.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal without UTF-8 shows `?` and the run goes on
            stream.reconfigure(errors="replace")
    if not sys.stderr.isatty():  # read at the client's import; in a log its bars are noise
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        return tunekit.main(args, prog_name="tunekit-hub", standalone_mode=False) or 0
    except click.Abort:
        click.echo("stopped", err=True)
        return INTERRUPTED
    except click.ClickException as error:
        return _explain(error.format_message(), _help_hint(error), error.exit_code)
    except NoUsableModel as error:
        _show_verdicts(error)
        return _explain(error.message, error.hint, error.exit_code)
    except TunekitError as error:
        return _explain(error.message, error.hint, error.exit_code)
    except OSError as error:
        return _explain(str(error), "HF_DEBUG=1 shows where it happened", 1)


def _explain(message: str, hint: str, exit_code: int) -> int:
    """`error: …`, an empty line, `hint: …` on stderr."""
    if os.environ.get("HF_DEBUG"):
        traceback.print_exc()
    click.echo(f"error: {message}", err=True)
    if hint:
        click.echo(f"\nhint: {hint}", err=True)
    return exit_code


def _help_hint(error: click.ClickException) -> str:
    """Where the usage of the command is explained."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"`{context.command_path if context else 'tunekit-hub'} --help` shows the usage"


def _show_verdicts(error: NoUsableModel) -> None:
    """Why each candidate was turned down."""
    from tunekit_hub import render
    from tunekit_hub.progress import colored

    if error.verdicts:
        click.echo(render.text(error.verdicts, color=colored(sys.stderr)), err=True)
