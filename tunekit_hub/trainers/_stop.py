"""SIGINT and SIGTERM while it trains: the step is finished and saved first. The second one acts at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

STOP_FILE, PARENT = "TUNEKIT_STOP_FILE", "TUNEKIT_PARENT"  # in the environment of one of several processes
TERMINATED = 128 + signal.SIGTERM  # the exit code
_SAID = b"\nfinishing this step and saving; once more stops at once\n"


def parent_asks() -> bool:
    """Whether the process that started this one as one of several wants it to stop, or is there no more."""
    file, parent = os.environ.get(STOP_FILE), os.environ.get(PARENT)
    if not file or not parent:
        return False
    try:
        os.kill(int(parent), 0)
    except ProcessLookupError:
        return True
    return Path(file).exists()


class Stop:
    """Whether a stop is wanted."""

    def __init__(self, also: Callable[[], bool] = parent_asks):
        """`also` is asked too, where no signal arrives."""
        self.signal: int | None = None
        self._also = also

    @property
    def wanted(self) -> bool:
        """Whether a signal came, or `also` says so."""
        if self.signal is None and self._also():
            self.signal = signal.SIGTERM
        return self.signal is not None

    @contextmanager
    def listening(self) -> Generator[None]:
        """Signals are noted in here; outside they act as before. Threads but the main one get none."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def note(number: int, _: FrameType | None) -> None:
            self.signal = number
            restore()
            os.write(2, _SAID)  # not by `sys.stderr`, which may be in the middle of a line of its own

        for number in before:
            signal.signal(number, note)
        try:
            yield
        finally:
            restore()

    def obey(self) -> NoReturn:
        """End as the signal asked for.

        Raises:
            KeyboardInterrupt: it was Ctrl-C.
            SystemExit: it was SIGTERM; 143.
        """
        if self.signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(TERMINATED)
