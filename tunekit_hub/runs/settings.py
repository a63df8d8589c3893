"""Limits of the service behind the Space, from the environment; each is told in words where it is met."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from tunekit_hub.errors import UsageError

MB = 1_000_000
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(|k|m|g|t)b?", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|)", re.IGNORECASE)
_SIZES = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_TIMES = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True)
class Settings:
    """What one service allows. Sizes are bytes, times are seconds; `VARIABLES` names each one's variable."""

    workers: int = 1  # runs at once
    max_upload: int = 100 * MB  # of a file, as it comes
    max_unpacked: int = 1000 * MB  # of a file, decompressed
    max_uploads: int = 20  # files that are kept for one visitor
    max_kept: int = 20_000 * MB  # of all uploads together
    max_rows: int = 200_000  # that a run trains on
    max_time: float = 6 * 3600.0  # that a run may take
    max_runs: int = 20  # of one visitor that wait or are at work
    max_queue: int = 200  # runs of all visitors that wait
    retention: float = 7 * 86_400.0  # how long data are kept after the last run with them has ended
    keep_runs: float = 30 * 86_400.0  # how long a run that has ended is kept, with its model
    guests_train: bool = False  # whether visitors who are not signed in may train
    answer_time: float = 120.0  # for one answer of a tuned model
    publish_time: float = 3600.0
    grace: float = 180.0  # from asking a worker to stop, so that it can save, to ending it

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings of `VARIABLES`, the defaults for the others; sizes as `100MB`, times as `90m` or `7d`.

        Raises:
            UsageError: a variable that cannot be read.
        """
        given = os.environ if environment is None else environment
        values: dict[str, Any] = {}
        for field in fields(cls):
            text = given.get(VARIABLES[field.name], "").strip()
            if text:
                values[field.name] = _parse(VARIABLES[field.name], text, field.default)
        return cls(**values)


VARIABLES = {field.name: f"TUNEKIT_{field.name.upper()}" for field in fields(Settings)}


def _parse(name: str, text: str, default: Any) -> Any:
    """The value of one variable, of the kind its default has."""
    if isinstance(default, bool):
        if text.lower() in ("1", "true", "yes", "on", "0", "false", "no", "off"):
            return text.lower() in ("1", "true", "yes", "on")
        raise UsageError(f"`{name}` is `{text}`, which is neither yes nor no", "write 1 or 0")
    found = (_TIME if isinstance(default, float) else _SIZE).fullmatch(text)
    units = _TIMES if isinstance(default, float) else _SIZES
    value = float(found[1]) * units[found[2].lower()] if found else 0
    if value <= 0:
        form = "a time such as 90m, 6h or 7d" if isinstance(default, float) else "a number such as 4, or 100MB"
        raise UsageError(f"`{name}` is `{text}`, which is not {form}", "write it like that, or leave it out")
    return value if isinstance(default, float) else int(value)
