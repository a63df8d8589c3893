"""`run.json`: flat on disk, nested on load, never half-written."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import records as made

from tunekit_hub import runfile
from tunekit_hub.errors import RunError
from tunekit_hub.facts import Options
from tunekit_hub.runfile import Failure, Run


@pytest.fixture
def run(tmp_path):
    run = Run(
        options=Options(source="chats.jsonl", push_to="you/x"), record=made.make_publication(), status="done"
    )
    runfile.save(run, tmp_path)
    return run


def test_what_is_saved_is_what_is_loaded(run, tmp_path):
    loaded = runfile.load(tmp_path)
    assert loaded.training.run_dir == str(tmp_path)
    assert runfile.flat(loaded.record) == runfile.flat(run.record)
    assert loaded.options == run.options
    assert loaded.publication == made.make_publication(made.make_evaluation(loaded.training))


def test_each_record_stands_once_and_flat(run, tmp_path):
    content = json.loads((tmp_path / "run.json").read_text())
    assert list(content)[:8] == ["schema", "status", "stage", "error", "data", "versions", "seed", "options"]
    assert "profile" not in content["recommendation"]
    assert "plan" not in content["training"]
    assert content["data"]["sha256"] == run.profile.data.sha256
    assert content["selection"]["verdicts"][0]["usable"] is False


def test_a_run_that_failed_says_so(tmp_path):
    failure = Failure(code="hub-unreachable", message="no answer", hint="try later")
    runfile.save(Run(options=Options(source="x"), status="failed", stage="selection", error=failure), tmp_path)
    loaded = runfile.load(tmp_path)
    assert (loaded.status, loaded.stage, loaded.error, loaded.profile) == ("failed", "selection", failure, None)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": 1}', '{"options": {"source": 1}, "profile": {}}'])
def test_a_broken_file_is_a_clear_error(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match="cannot be read"):
        runfile.load(tmp_path)


def test_a_folder_without_a_run_is_a_clear_error(tmp_path):
    with pytest.raises(RunError, match="holds no run"):
        runfile.load(tmp_path)


def test_saving_leaves_no_other_file(run, tmp_path):
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_two_processes_do_not_work_on_one_run(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from tunekit_hub import runfile\n"
        "with runfile.locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError, match="another process is at work"), runfile.locked(tmp_path):
            pytest.fail("worked beside it")
    finally:
        other.kill()
        other.communicate()
    with runfile.locked(tmp_path):  # the lock has gone with the process
        pass
