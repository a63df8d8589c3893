"""`tunekit-hub space` and `space deploy`."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import time
import zipfile
from importlib import metadata

import pytest
import yaml
from click.testing import CliRunner
from runs_world import ROOT

from tunekit_hub import runs, space_files
from tunekit_hub.cli import main, tunekit
from tunekit_hub.errors import RunError


@pytest.fixture
def signed_in(local_hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", local_hub.endpoint)
    monkeypatch.setenv("HF_TOKEN", local_hub.tokens["you"])


@pytest.fixture(scope="module")
def carried() -> dict[str, bytes]:
    return space_files.files()


@pytest.fixture
def deploy(signed_in, carried, monkeypatch):
    """Deploys these files; packing them is tested by itself."""
    content = dict(carried)
    monkeypatch.setattr(space_files, "files", lambda *, released=False: dict(content))

    def deploy(*arguments: str):
        return CliRunner().invoke(tunekit, ["space", "deploy", *arguments], catch_exceptions=False)

    deploy.content = content
    return deploy


def test_a_space_in_one_commit_and_again_in_none(deploy, hf):
    first = deploy("you/tuning")
    assert first.exit_code == 0
    assert first.stdout.strip().endswith("/spaces/you/tuning")
    info = hf("you").space_info("you/tuning")
    assert info.private
    assert {file.rfilename for file in info.siblings} >= set(deploy.content)
    commits = hf("you").list_repo_commits("you/tuning", repo_type="space")
    assert len(commits) == 2  # the Hub's own first one, and ours
    again = deploy("you/tuning", "--public")
    assert "nothing has changed" in again.stderr
    assert "it was private before" in again.stderr
    assert hf("you").space_info("you/tuning").sha == info.sha


def test_what_is_no_longer_part_of_it_goes_and_the_owners_own_files_stay(deploy, hf):
    deploy.content["pages/old.py"] = b"pass\n"
    deploy("you/tuning")
    hf("you").upload_file(
        path_or_fileobj=b"mine", path_in_repo="notes.md", repo_id="you/tuning", repo_type="space"
    )
    del deploy.content["pages/old.py"]
    deploy("you/tuning")
    names = {file.rfilename for file in hf("you").space_info("you/tuning").siblings}
    assert "pages/old.py" not in names
    assert {"notes.md", "app.py", "pages/home.py"} <= names


def test_somebody_elses_space_is_refused(deploy, hf):
    assert main(["space", "deploy", "ada/tuning"]) == 1
    hf("ada").create_repo("ada/tuning", repo_type="space", space_sdk="gradio")
    assert main(["space", "deploy", "ada/tuning"]) == 1


def test_deploying_without_a_token_or_an_owner(local_hub, monkeypatch, capsys, signed_in):
    assert main(["space", "deploy", "tuning"]) == 2
    assert "write `you/tuning`" in capsys.readouterr().err
    monkeypatch.delenv("HF_TOKEN")
    assert main(["space", "deploy", "you/tuning"]) == 1
    assert "no token" in capsys.readouterr().err


def test_hardware_is_asked_for_after_the_files_are_there(deploy, monkeypatch):
    from tunekit_hub.hub import spaces as hub_spaces

    asked = []
    monkeypatch.setattr(hub_spaces, "request_hardware", lambda hub, repo, name: asked.append((repo, name)))
    assert deploy("you/tuning", "--hardware", "t4-small").exit_code == 0
    assert asked == [("you/tuning", "t4-small")]


def test_the_files_are_the_pages_the_package_and_what_they_need(carried):
    front = yaml.safe_load(carried["README.md"].decode().split("---")[1])
    assert (front["sdk"], front["app_file"], front["hf_oauth"]) == ("gradio", "app.py", True)
    for name in ("app.py", "pages/home.py", "tunekit_hub/runs/worker.py", "tunekit_hub/model_registry.json"):
        assert carried[name]
    unwanted = ("/_spaces/", "__pycache__", "tests/")
    assert not [name for name in carried if any(part in name for part in unwanted)]
    lines = carried["requirements.txt"].decode().splitlines()
    assert len([line for line in lines if line.startswith("gradio")]) == 1
    assert {"pydantic", "torch", "trl", "bitsandbytes"} <= {re.split("[<>=[]", line)[0] for line in lines}
    assert not [line for line in lines if "tunekit" in line or "starlette" in line or ";" in line]


def test_what_is_carried_works_by_itself(carried, tmp_path):
    for name, content in carried.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    code = "import sys; sys.path.insert(0, '.'); import tunekit_hub, tunekit_hub.registry as r; r.load()"
    code += "; from tunekit_hub import runs; runs.Service; print(tunekit_hub.__file__, tunekit_hub.__version__)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True, env=_plain()
    )
    place, version = done.stdout.split()
    assert place.startswith(str(tmp_path))
    assert version == metadata.version("tunekit-hub")


def _plain() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def test_from_an_installed_wheel_the_same_goes_along(carried, tmp_path):
    """Without a checkout, and without hatchling."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    site = tmp_path / "site"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(site)
    code = (
        "import sys, json, hashlib; sys.path.insert(0, sys.argv[1]); from tunekit_hub import space_files as s; "
        "assert str(s.PACKAGE).startswith(sys.argv[1]); "
        "print(json.dumps({name: hashlib.sha256(one).hexdigest() for name, one in s.files().items()}))"
    )
    ask = [sys.executable, "-c", code, str(site)]
    done = subprocess.run(ask, cwd=tmp_path, capture_output=True, text=True, check=True, env=_plain())
    digests = {name: hashlib.sha256(one).hexdigest() for name, one in carried.items()}
    assert json.loads(done.stdout) == digests


