"""What was stored stays, whatever becomes of the server: killed in the middle, started twice, out of disk."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from huggingface_hub import CommitOperationAdd, HfApi
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import get_session, httpx
from waiting import until

from tunekit_hub.errors import UsageError
from tunekit_hub.localhub import Storage, running
from tunekit_hub.localhub.repos import open_repo
from tunekit_hub.localhub.storage import KINDS

SERVE = (
    "import sys; from tunekit_hub.localhub import serve; "
    "serve(sys.argv[1], tokens={'t': 'you'}, ready=lambda e: print(e, flush=True))"
)


@pytest.fixture
def served(tmp_path, hub_env):
    """Starts servers of one folder, in processes of their own."""
    started = []

    def start() -> tuple[subprocess.Popen, HfApi]:
        command = [sys.executable, "-c", SERVE, str(tmp_path / "folder")]
        process = subprocess.Popen(command, env=hub_env, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, HfApi(process.stdout.readline().strip(), token="t")

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=120)


def kill(process: subprocess.Popen) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=120)


def check_whole(folder: Path) -> None:
    """Every ref leads to a commit, every commit to its contents, and every content is what its name says."""
    storage = Storage(folder)
    for path in (folder / "blobs").glob("*/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    for kind in KINDS:
        for name in storage.repo_names(kind):
            repo = open_repo(storage, kind, name)
            for ref in repo.refs():
                for commit in repo.history(ref):
                    assert all(storage.blob(entry.sha256).exists() for entry in commit.tree.values())


def half_an_upload(api: HfApi, content: bytes) -> socket.socket:
    """The first half of a large file has arrived; the rest would follow."""
    oid = hashlib.sha256(content).hexdigest()
    ask = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": oid, "size": len(content)}]}
    headers = {"authorization": f"Bearer {api.token}"}
    url = f"{api.endpoint}/you/model.git/info/lfs/objects/batch"
    href = get_session().post(url, headers=headers, json=ask).json()["objects"][0]["actions"]["upload"]["href"]
    place = urlsplit(href)
    sender = socket.create_connection((place.hostname, place.port))
    lines = [
        f"PUT {place.path}?{place.query} HTTP/1.1",
        f"Host: {place.netloc}",
        f"Content-Length: {len(content)}",
    ]
    sender.sendall("\r\n".join([*lines, "", ""]).encode() + content[: len(content) // 2])
    return sender


def test_a_server_killed_in_the_middle_of_an_upload(served, tmp_path):
    content = b"\0" + os.urandom(4_000_000)
    process, api = served()
    api.create_repo("you/model")
    api.upload_file(path_or_fileobj=b"kept", path_in_repo="kept.txt", repo_id="you/model")
    before = api.model_info("you/model")
    with half_an_upload(api, content):
        until(lambda: any(path.stat().st_size for path in (tmp_path / "folder" / "tmp").iterdir()))
        kill(process)
    check_whole(tmp_path / "folder")

    _, api = served()
    after = api.model_info("you/model")
    assert (after.sha, [s.rfilename for s in after.siblings]) == (before.sha, [".gitattributes", "kept.txt"])
    assert not any((tmp_path / "folder" / "tmp").iterdir())
    api.upload_file(path_or_fileobj=content, path_in_repo="w.bin", repo_id="you/model")
    assert Path(api.hf_hub_download("you/model", "w.bin")).read_bytes() == content
    check_whole(tmp_path / "folder")


def test_every_commit_that_was_answered_is_there_after_a_kill(served, tmp_path):
    process, api = served()
    api.create_repo("you/model")
    answered: list[str] = []

    def commit_until_it_dies() -> None:
        for number in range(10_000):
            try:
                content = f"{number}".encode() * 1000
                done = api.create_commit(
                    "you/model", [CommitOperationAdd(f"{number}.txt", content)], commit_message=f"{number}"
                )
            except (httpx.HTTPError, HfHubHTTPError):  # the connection broke
                return
            answered.append(done.oid)

    writer = threading.Thread(target=commit_until_it_dies)
    writer.start()
    until(lambda: len(answered) >= 5)
    kill(process)
    writer.join(timeout=300)
    check_whole(tmp_path / "folder")
    _, api = served()
    known = {commit.commit_id for commit in api.list_repo_commits("you/model")}
    assert set(answered) <= known
    assert len(known) - len(answered) <= 2  # the first commit of all, and perhaps one whose answer got lost
    api.upload_file(path_or_fileobj=b"x", path_in_repo="after.txt", repo_id="you/model")


def test_a_repo_that_a_kill_left_without_its_first_commit_can_be_created(local_hub, hf):
    from tunekit_hub.localhub.repos import create_repo

    create_repo(local_hub.storage, "model", "you/half")
    assert [m.id for m in hf("you").list_models()] == []
    hf("you").create_repo("you/half")
    assert hf("you").list_repo_files("you/half") == [".gitattributes"]


def test_one_folder_has_one_server(served, tmp_path, hub_env):
    _, api = served()
    with pytest.raises(UsageError, match=api.endpoint), running(tmp_path / "folder", {"t": "you"}):
        pass
    code = "import sys; from tunekit_hub.cli import main; sys.exit(main(['hub', 'serve', '--dir', sys.argv[1]]))"
    command = [sys.executable, "-c", code, str(tmp_path / "folder")]
    done = subprocess.run(command, env=hub_env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 2
    assert "is in use already" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_folder_is_free_again_when_its_server_ends(tmp_path):
    for _ in range(2):
        with running(tmp_path, {"t": "you"}) as hub:
            assert HfApi(hub.endpoint, token="t").whoami()["name"] == "you"


def test_what_does_not_fit_on_the_disk_is_refused_before_it_is_sent(local_hub, hf, monkeypatch):
    api = hf("you")
    api.create_repo("you/model")
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 20 << 20})())
    with pytest.raises(Exception, match="do not fit on the disk"):
        api.upload_file(path_or_fileobj=b"\0" * (8 << 20), path_in_repo="w.bin", repo_id="you/model")
    assert api.list_repo_files("you/model") == [".gitattributes"]


def test_a_disk_that_fills_up_is_said_to_be_full(local_hub, hf, monkeypatch):
    import errno

    from tunekit_hub.localhub.repos import Repo

    api = hf("you")
    api.create_repo("you/model")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(Repo, "set_ref", lambda *_: (_ for _ in ()).throw(full))
    with pytest.raises(HfHubHTTPError, match="disk of this local Hub is full"):
        api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="you/model")


def test_bodies_have_a_largest_size(local_hub, hf):
    api = hf("you")
    headers = {"authorization": f"Bearer {api.token}"}
    big = json.dumps({"content": "x" * (9 << 20)}).encode()
    answer = get_session().post(f"{api.endpoint}/api/validate-yaml", headers=headers, content=big)
    assert answer.status_code == 413
    api.create_repo("you/model")
    header = json.dumps({"key": "header", "value": {"summary": "s"}})
    content = "eHh4" * (4 << 20)
    line = json.dumps({"key": "file", "value": {"path": "a.txt", "content": content, "encoding": "base64"}})
    url = f"{api.endpoint}/api/models/you/model/commit/main"
    answer = get_session().post(url, headers=headers, content=f"{header}\n{line}".encode())
    assert (answer.status_code, "large file" in answer.text) == (400, True)
