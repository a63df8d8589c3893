"""Waiting for what another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(there: Callable[[], bool], seconds: float = 300.0) -> None:
    """Returns once it is so. The limit is for what never comes, not for slow machines."""
    deadline = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < deadline, f"not so after {seconds:.0f} s"
        time.sleep(0.05)
