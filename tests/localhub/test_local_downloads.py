"""Files as the client gets them: bytes, ETags, ranges, snapshots."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    snapshot_download,
)
from huggingface_hub.utils import get_session

LARGE = bytes(range(256)) * 100


@pytest.fixture
def repo(hf):
    api = hf("you")
    api.create_repo("you/model")
    operations = [
        CommitOperationAdd("config.json", b'{"model_type": "bert"}'),
        CommitOperationAdd("model.safetensors", LARGE),
        CommitOperationAdd("sub/a.txt", b"a"),
        CommitOperationAdd("README.md", b"---\nlicense: mit\n---\n# hi\n"),
    ]
    return api.create_commit("you/model", operations, commit_message="files").oid


def url(local_hub, name: str, **kwargs) -> str:
    return hf_hub_url("you/model", name, endpoint=local_hub.endpoint, **kwargs)


def test_metadata_of_a_small_file(repo, local_hub):
    found = get_hf_file_metadata(url(local_hub, "config.json"), token=False)
    content = b'{"model_type": "bert"}'
    assert found.commit_hash == repo
    assert found.size == len(content)
    assert found.etag == hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    assert found.xet_file_data is None


def test_metadata_of_a_large_file(repo, local_hub):
    found = get_hf_file_metadata(url(local_hub, "model.safetensors"), token=False)
    assert (found.commit_hash, found.size) == (repo, len(LARGE))
    assert found.etag == hashlib.sha256(LARGE).hexdigest()
    headers = get_session().head(url(local_hub, "model.safetensors")).headers
    assert headers["X-Linked-Size"] == str(len(LARGE))


@pytest.mark.parametrize(
    ("asked", "start", "end"), [("bytes=0-99", 0, 100), ("bytes=100-", 100, None), ("bytes=-5", -5, None)]
)
def test_a_range_of_a_file(repo, local_hub, asked, start, end):
    response = get_session().get(url(local_hub, "model.safetensors"), headers={"Range": asked})
    assert response.status_code == 206
    assert response.content == LARGE[start:end]
    assert response.headers["Content-Range"].endswith(f"/{len(LARGE)}")
    assert response.headers["X-Repo-Commit"] == repo


def test_a_range_beyond_the_end_is_416(repo, local_hub):
    response = get_session().get(url(local_hub, "config.json"), headers={"Range": "bytes=9999-"})
    assert response.status_code == 416


def test_a_download_resumes(repo, local_hub, tmp_path):
    from huggingface_hub.file_download import http_get

    target = tmp_path / "part"
    with target.open("wb") as file:
        file.write(LARGE[:1000])
        http_get(url(local_hub, "model.safetensors"), file, resume_size=1000, expected_size=len(LARGE))
    assert target.read_bytes() == LARGE


def test_a_snapshot_holds_every_file_and_is_cached(repo, local_hub, tmp_path):
    def fetch() -> Path:
        return Path(
            snapshot_download("you/model", endpoint=local_hub.endpoint, token=False, cache_dir=tmp_path / "cache")
        )

    folder = fetch()
    assert folder.name == repo
    assert (folder / "model.safetensors").read_bytes() == LARGE
    assert (folder / "sub" / "a.txt").read_bytes() == b"a"
    before = len(local_hub.log)
    assert fetch() == folder
    assert not any(method == "GET" and "/resolve/" in path for method, path, _ in local_hub.log[before:])


def test_a_snapshot_of_some_files(repo, local_hub, tmp_path):
    folder = snapshot_download(
        "you/model", allow_patterns=["*.json"], endpoint=local_hub.endpoint, token=False, local_dir=tmp_path
    )
    assert [path.name for path in Path(folder).glob("*.*") if path.is_file()] == ["config.json"]


def test_an_upload_is_seen_by_the_next_download(hf, repo, local_hub):
    def read() -> bytes:
        path = hf_hub_download("you/model", "config.json", endpoint=local_hub.endpoint, token=False)
        return Path(path).read_bytes()

    assert read() == b'{"model_type": "bert"}'
    hf("you").upload_file(path_or_fileobj=b"{}", path_in_repo="config.json", repo_id="you/model")
    assert read() == b"{}"


def test_the_client_needs_no_telemetry_switch(local_hub, hub_env):
    """The first call of a process asks for agent harnesses; a bad answer would break all others."""
    import subprocess
    import sys

    env = {key: value for key, value in hub_env.items() if key != "HF_HUB_DISABLE_TELEMETRY"}
    code = "from huggingface_hub import HfApi; a = HfApi(); print(a.whoami()['name'], a.whoami()['type'])"
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["you", "user"], done.stderr
    assert ("GET", "/api/agent-harnesses", 200) in local_hub.log


def test_card_helpers_use_the_local_hub(repo):
    from huggingface_hub import ModelCard

    card = ModelCard.load("you/model", token=False)
    assert card.data.license == "mit"
    card.validate()


def test_the_file_system_lists_and_reads(repo, local_hub):
    from huggingface_hub import HfFileSystem

    fs = HfFileSystem(endpoint=local_hub.endpoint, token=False, skip_instance_cache=True)
    assert "you/model/sub/a.txt" in fs.find("you/model")
    assert fs.read_bytes("you/model/sub/a.txt") == b"a"
