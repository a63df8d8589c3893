"""`events.jsonl` stays whole lines, and what cannot be written ends a run in plain words."""

import errno
import json

import pytest
from ready_stages import READY

from tunekit_hub import event_log, pipeline, runfile
from tunekit_hub.errors import MissingExtra, StorageError, UsageError
from tunekit_hub.facts import Options


@pytest.fixture
def stages(monkeypatch):
    for name, stage in READY.items():
        monkeypatch.setitem(pipeline.STAGES, name, stage)
    return pipeline.STAGES


def test_a_half_line_of_a_killed_run_is_taken_away(tmp_path):
    (tmp_path / "events.jsonl").write_text('{"event": "start"}\n{"event": "ste')
    event_log.keep(tmp_path, None)({"event": "resumed", "step": 3})
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["start", "resumed"]


def test_a_full_disk_is_said_though_run_json_cannot_be_written_either(stages, tmp_path, monkeypatch):
    out = tmp_path / "run"
    pipeline.start(Options(source="x.jsonl"), out)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(runfile, "save", full)
    with pytest.raises(StorageError, match="the disk is full") as found:
        pipeline.resume(out)
    assert f"tunekit-hub resume {out}" in found.value.hint
    assert runfile.load(out).status == "running"


def test_what_a_training_runs_on_can_be_changed_when_it_goes_on_and_is_kept(stages, tmp_path, monkeypatch):
    out, seen = tmp_path / "run", []
    pipeline.start(Options(source="x.jsonl"), out)

    def training(at):
        seen.append(at.run.options.running)
        return READY["training"](at)

    monkeypatch.setitem(stages, "training", training)
    pipeline.resume(out, until="training", processes=2, checkpoint_every=120.0)
    assert (seen[0].processes, seen[0].checkpoint_every) == (2, 120.0)
    assert runfile.load(out).options.processes == 2


def test_an_impossible_number_of_processes_is_a_usage_error(stages, tmp_path):
    pipeline.start(Options(source="x.jsonl"), tmp_path / "run")
    with pytest.raises(UsageError, match="processes"):
        pipeline.resume(tmp_path / "run", processes=0)


def test_a_reporter_that_is_missing_is_said_before_anything_is_done(stages, tmp_path, monkeypatch):
    monkeypatch.setattr("tunekit_hub.extras.find_spec", lambda name: None if name == "trackio" else True)
    pipeline.start(Options(source="x.jsonl", report_to="trackio"), tmp_path / "run")
    with pytest.raises(MissingExtra, match="needs trackio"):
        pipeline.resume(tmp_path / "run")
    assert runfile.load(tmp_path / "run").profile is None
