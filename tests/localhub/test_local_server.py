"""Starting and stopping: on loopback only, and saying so when it cannot."""

from __future__ import annotations

import subprocess
import sys

import pytest
from huggingface_hub import HfApi

from tunekit_hub.errors import UsageError
from tunekit_hub.localhub import running, serve


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_only_loopback_is_served(tmp_path, host):
    with pytest.raises(UsageError, match="other machines"):
        serve(tmp_path, tokens={}, ready=print, host=host)


def test_a_port_that_is_taken_is_said_to_be(local_hub, tmp_path):
    port = int(local_hub.endpoint.rsplit(":", 1)[1])
    with pytest.raises(UsageError, match=str(port)):
        serve(tmp_path / "other", tokens={}, ready=print, port=port)


def test_a_role_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(UsageError, match="admin"), running(tmp_path, {"t": "you:admin"}):
        pass


def test_serve_answers_until_it_is_stopped(tmp_path, hub_env):
    code = (
        "import sys; from tunekit_hub.localhub import serve; "
        "serve(sys.argv[1], tokens={'t': 'you'}, ready=lambda e: print(e, flush=True), seed=('registry',))"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(tmp_path / "served")]
    process = subprocess.Popen(command, env=hub_env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        api = HfApi(process.stdout.readline().strip(), token="t")
        assert api.whoami()["name"] == "you"
        assert api.model_info("bert-base-uncased").id == "google-bert/bert-base-uncased"
    finally:
        process.terminate()
        _, said = process.communicate(timeout=120)
    assert "Traceback" not in said


def test_the_package_loads_no_server_until_it_is_asked_for(hub_env):
    code = "import sys, tunekit_hub.localhub; print([m for m in ('starlette', 'uvicorn') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], env=hub_env, capture_output=True, text=True, timeout=300)
    assert done.stdout.strip() == "[]", done.stderr
