"""Values that took a while to make, kept for whoever asks next."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """The last few values by key; of several who want the same at once, one makes it and the others wait."""

    def __init__(self, most: int):
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[float, Value]] = OrderedDict()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value], lifetime: float | None = None) -> Value:
        """The value of `key`; made again where it is older than `lifetime` seconds."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            with self._lock:
                kept = self._kept.get(key)
                if kept and (lifetime is None or time.monotonic() - kept[0] < lifetime):
                    self._kept.move_to_end(key)
                    return kept[1]
            try:
                value = make()
            except BaseException:
                with self._lock:
                    self._locks.pop(key, None)
                raise
            with self._lock:
                self._kept[key] = (time.monotonic(), value)
                while len(self._kept) > self._most:
                    self._locks.pop(self._kept.popitem(last=False)[0], None)
            return value
