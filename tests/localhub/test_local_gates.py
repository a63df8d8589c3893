"""Gated repos: everyone sees what they are, only those who were let in get the files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
from huggingface_hub.errors import BadRequestError, GatedRepoError, HfHubHTTPError
from huggingface_hub.utils import get_session

WEIGHTS = b"\0weights"


@pytest.fixture
def owner(hf):
    api = hf("you")
    api.create_repo("you/gated")
    files = [
        CommitOperationAdd("model.safetensors", WEIGHTS),
        CommitOperationAdd("README.md", b"---\nlicense: llama2\n---\n"),
    ]
    api.create_commit("you/gated", files, commit_message="files")
    api.update_repo_settings("you/gated", gated="manual")
    return api


def download(api: HfApi, name: str = "model.safetensors") -> str:
    return hf_hub_download("you/gated", name, endpoint=api.endpoint, token=api.token)


def ask(api: HfApi) -> str:
    response = get_session().post(
        f"{api.endpoint}/you/gated/ask-access", headers={"authorization": f"Bearer {api.token}"}
    )
    return response.json()["status"]


@pytest.mark.parametrize("user", [None, "ada", "you"])
def test_metadata_and_file_names_are_open(hf, owner, user):
    info = hf(user).model_info("you/gated")
    assert (info.gated, info.card_data.license) == ("manual", "llama2")
    assert "model.safetensors" in hf(user).list_repo_files("you/gated")


@pytest.mark.parametrize(("user", "code"), [(None, 401), ("ada", 403)])
def test_files_are_shut(hf, owner, user, code):
    api = hf(user)
    for call in (
        lambda: download(api),
        lambda: download(api, "README.md"),
        lambda: api.auth_check("you/gated"),
        lambda: api.file_exists("you/gated", "README.md"),
    ):
        with pytest.raises(GatedRepoError) as error:
            call()
        assert error.value.response.status_code == code


def test_the_owner_is_let_in(owner):
    owner.auth_check("you/gated")
    assert Path(download(owner)).read_bytes() == WEIGHTS


def test_a_grant_opens_and_a_rejection_shuts_again(hf, owner):
    owner.grant_access("you/gated", "ada")
    hf("ada").auth_check("you/gated")
    assert Path(download(hf("ada"))).read_bytes() == WEIGHTS
    owner.reject_access_request("you/gated", "ada", rejection_reason=None)
    with pytest.raises(GatedRepoError, match="rejected"):
        hf("ada").auth_check("you/gated")


def test_a_request_waits_for_its_answer(hf, owner):
    assert ask(hf("ada")) == "pending"
    with pytest.raises(GatedRepoError, match="awaiting a review"):
        hf("ada").auth_check("you/gated")
    (request,) = owner.list_pending_access_requests("you/gated")
    assert (request.username, request.status) == ("ada", "pending")
    owner.accept_access_request("you/gated", request_id=request.request_id)
    hf("ada").auth_check("you/gated")
    assert [r.username for r in owner.list_accepted_access_requests("you/gated")] == ["ada"]
    assert list(owner.list_pending_access_requests("you/gated")) == []


def test_an_automatic_gate_opens_on_asking(hf, owner):
    owner.update_repo_settings("you/gated", gated="auto")
    with pytest.raises(GatedRepoError, match="not in the authorized list"):
        hf("ada").auth_check("you/gated")
    assert ask(hf("ada")) == "accepted"
    hf("ada").auth_check("you/gated")


def test_settings_can_open_the_gate(hf, owner):
    owner.update_repo_settings("you/gated", gated=False)
    hf().auth_check("you/gated")
    assert hf().model_info("you/gated").gated is False


def test_a_token_without_the_permission_for_gated_repos(tmp_path):
    from tunekit_hub.localhub import running

    with running(tmp_path, {"y": "you", "a": "ada", "n": "ada:no-gated"}) as hub:
        owner = HfApi(hub.endpoint, token="y")
        owner.create_repo("you/gated")
        owner.update_repo_settings("you/gated", gated="auto")
        owner.grant_access("you/gated", "ada")
        HfApi(hub.endpoint, token="a").auth_check("you/gated")
        with pytest.raises(GatedRepoError, match="token settings"):
            HfApi(hub.endpoint, token="n").auth_check("you/gated")


def test_requests_that_make_no_sense(hf, owner):
    with pytest.raises(HfHubHTTPError, match="404"):
        owner.grant_access("you/gated", "nobody")
    owner.grant_access("you/gated", "ada")
    with pytest.raises(BadRequestError):
        owner.grant_access("you/gated", "ada")
    with pytest.raises(HfHubHTTPError, match="404"):
        owner.accept_access_request("you/gated", "ada")
    owner.create_repo("you/open")
    with pytest.raises(BadRequestError):
        owner.grant_access("you/open", "ada")
    with pytest.raises(HfHubHTTPError, match="403"):
        list(hf("ada").list_pending_access_requests("you/gated"))


def test_the_hash_of_a_gated_file_does_not_give_the_file(hf, owner):
    """Its sha256 stands in the public file list; committing it elsewhere must not open a way round the gate."""
    thief = hf("ada")
    thief.create_repo("ada/copy")
    oid = hashlib.sha256(WEIGHTS).hexdigest()
    lines = (
        '{"key": "header", "value": {"summary": "copy"}}\n'
        f'{{"key": "lfsFile", "value": {{"path": "w.bin", "algo": "sha256", "oid": "{oid}"}}}}\n'
    )
    response = get_session().post(
        f"{thief.endpoint}/api/models/ada/copy/commit/main",
        content=lines,
        headers={"authorization": f"Bearer {thief.token}"},
    )
    assert response.status_code == 400
    assert thief.list_repo_files("ada/copy") == [".gitattributes"]
