"""Where a command's words and its JSON go."""

from __future__ import annotations

import json
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tunekit_hub import shapes
from tunekit_hub.errors import TunekitError

if TYPE_CHECKING:
    from pathlib import Path

    from tunekit_hub.facts import Options, Verdict
    from tunekit_hub.progress import Progress


def emit(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


@contextmanager
def progress(as_json: bool, out: Path | None = None) -> Generator[Progress]:
    """A run's events on screen: pages on stdout, or on stderr where stdout is for JSON.

    Whoever stops a run in the folder `out`, or meets an outage there, is told how it goes on.
    """
    from tunekit_hub.progress import Progress

    shown = Progress(sys.stderr if as_json else sys.stdout, sys.stderr)
    try:
        yield shown
    except (KeyboardInterrupt, SystemExit):
        shown.close()
        if out:
            click.echo(f"\ngo on with it: `tunekit-hub resume {out}`", err=True)
        raise
    except TunekitError as error:
        if out:
            error.hint = error.hint.replace("run again", f"go on with `tunekit-hub resume {out}`", 1)
        raise
    finally:
        shown.close()


def too_large(options: Options, verdicts: Sequence[Verdict], as_json: bool) -> bool:
    """For a machine that was only named, "no" is an answer: each model's needs, and what would help.

    False where the machine is this one, or something other than memory is in the way of the last candidate.
    """
    sizes = {
        verdict.model: next((f for f in verdict.findings if f.check == "size" and f.status == "block"), None)
        for verdict in verdicts
    }
    if not options.hardware or not verdicts or not all(sizes.values()):
        return False
    if as_json:
        emit({"fit": "no", "hardware": options.hardware, "verdicts": shapes.verdicts_json(verdicts)})
        return True
    for model, finding in sizes.items():
        if finding is not None:
            click.echo(f"NO: `{model}` {finding.message}\n    {finding.fix}")
    return True
