"""A run that is stopped or killed while it trains goes on with the command it names."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import hubs
import pytest
import tiny
from waiting import until

MOMENTS = ["step", "checkpoint", "evaluation", "publication"]
COMMAND = [sys.executable, "-c", "from tunekit_hub.cli import main; raise SystemExit(main())"]


@pytest.fixture
def base(local_hub, tmp_path):
    hubs.upload(local_hub, "ada/tiny", tiny.save_model(tmp_path / "tiny"))
    return "ada/tiny"


@pytest.mark.slow
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_saves_and_is_resumed_to_its_end(base, hub_env, tmp_path, sent, code):
    (tmp_path / "chats.jsonl").write_text("\n".join(json.dumps(row) for row in tiny.chats(60)))
    arguments = ["run", "chats.jsonl", "--model", base, "--push-to", "you/stopped", "--out", "r"]
    command = [*COMMAND, *arguments, "--set", "epochs=20"]
    run = subprocess.Popen(command, cwd=tmp_path, env=hub_env, stderr=subprocess.PIPE, text=True)
    events = tmp_path / "r" / "events.jsonl"
    until(lambda: run.poll() is not None or (events.exists() and '"step"' in events.read_text()))
    run.send_signal(sent)
    said = run.communicate(timeout=300)[1]
    assert run.returncode == code, said
    assert json.loads((tmp_path / "r" / "run.json").read_text())["status"] == "interrupted"
    assert "tunekit-hub resume r" in said
    assert "Traceback" not in said
    done = subprocess.run([*COMMAND, "resume", "r"], cwd=tmp_path, env=hub_env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "going on after step" in done.stderr
    run = json.loads((tmp_path / "r" / "run.json").read_text())
    assert run["status"] == "done"
    assert run["training"]["steps"] == run["training"]["losses"][-1]["step"]
    assert f"{hub_env['HF_ENDPOINT']}/you/stopped" in done.stdout
    assert not (tmp_path / "r" / "checkpoints").exists()


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_as_if_nothing_had_been():
    """`kill -9` in a step, in the writing of a checkpoint, in the evaluation and in the publication of one run."""
    script = Path(__file__).parent.parent / "benchmarks" / "kill_resume.py"
    command = [sys.executable, script, "--chain", "--kills", "4", "--moments", ",".join(MOMENTS), "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads(ran.stdout)
    killed, unbroken = found["killed"][0], found["unbroken"]
    assert killed["loss"] == pytest.approx(unbroken["loss"], abs=1e-6)
    assert [moment.split(",")[0] for moment in killed["killed at"]] == MOMENTS
    assert len(killed["went on after"]) >= 1