def test_a_released_version_is_named_and_not_carried():
    files = space_files.files(released=True)
    assert f"tunekit-hub[space,train]=={metadata.version('tunekit-hub')}" in files["requirements.txt"].decode()
    assert not [name for name in files if name.startswith("tunekit_hub/")]


def test_a_package_without_its_pages_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(space_files, "PACKAGE", tmp_path / "tunekit_hub")
    with pytest.raises(RunError, match="pages of the Space"):
        space_files.folder()


def test_it_does_not_listen_to_the_network_unless_told(capsys):
    assert main(["space", "--host", "0.0.0.0"]) == 2
    assert "whoever reaches it acts as you" in capsys.readouterr().err


def test_who_sits_here(local_hub, signed_in, monkeypatch):
    here = runs.local()
    assert (here.visitor.name, here.visitor.kind) == ("you", "local")
    assert f"signed in as `you` at the Hub on this machine, {local_hub.endpoint}" == here.words
    assert local_hub.tokens["you"] not in repr(here)
    monkeypatch.setenv("HF_TOKEN", "hf_" + "x" * 34)
    stranger = runs.local()
    assert "not known" in stranger.words
    monkeypatch.delenv("HF_TOKEN")
    nobody = runs.local()
    assert "not signed in" in nobody.words
    assert nobody.token is stranger.token is None
    assert {here.visitor.key, stranger.visitor.key, nobody.visitor.key} == {here.visitor.key}


@pytest.mark.slow
def test_the_command_serves_the_app(hub_env, local_hub, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from tunekit_hub.cli import main; raise SystemExit(main())"]
    process = subprocess.Popen(
        [*command, "space", "--port", str(port), "--root", str(tmp_path / "kept")],
        cwd=ROOT,  # where our folder `spaces` lies
        env=hub_env,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stderr.readline().startswith(
            f"signed in as `you` at the Hub on this machine, {local_hub.endpoint}"
        )
        deadline = time.monotonic() + 120
        while not _serves(port):
            assert process.poll() is None, process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert (tmp_path / "kept" / "service.sqlite").exists()
        process.terminate()
        process.wait(30)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def _serves(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
