"""A service over a local Hub, visitors, and workers that do as they are told instead of training."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs_world import ADA, FAKE, TICKETS

from tunekit_hub import runs
from tunekit_hub.runs import processes, supervisor


@pytest.fixture
def settings() -> runs.Settings:
    return runs.Settings(grace=2.0)


@pytest.fixture
def service(local_hub, tmp_path, settings) -> runs.Service:
    """Not started: what is submitted waits."""
    return runs.Service(tmp_path / "service", settings, endpoint=local_hub.endpoint)


@pytest.fixture
def obedient(monkeypatch) -> None:
    """Workers do what the description of the run says; see `fake_worker.py`."""
    monkeypatch.setattr(processes, "command", lambda module: [sys.executable, str(FAKE), module])
    monkeypatch.setattr(supervisor, "_TICK", 0.02)


@pytest.fixture
def working(service, obedient) -> Iterator[runs.Service]:
    """The same, at work, with workers that do as they are told."""
    service.start()
    yield service
    service.stop()


@pytest.fixture
def tickets(tmp_path) -> Path:
    path = tmp_path / "tickets.csv"
    path.write_text(TICKETS)
    return path


@pytest.fixture
def submit(tickets):
    """Puts a run in the queue whose fake worker does `what`."""

    def submit(service: runs.Service, what: str, visitor=ADA, token=None, **changes) -> str:
        upload = service.keep(visitor, tickets, "tickets.csv")
        options = runs.options(source=upload.handle, description=what, **changes)
        return service.submit(visitor, options, token)

    return submit
