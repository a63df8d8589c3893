"""A run that is stopped or killed while it trains goes on with the command it names."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest
import tiny

COMMAND = [sys.executable, "-c", "from tunekit_hub.cli import main; raise SystemExit(main())"]


@pytest.fixture
def base(local_hub, hf, tmp_path):
    folder = tiny.save_model(tmp_path / "tiny")
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Tiny\n")
    hf("ada").create_repo("ada/tiny")
    hf("ada").upload_folder(repo_id="ada/tiny", folder_path=folder)
    return "ada/tiny"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "code", "status"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "interrupted"), (signal.SIGKILL, -9, "running")],
)
def test_a_stopped_run_is_resumed_to_its_end(base, hub_env, tmp_path, sent, code, status):
    (tmp_path / "chats.jsonl").write_text("\n".join(json.dumps(row) for row in tiny.chats(60)))
    arguments = [
        "run",
        "chats.jsonl",
        "--model",
        base,
        "--push-to",
        "you/stopped",
        "--out",
        "r",
        "--set",
        "epochs=40",
    ]
    run = subprocess.Popen(COMMAND + arguments, cwd=tmp_path, env=hub_env, stderr=subprocess.PIPE, text=True)
    events = tmp_path / "r" / "events.jsonl"
    deadline = time.monotonic() + 120
    while not (events.exists() and '"step"' in events.read_text()):
        assert run.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)
    run.send_signal(sent)
    said = run.communicate(timeout=60)[1]
    assert run.returncode == code
    assert json.loads((tmp_path / "r" / "run.json").read_text())["status"] == status
    if sent != signal.SIGKILL:
        assert "tunekit-hub resume r" in said
        assert "Traceback" not in said
    done = subprocess.run([*COMMAND, "resume", "r"], cwd=tmp_path, env=hub_env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "r" / "run.json").read_text())["status"] == "done"
    assert f"{hub_env['HF_ENDPOINT']}/you/stopped" in done.stdout
