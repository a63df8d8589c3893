"""What each open page was asked for last, so that an answer that comes late does not take a newer one's place.

Gradio shows the answers of events in the order in which they end. The page that is still looking for what was
there before a refresh, or asking how the run before stands, would overwrite what its visitor has done since.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager

DATA, MODEL, PLAN, RUN = "data", "model", "plan", "run"


class Turns:
    """The last thing that each page did, by topic; of the pages that were used last.

    Args:
        most: pages, times topics. What is forgotten counts as never done.
    """

    def __init__(self, most: int = 20_000):
        self._most, self._count = most, 0
        self._last: OrderedDict[tuple[str, str], tuple[int, str]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, page: str, topic: str, what: str = "") -> int:
        """Something of this topic is done now: all that was begun before comes too late."""
        with self._lock:
            self._count += 1
            if page:
                self._last[page, topic] = (self._count, what)
                self._last.move_to_end((page, topic))
                while len(self._last) > self._most:
                    self._last.popitem(last=False)
            return self._count

    @contextmanager
    def trying(self, page: str, topic: str, what: str = "") -> Generator[int]:
        """A turn that counts for nothing where it ends in an error; what was done before it is the last again."""
        before, turn = self.what(page, topic), self.take(page, topic, what)
        try:
            yield turn
        except BaseException:
            with self._lock:
                if self._last.get((page, topic), (0, ""))[0] == turn:
                    del self._last[page, topic]
                    if before is not None:
                        self._last[page, topic] = (turn, before)
            raise

    def is_last(self, page: str, topic: str, turn: int) -> bool:
        """Whether nothing has been done since that turn."""
        with self._lock:
            return self._last.get((page, topic), (turn, ""))[0] == turn

    def what(self, page: str, topic: str) -> str | None:
        """What was done last; None: nothing."""
        with self._lock:
            found = self._last.get((page, topic))
            return found[1] if found else None


OF_PAGES = Turns()
