"""What is known of a repo besides its files: `repo.json`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from tunekit_hub.facts import Record


def now() -> str:
    """The time, in the only spelling that the client parses."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class AccessRequest(Record):
    """What became of somebody's wish to read a gated repo."""

    id: str
    status: Literal["pending", "accepted", "rejected"]
    date: str


class Event(Record):
    """One thing that happened in a discussion after it was opened: a comment, or a change of title or status."""

    id: str
    type: Literal["comment", "status-change", "title-change"]
    author: str
    date: str
    text: str = ""  # the comment, the new title, or the new status
    before: str = ""  # the title that was
    edited: str | None = None  # when
    hidden: bool = False


class Pull(Record):
    """One discussion, or one pull request: then its commits are on `refs/pr/NUM`."""

    num: int
    title: str
    description: str
    author: str
    date: str
    status: Literal["draft", "open", "closed", "merged"] = "open"
    merged_as: str | None = None
    is_pull: bool = True
    events: tuple[Event, ...] = ()


class RepoRecord(Record):
    """What is known of a repo besides its files. Its kind and id are its place in the folder."""

    created: str
    private: bool = False
    gated: Literal["auto", "manual", False] = False
    disabled: bool = False
    app: str = ""  # the id of the app (OAuth) that created it
    requests: dict[str, AccessRequest] = {}  # user → request
    pulls: tuple[Pull, ...] = ()
    tags: dict[str, str] = {}  # tag → its message; tags without one are refs only
    facts: dict[str, Any] = {}  # recorded answers that stand in for files which are not here
