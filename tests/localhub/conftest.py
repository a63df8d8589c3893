"""Repos to look at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browsing import CARD


@pytest.fixture
def make(hf, local_hub) -> Callable[..., str]:
    """Makes a repo. Files are put there behind the client's back: it refuses some cards that others may send."""

    def made(name: str, card: bytes = CARD, *, private: bool = False, kind: str = "model") -> str:
        from tunekit_hub.localhub.repos import open_repo
        from tunekit_hub.localhub.seed import add_files

        hf(name.split("/")[0]).create_repo(name, private=private, repo_type=kind, exist_ok=True)
        repo = open_repo(local_hub.storage, kind, name)
        add_files(repo, {"README.md": card, "w.safetensors": b"\0" * 2_345_678}, "Add it")
        return repo.commit("main").id

    return made
