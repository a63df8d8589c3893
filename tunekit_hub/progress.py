"""What a run shows while it goes: each stage's page when it ends, one line that moves while it trains."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from tunekit_hub import render, units
from tunekit_hub.records import Evaluation
from tunekit_hub.render.layout import plain
from tunekit_hub.scores.answers import NAME as ANSWERS

BAR = 24  # cells
TENTHS = 10  # lines about a training where no line can move
PROOF_LINES = 24
_CLEAR = "\r\x1b[K"


def colored(stream: TextIO) -> bool:
    """Whether bold and dim are wanted on `stream`: a terminal, and NO_COLOR is not set."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


class Progress:
    """Takes a run's events: pages go to `pages`, the moving line and short words to `talk`."""

    def __init__(self, pages: TextIO, talk: TextIO):
        self.pages, self.talk = pages, talk
        self._tenth = 0
        self._moving = False

    def __call__(self, event: Mapping[str, Any]) -> None:
        """Show one event; kinds it does not know are not for people."""
        show = {
            "start": lambda: self._say(f"{event['stage']} …"),
            "note": lambda: self._say(plain(event["message"])),
            "step": lambda: self._step(event),
            "supervision": lambda: self._supervision(event),
            "stage": lambda: self._page(event["record"]),
            "validation": lambda: self._say(
                f"pass {event['epoch']:.3g}: validation loss {event['loss']:.3f}, score {event['score']:.4f}"
            ),
        }.get(event["event"])
        if show:
            show()

    def close(self) -> None:
        """Leave the terminal with the cursor on a line of its own."""
        if self._moving:
            self.talk.write("\n")
            self._moving = False

    def _say(self, words: str) -> None:
        self.close()
        self.talk.write(words + "\n")
        self.talk.flush()

    def _page(self, record: Any) -> None:
        self.close()
        color = colored(self.pages)
        self.pages.write("\n" + render.text(record, color=color))
        if isinstance(record, Evaluation) and ANSWERS in record.files:
            self.pages.write("\n" + render.answers(Path(record.training.run_dir) / ANSWERS, color=color))
        self.pages.flush()

    def _supervision(self, event: Mapping[str, Any]) -> None:
        self._page(event["record"])
        lines = plain(event["proof"]).rstrip().splitlines()
        more = [f"… {len(lines) - PROOF_LINES} more lines in supervision.txt"] if len(lines) > PROOF_LINES else []
        self.pages.write("".join(f"  {line}\n" for line in ["", *lines[:PROOF_LINES], *more]))
        self.pages.flush()

    def _step(self, event: Mapping[str, Any]) -> None:
        step, steps = event["step"], max(event["steps"], 1)
        memory = f"{units.size(event['memory'])}  " if event.get("memory") else ""
        line = (
            f"{step}/{steps}  loss {event['loss']:.3f}  {units.count(event['tokens_per_second'])} tokens/s  "
            f"{memory}{units.duration(event['seconds_left'])} left"
        )
        if self.talk.isatty():
            done = min(BAR, BAR * step // steps)
            self.talk.write(f"{_CLEAR}{'█' * done}{'░' * (BAR - done)}  {line}")
            self._moving = True
        elif TENTHS * step // steps > self._tenth or step == 1:
            self._tenth = TENTHS * step // steps
            self.talk.write(f"step {line}\n")
        self.talk.flush()
