"""`events.jsonl`: what a run told while it went, a JSON object a line, for whoever looks at it from outside."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from tunekit_hub.facts import Record
from tunekit_hub.trainers import OnEvent

NAME = "events.jsonl"


def keep(out: Path, on_event: OnEvent | None) -> OnEvent:
    """Pass events on, and keep them as JSON lines in the run folder; records are in `run.json` already.

    Lines are added to those of an earlier go. After an event `resumed`, steps beyond its `step` are told again;
    the later ones hold.
    """
    path = out / NAME
    if path.exists() and (half := path.read_bytes().rpartition(b"\n")[2]):  # a run that was killed left it
        os.truncate(path, path.stat().st_size - len(half))

    def tell(event: dict[str, Any]) -> None:
        kept = {name: value for name, value in event.items() if not isinstance(value, Record) and name != "proof"}
        with path.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"time": round(time.time(), 3)} | kept, ensure_ascii=False) + "\n")
        if on_event:
            on_event(event)

    return tell
