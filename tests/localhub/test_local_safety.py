"""Nothing leaves the folder, nothing is lost, nothing is pretended, and no token is written down."""

from __future__ import annotations

import http.client
import json
import logging
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
from huggingface_hub.errors import HfHubHTTPError

from tunekit_hub.localhub import running

UPWARDS = [
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a//b",
    "./a",
    "a/.",
    "..",
    ".git/config",
    "a\\..\\b",
    "a\0b",
    "a\nb",
]


def send(endpoint: str, method: str, path: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
    """A request as written: no client tidies the path first."""
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=60)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    response.body = response.read()
    connection.close()
    return response


@pytest.fixture
def api(hf):
    hf("you").create_repo("you/model")
    return hf("you")


def outside(tmp_path) -> set[str]:
    return {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if "local-hub" not in p.parts}


@pytest.mark.parametrize("path", UPWARDS)
def test_a_commit_cannot_name_a_path_outside(api, tmp_path, path):
    before = outside(tmp_path)
    line = {"key": "file", "value": {"path": path, "content": "eA==", "encoding": "base64"}}
    body = b'{"key": "header", "value": {"summary": "s"}}\n' + json.dumps(line).encode()
    auth = {"Authorization": f"Bearer {api.token}"}
    assert send(api.endpoint, "POST", "/api/models/you/model/commit/main", body, **auth).status == 400
    assert outside(tmp_path) == before
    assert api.list_repo_files("you/model") == [".gitattributes"]


@pytest.mark.parametrize(
    "path",
    [
        "/you/model/resolve/main/../../../../../../etc/passwd",
        "/you/model/resolve/main/%2e%2e/%2e%2e/%2e%2e/repo.json",
        "/you/model/resolve/main/..%2f..%2frepo.json",
        "/you/model/resolve/..%2f..%2frepo.json/x",
        "/you/model/resolve/%2e%2e/repo.json",
        "/../model/resolve/main/.gitattributes",
        "/%2e%2e/%2e%2e/resolve/main/redirects.json",
        "/you%2fmodel%2f../resolve/main/x",
        "/api/models/%2e%2e/%2e%2e",
        "/api/models/you/model/revision/..%2F..%2Frepo",
        "/api/models/you/model/tree/main/..%2f..",
        "//etc/passwd",
    ],
)
def test_a_request_cannot_read_outside(api, path):
    response = send(api.endpoint, "GET", path)
    assert response.status in (400, 401, 404, 501)
    assert b"root:" not in response.body
    assert b'"created"' not in response.body


@pytest.mark.parametrize("name", ["../../../x", "..", "a/../../b", "%2e%2e", "x\ny", "a" * 300])
def test_a_branch_cannot_be_named_outside(api, tmp_path, name):
    from urllib.parse import quote

    before = outside(tmp_path)
    auth = {"Authorization": f"Bearer {api.token}"}
    path = f"/api/models/you/model/branch/{quote(name, safe='')}"
    assert send(api.endpoint, "POST", path, b"{}", **auth).status == 400
    assert outside(tmp_path) == before


def test_an_upload_needs_its_own_url_and_its_own_bytes(api, local_hub):
    import hashlib

    content = b"\0weights"
    oid = hashlib.sha256(content).hexdigest()
    auth = {"Authorization": f"Bearer {api.token}"}
    ask = json.dumps({"operation": "upload", "objects": [{"oid": oid, "size": len(content)}]}).encode()
    answer = json.loads(send(api.endpoint, "POST", "/you/model.git/info/lfs/objects/batch", ask, **auth).body)
    url = answer["objects"][0]["actions"]["upload"]["href"].removeprefix(api.endpoint)
    api.create_repo("you/other")

    assert send(api.endpoint, "PUT", url.replace("signature=", "signature=0"), content).status == 403
    assert send(api.endpoint, "PUT", url.replace("you/model", "you/other"), content).status == 403
    assert send(api.endpoint, "PUT", url.replace(oid, "0" * 64), content).status == 403
    assert send(api.endpoint, "PUT", url, b"\0other!!").status == 400
    assert send(api.endpoint, "PUT", url, content + b"more").status == 400
    verify = json.dumps({"oid": oid, "size": len(content)}).encode()
    assert send(api.endpoint, "POST", "/you/model.git/info/lfs/verify", verify, **auth).status == 404
    assert not any((local_hub.storage.folder / "tmp").iterdir())
    assert send(api.endpoint, "PUT", url, content).status == 200
    assert send(api.endpoint, "POST", "/you/model.git/info/lfs/verify", verify, **auth).status == 200


