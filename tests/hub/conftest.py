"""A Hub client of "you", repos of "ada", and no waiting."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest
from hub_cases import FILES
from huggingface_hub.utils import _http

from tunekit_hub.hub import Hub
from tunekit_hub.hub import connection as hub_connection
from tunekit_hub.localhub import seed
from tunekit_hub.localhub.repos import create_repo


@pytest.fixture(autouse=True)
def naps(monkeypatch):
    """How long the client would have slept."""
    slept: list[float] = []
    monkeypatch.setattr(hub_connection, "_sleep", slept.append)
    # The client's own retries, of downloads and uploads.
    monkeypatch.setattr(_http, "time", SimpleNamespace(time=time.time, sleep=lambda seconds: None))
    return slept


@pytest.fixture
def you(local_hub) -> Hub:
    return Hub(local_hub.tokens["you"], local_hub.endpoint)


@pytest.fixture
def make(local_hub):
    """Makes a repo of "ada" directly in the local Hub's folder."""

    def make(name: str = "ada/model", files=FILES, **record):
        repo = create_repo(local_hub.storage, "model", name)
        seed.add_files(repo, files, "start")
        repo.update(**record)
        return repo

    return make
