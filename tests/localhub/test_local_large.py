"""Large files: in parts, from another port, and with everything the client asks of both."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from huggingface_hub import (
    CommitOperationAdd,
    HfApi,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    snapshot_download,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import get_session

from tunekit_hub.localhub import running

CONTENT = b"\0" + os.urandom(999_999)


@pytest.fixture
def in_parts(local_hub, hf):
    """The client, at a local Hub that wants parts of 300 kB."""
    local_hub.app.state.hub.multipart_from, local_hub.app.state.hub.part_size = 500_000, 300_000
    hf("you").create_repo("you/model")
    local_hub.log.clear()
    return hf("you")


def sent(hub) -> list[str]:
    return [
        path.rsplit("/", 1)[-1] for method, path, status in hub.log if path.startswith("/lfs/") and status == 200
    ]


def test_a_large_file_goes_in_parts(local_hub, in_parts, tmp_path):
    files = [CommitOperationAdd("w.bin", CONTENT), CommitOperationAdd("small.bin", b"\0small")]
    in_parts.create_commit("you/model", files, commit_message="weights")
    assert sorted(sent(local_hub)) == sorted(["1", "2", "3", "4", "end", hashlib.sha256(b"\0small").hexdigest()])
    path = hf_hub_download("you/model", "w.bin", endpoint=in_parts.endpoint, cache_dir=tmp_path)
    assert Path(path).read_bytes() == CONTENT
    assert not any((local_hub.storage.folder / "tmp").iterdir())
    count = len(sent(local_hub))
    in_parts.upload_file(path_or_fileobj=CONTENT, path_in_repo="again.bin", repo_id="you/model")
    assert len(sent(local_hub)) == count  # what is here is not sent again


def batch(api: HfApi, content: bytes) -> dict:
    oid = hashlib.sha256(content).hexdigest()
    ask = {
        "operation": "upload",
        "transfers": ["basic", "multipart"],
        "objects": [{"oid": oid, "size": len(content)}],
    }
    url = f"{api.endpoint}/you/model.git/info/lfs/objects/batch"
    answer = get_session().post(url, headers={"authorization": f"Bearer {api.token}"}, json=ask)
    return answer.json()["objects"][0]["actions"]["upload"]


def test_parts_that_are_missing_wrong_or_of_another_make_no_file(local_hub, in_parts):
    action = batch(in_parts, CONTENT)
    urls = [action["header"][str(number)] for number in (1, 2, 3, 4)]
    pieces = [CONTENT[start : start + 300_000] for start in range(0, len(CONTENT), 300_000)]
    client = get_session()
    assert client.put(urls[0].replace("signature=", "signature=0"), content=pieces[0]).status_code == 403
    assert client.put(urls[0].replace("/1?", "/2?"), content=pieces[0]).status_code == 403
    assert client.put(urls[0], content=pieces[0] + b"x").status_code == 400
    assert client.put(urls[0], content=pieces[0][:-1]).status_code == 400

    def put(number: int, piece: bytes) -> dict:
        return {"partNumber": number, "etag": client.put(urls[number - 1], content=piece).headers["etag"]}

    def finish(parts: list[dict]) -> int:
        body = {"oid": hashlib.sha256(CONTENT).hexdigest(), "parts": parts}
        return client.post(action["href"], json=body).status_code

    parts = [put(number, piece) for number, piece in enumerate(pieces, 1)]
    assert finish(parts[:3]) == 400
    assert finish([{**part, "etag": '"0"'} for part in parts]) == 400
    put(2, b"\1" * 300_000)
    assert finish(parts) == 400
    wrong = [parts[0], put(2, b"\1" * 300_000), *parts[2:]]
    assert finish(wrong) == 400
    assert not (local_hub.storage.folder / "blobs" / hashlib.sha256(CONTENT).hexdigest()[:2]).exists()
    assert finish(parts) == 400  # the wrong file was dropped, so it starts again
    parts = [put(number, piece) for number, piece in enumerate(pieces, 1)]
    assert finish(parts) == 200
    assert finish(parts) == 200  # the answer got lost, and the client asked again


@pytest.fixture
def far(tmp_path):
    """A local Hub that sends large files from a second port."""
    with running(tmp_path / "hub", {"t": "you"}, second_origin=True) as hub:
        api = HfApi(hub.endpoint, token="t")
        api.create_repo("you/model", private=True)
        files = [CommitOperationAdd("w.bin", CONTENT), CommitOperationAdd("a.txt", b"small")]
        api.create_commit("you/model", files, commit_message="files")
        hub.log.clear()
        yield hub, api


def test_large_files_come_from_another_origin_without_the_token(far, tmp_path):
    hub, api = far
    folder = snapshot_download("you/model", endpoint=hub.endpoint, token="t", cache_dir=tmp_path / "cache")
    assert (Path(folder) / "w.bin").read_bytes() == CONTENT
    assert (Path(folder) / "a.txt").read_bytes() == b"small"
    from_there = [path for method, path, _ in hub.log if path.startswith("/cdn/")]
    assert len(from_there) == 1
    url = hf_hub_url("you/model", "w.bin", endpoint=api.endpoint)
    said = get_hf_file_metadata(url, token="t", endpoint=hub.endpoint)
    assert (said.etag, said.size) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    assert urlsplit(said.location).netloc != urlsplit(hub.endpoint).netloc
    assert get_session().head(url).status_code == 401


def test_a_broken_download_goes_on_where_it_stopped(far, tmp_path):
    hub, api = far
    place = tmp_path / "part"
    place.write_bytes(CONTENT[:400_000])
    with place.open("ab") as file:
        url = hf_hub_url("you/model", "w.bin", endpoint=api.endpoint)
        http_get(url, file, resume_size=400_000, headers={"authorization": "Bearer t"}, expected_size=len(CONTENT))
    assert place.read_bytes() == CONTENT
    assert 206 in [status for _, _, status in hub.log]


def test_an_address_there_is_for_one_file_and_for_some_minutes(far, monkeypatch):
    import time

    _, api = far
    url = hf_hub_url("you/model", "w.bin", endpoint=api.endpoint)
    answer = get_session().head(url, headers={"authorization": "Bearer t"}, follow_redirects=False)
    place = answer.headers["location"]
    assert get_session().get(place).content == CONTENT
    other = hashlib.sha256(b"small").hexdigest()
    assert get_session().get(place.replace(hashlib.sha256(CONTENT).hexdigest(), other)).status_code == 403
    assert get_session().get(place.replace("until=", "until=9")).status_code == 403
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 3600)
    assert get_session().get(place).status_code == 403
