"""`tunekit-hub try`: talk to the tuned model of a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunekit_hub.cli.options import json_option, run_argument

if TYPE_CHECKING:
    from tunekit_hub.replies import Reply

SHOWN = 5  # labels, likeliest first


@click.command("try")
@run_argument
@click.argument("text", required=False)
@json_option
def try_(run: Path, text: str | None, as_json: bool) -> None:
    """Ask the tuned model of the folder RUN.

    It is asked about TEXT, or about each line that is typed. A chat goes on from line to line; `/new` begins
    another. With `--json` each answer is one line.
    """
    from tunekit_hub import trying

    if text is not None and not text.strip():
        raise click.UsageError("TEXT is empty")
    tuned = trying.load(run)
    for line in [text] if text is not None else _lines(tuned.chats):
        if line.strip() == trying.FORGET:
            tuned.forget()
        elif line.strip():
            reply = tuned.ask(line)
            click.echo(json.dumps(_plain(reply, line), ensure_ascii=False)) if as_json else _show(reply, line)


def _lines(chats: bool) -> Iterator[str]:
    """What is typed, or stands in a pipe, until it ends."""
    typed = sys.stdin.isatty()
    if typed:
        forget = "; `/new` begins another chat" if chats else ""
        click.echo(f"type a text; Ctrl-D ends{forget}", err=True)
    while True:
        if typed:
            click.echo("> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line:
            return
        yield line.rstrip("\n")


def _show(reply: Reply, line: str) -> None:
    if reply.text:
        click.echo(reply.text if reply.stopped else f"{reply.text} …")
    for label, score in reply.scores[:SHOWN]:
        click.echo(f"{'→' if label in reply.chosen else ' '} {label}  {score:.1%}")
    for one in reply.marks:
        click.echo(f"{one.label}  {line[one.start : one.end]}  {one.score:.1%}")
    if not (reply.text or reply.scores or reply.marks):
        click.echo("(nothing)")


def _plain(reply: Reply, line: str) -> dict[str, Any]:
    return {
        "text": line,
        "answer": reply.text,
        "stopped": reply.stopped,
        "labels": dict(reply.scores),
        "chosen": list(reply.chosen),
        "marks": [{**one._asdict(), "text": line[one.start : one.end]} for one in reply.marks],
    }
