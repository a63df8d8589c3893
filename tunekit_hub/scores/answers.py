"""Sample answers, untuned beside tuned: the lines of a run folder's `answers.jsonl`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from tunekit_hub.errors import RunError

NAME = "answers.jsonl"


@dataclass(frozen=True)
class Answer:
    """What the untuned and the tuned model said to one held-out prompt, and what the data says."""

    prompt: str
    untuned: str
    tuned: str
    reference: str = ""


def read(path: Path) -> tuple[Answer, ...]:
    """The answers that evaluation wrote, in its order."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(Answer(**json.loads(line)) for line in lines if line.strip())
    except (OSError, ValueError, TypeError) as error:
        raise RunError(
            f"the sample answers in `{path}` cannot be read: {error}",
            hint=f"write them again with `tunekit-hub evaluate {path.parent} --again`",
        ) from error
