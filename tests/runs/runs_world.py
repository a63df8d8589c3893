"""What the tests of the service share: who is there, and waiting for a run."""

from __future__ import annotations

import time
from pathlib import Path

from tunekit_hub import runs

ROOT = Path(__file__).parents[2]
FAKE = Path(__file__).with_name("fake_worker.py")
ADA, BOB, GUEST = runs.Visitor("ada"), runs.Visitor("bob"), runs.Visitor("f" * 20, "guest")
TICKETS = "text,label\n" + "".join(
    f"{words} number {i},{label}\n"
    for i in range(40)
    for words, label in (("where is my parcel", "delivery"), ("the invoice is wrong", "billing"))
)


def wait_for(
    service: runs.Service, run_id: str, *statuses: str, visitor=ADA, seconds: float = 30
) -> runs.RunState:
    """The run once it is in one of these states."""
    deadline = time.monotonic() + seconds
    while (state := service.state(visitor, run_id)).status not in statuses:
        assert time.monotonic() < deadline, state
        time.sleep(0.02)
    return state
