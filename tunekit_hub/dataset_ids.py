"""Which names are Hub datasets and which are paths.

owner/name[:config][@revision]
hf://datasets/owner/name[@revision][/path/in/the/repository]
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from tunekit_hub.formats import SUFFIXES, suffix_of

_PREFIX = "hf://datasets/"
_WORD = r"[A-Za-z0-9](?:[\w.-]{0,94}[A-Za-z0-9])?"
_PLAIN = re.compile(rf"(?P<repo>{_WORD}/{_WORD})(?::(?P<config>[\w.-]+))?(?:@(?P<revision>[\w./-]+))?")
# The client's own form; a branch with a slash in it is known by what such branches begin with.
_LONG = re.compile(
    rf"(?P<repo>{_WORD}(?:/{_WORD})?)(?::(?P<config>[\w.-]+))?"
    r"(?:@(?P<revision>refs/(?:convert|pr)/[\w.-]+|[\w.-]+))?(?:/(?P<path>[^:@]+))?"
)


class DatasetId(NamedTuple):
    """A dataset of the Hub, and what of it is meant."""

    repo: str
    config: str | None = None
    revision: str | None = None
    path: str | None = None  # one file or folder in it


def parse(source: str) -> DatasetId | None:
    """The dataset that is meant; None where it is a path.

    A file or folder of that name always wins. What ends like a file of rows is a path, even if it is missing.
    """
    if source.startswith(_PREFIX):
        found = _LONG.fullmatch(source.removeprefix(_PREFIX).rstrip("/"))
        return DatasetId(**found.groupdict()) if found else None
    found = _PLAIN.fullmatch(source)
    if found is None or Path(source).exists() or suffix_of(Path(found["repo"])) in SUFFIXES:
        return None
    return DatasetId(**found.groupdict())