def test_an_unknown_route_is_501_and_noted(local_hub, caplog):
    with caplog.at_level(logging.WARNING, "tunekit_hub.localhub"):
        for method, path in (
            ("GET", "/api/spaces/you/x/metrics"),
            ("PATCH", "/api/whoami-v2"),
            ("GET", "/a/b/c/d"),
        ):
            response = send(local_hub.endpoint, method, path)
            assert response.status == 501
            assert (method, path, 501) in local_hub.log
    assert "/api/spaces/you/x/metrics" in caplog.text


def test_bodies_that_are_no_json_are_400(api):
    auth = {"Authorization": f"Bearer {api.token}"}
    for path in ("/api/repos/create", "/api/models/you/model/commit/main", "/api/validate-yaml"):
        for body in (b"{", b"[]", b"\xff", b'{"key": 1}'):
            assert send(api.endpoint, "POST", path, body, **auth).status == 400, (path, body)


def test_a_web_page_under_another_name_gets_nothing(api):
    assert send(api.endpoint, "GET", "/api/models", Host="evil.example").status == 403
    assert send(api.endpoint, "GET", "/api/models", Host="localhost:1").status == 200


def test_files_are_never_pages_of_this_server(api):
    api.upload_file(path_or_fileobj=b"<script>", path_in_repo="x.html", repo_id="you/model")
    response = send(api.endpoint, "GET", "/you/model/resolve/main/x.html")
    assert response.getheader("Content-Type") == "application/octet-stream"
    assert response.getheader("X-Content-Type-Options") == "nosniff"


def test_tokens_are_not_on_disk_nor_in_the_log_nor_in_any_repr(api, local_hub, caplog):
    with caplog.at_level(logging.DEBUG):
        api.create_commit("you/model", [CommitOperationAdd("w.bin", b"\0w")], commit_message="m")
        with pytest.raises(HfHubHTTPError):
            HfApi(api.endpoint, token="hf_mistyped").whoami()
    token = api.token.encode()
    for path in local_hub.storage.folder.rglob("*"):
        assert not path.is_file() or token not in path.read_bytes()
    shown = repr(local_hub) + repr(local_hub.app.state.hub) + repr(local_hub.log) + caplog.text
    assert api.token not in shown
    assert "hf_mistyped" not in shown


def test_everything_survives_a_restart(tmp_path):
    folder = tmp_path / "hub"
    with running(folder, {"t": "you"}) as hub:
        api = HfApi(hub.endpoint, token="t")
        api.create_repo("you/model", private=True)
        api.upload_file(path_or_fileobj=b"\0w", path_in_repo="w.bin", repo_id="you/model")
        api.create_tag("you/model", tag="v1")
        api.create_repo("you/gated")
        api.update_repo_settings("you/gated", gated="manual")
        api.move_repo("you/gated", "you/moved")
        before = api.model_info("you/model")
    with running(folder, {"other": "you"}) as hub:
        api = HfApi(hub.endpoint, token="other")
        after = api.model_info("you/model")
        assert (after.sha, after.private, after.created_at) == (before.sha, True, before.created_at)
        assert api.list_repo_refs("you/model").tags[0].target_commit == before.sha
        assert api.model_info("you/gated").id == "you/moved"
        assert api.model_info("you/moved").gated == "manual"
        path = hf_hub_download(
            "you/model", "w.bin", endpoint=hub.endpoint, token="other", cache_dir=tmp_path / "c"
        )
        assert Path(path).read_bytes() == b"\0w"
        with pytest.raises(HfHubHTTPError, match="Invalid user token"):
            HfApi(hub.endpoint, token="t").whoami()


def test_a_write_that_is_cut_off_leaves_the_old_state(api, local_hub, monkeypatch):
    """As a kill between two files would: blobs and the commit are written, the ref never moves."""
    from tunekit_hub.localhub.repos import Repo

    before = api.model_info("you/model")
    with monkeypatch.context() as patch:
        patch.setattr(Repo, "set_ref", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(HfHubHTTPError, match="500"):
            api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="you/model")
    after = api.model_info("you/model")
    assert (after.sha, [s.rfilename for s in after.siblings]) == (before.sha, [".gitattributes"])
    api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id="you/model")
    assert api.file_exists("you/model", "x.txt")


def test_no_test_leaves_this_machine(no_way_out):
    import socket

    for reach in (
        lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
        lambda: socket.getaddrinfo("huggingface.co", 443),
        lambda: HfApi(endpoint="https://huggingface.co", token=False).model_info("gpt2"),
    ):
        with pytest.raises(AssertionError, match="tried to reach"):
            reach()
    assert len(no_way_out) == 3
    no_way_out.clear()
