"""What was set for a Space, and the state it is in. The local Hub stores Spaces and does not run them.

    space.json     in the repo's folder: variables, the names of secrets, the hardware asked for

What a secret is set to is thrown away at once: nothing here would ever read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunekit_hub.facts import Record
from tunekit_hub.localhub.repos import Commit, Repo

SDKS = ("gradio", "docker", "static")
NOT_RUN = "The local Hub stores Spaces and does not run them"


class Variable(Record):
    """A variable of a Space. A secret has no value here."""

    value: str = ""
    description: str | None = None
    updated: str


class Space(Record):
    """What was set for a Space."""

    variables: dict[str, Variable] = {}
    secrets: dict[str, Variable] = {}
    hardware: str | None = None  # what was asked for
    sleep: int | None = None  # seconds


def read(repo: Repo) -> Space:
    """What was set so far."""
    path = repo.folder / "space.json"
    return Space.model_validate_json(path.read_bytes()) if path.exists() else Space()


def write(repo: Repo, space: Space) -> Space:
    """Keep it in the repo's folder."""
    repo.storage.write_json(repo.folder / "space.json", space.model_dump_json(indent=1))
    return space


def runtime(repo: Repo, commit: Commit, card: Mapping[str, Any]) -> dict[str, Any]:
    """What can be said of a Space that does not run: what is missing to start it, or that it stands still."""
    space = read(repo)
    sdk = card.get("sdk")
    app_file = card.get("app_file") or {"docker": "Dockerfile", "static": "index.html"}.get(str(sdk), "app.py")
    stage, said = "STOPPED", NOT_RUN
    if sdk not in SDKS:
        stage, said = "CONFIG_ERROR", f"The card must name an `sdk`: one of {', '.join(SDKS)}"
    elif app_file not in commit.tree:
        stage, said = "NO_APP_FILE", f"There is no {app_file} in this Space"
    return {
        "stage": stage,
        "errorMessage": said,
        "hardware": {"current": None, "requested": space.hardware},
        "storage": None,
        "gcTimeout": space.sleep,
    }
