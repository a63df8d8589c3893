"""What the client raises when the answer is no: for nobody, for a stranger, for the owner, for a bad token."""

from __future__ import annotations

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)


@pytest.fixture
def owner(hf):
    api = hf("you")
    api.create_repo("you/model")
    api.create_repo("you/secret", private=True)
    return api


def status(error: pytest.ExceptionInfo) -> int:
    return error.value.response.status_code


def upload(api: HfApi, repo_id: str, **kwargs):
    return api.upload_file(path_or_fileobj=b"x", path_in_repo="x.txt", repo_id=repo_id, **kwargs)


def test_whoami_names_the_user(hf):
    answer = hf("ada").whoami()
    assert (answer["name"], answer["orgs"], answer["auth"]["accessToken"]["role"]) == ("ada", [], "write")


def test_a_token_of_nobody_is_a_plain_401(local_hub, owner):
    api = HfApi(endpoint=local_hub.endpoint, token="hf_wrong")
    for call in (api.whoami, lambda: api.model_info("you/model"), lambda: api.auth_check("you/model")):
        with pytest.raises(HfHubHTTPError) as error:
            call()
        assert status(error) == 401
        assert not isinstance(error.value, RepositoryNotFoundError)
    assert error.value.response.headers["X-Error-Message"] == "Invalid credentials in Authorization header"


@pytest.mark.parametrize(("user", "code"), [(None, 401), ("ada", 404), ("you", 404)])
def test_a_missing_repo(hf, user, code):
    for call in (hf(user).model_info, hf(user).auth_check, hf(user).list_repo_refs):
        with pytest.raises(RepositoryNotFoundError) as error:
            call("you/missing")
        assert status(error) == code
        assert not isinstance(error.value, GatedRepoError)


@pytest.mark.parametrize("user", [None, "ada"])
def test_a_private_repo_looks_missing_to_others(hf, owner, user):
    api = hf(user)
    for call in (
        lambda: api.model_info("you/secret"),
        lambda: api.auth_check("you/secret"),
        lambda: list(api.list_repo_tree("you/secret")),
        lambda: hf_hub_download("you/secret", ".gitattributes", endpoint=api.endpoint, token=api.token),
        lambda: upload(api, "you/secret"),
    ):
        with pytest.raises(RepositoryNotFoundError):
            call()
    assert not api.repo_exists("you/secret")


def test_the_owner_sees_a_private_repo(owner):
    assert owner.model_info("you/secret").private is True
    owner.auth_check("you/secret", write=True)


def test_a_stranger_may_read_and_not_write(hf, owner):
    api = hf("ada")
    api.auth_check("you/model")
    for call in (
        lambda: api.auth_check("you/model", write=True),
        lambda: upload(api, "you/model"),
        lambda: api.delete_repo("you/model"),
        lambda: api.update_repo_settings("you/model", private=True),
        lambda: api.create_branch("you/model", branch="b"),
        lambda: api.create_repo("you/other"),
        lambda: api.move_repo("you/model", "ada/model"),
        lambda: api.grant_access("you/model", "ada"),
    ):
        with pytest.raises(HfHubHTTPError) as error:
            call()
        assert status(error) == 403
    assert owner.model_info("you/model").private is False


def test_nobody_may_not_write(hf, owner):
    for call in (lambda: upload(hf(), "you/model"), lambda: hf().create_repo("you/other")):
        with pytest.raises(HfHubHTTPError) as error:
            call()
        assert status(error) == 401


def test_a_read_token_cannot_write(tmp_path):
    from tunekit_hub.localhub import running

    with running(tmp_path, {"w": "you", "r": "you:read"}) as hub:
        HfApi(hub.endpoint, token="w").create_repo("you/model")
        reader = HfApi(hub.endpoint, token="r")
        assert reader.whoami()["auth"]["accessToken"]["role"] == "read"
        reader.auth_check("you/model")
        for call in (lambda: upload(reader, "you/model"), lambda: upload(reader, "you/model", create_pr=True)):
            with pytest.raises(HfHubHTTPError) as error:
                call()
            assert status(error) == 403


def test_an_organization_belongs_to_its_members(tmp_path):
    from tunekit_hub.localhub import running

    with running(tmp_path, {"y": "you", "a": "ada"}, orgs={"lab": ["you"]}) as hub:
        you, ada = HfApi(hub.endpoint, token="y"), HfApi(hub.endpoint, token="a")
        assert [org["name"] for org in you.whoami()["orgs"]] == ["lab"]
        you.create_repo("lab/model")
        upload(you, "lab/model")
        with pytest.raises(HfHubHTTPError, match="403"):
            ada.create_repo("lab/other")


def test_a_missing_revision(hf, owner):
    for call in (
        lambda: hf().model_info("you/model", revision="nope"),
        lambda: hf().model_info("you/model", revision="0" * 40),
        lambda: hf().list_repo_commits("you/model", revision="nope"),
        lambda: upload(owner, "you/model", revision="nope"),
    ):
        with pytest.raises(RevisionNotFoundError) as error:
            call()
        assert status(error) == 404


def test_a_missing_file_and_the_client_remembers_it(hf, owner, local_hub, tmp_path):
    with pytest.raises(RemoteEntryNotFoundError):
        hf_hub_download("you/model", "no.txt", endpoint=local_hub.endpoint, cache_dir=tmp_path, token=False)
    remembered = tmp_path / "models--you--model" / ".no_exist" / owner.model_info("you/model").sha / "no.txt"
    assert remembered.exists()
    assert not hf().file_exists("you/model", "no.txt")


def test_a_disabled_repo(hf, owner, local_hub):
    from tunekit_hub.localhub.repos import open_repo

    open_repo(local_hub.storage, "model", "you/model").update(disabled=True)
    with pytest.raises(DisabledRepoError):
        hf("you").model_info("you/model")
    with pytest.raises(DisabledRepoError):
        hf().auth_check("you/model")
    with pytest.raises(LocalEntryNotFoundError) as error:
        hf_hub_download("you/model", ".gitattributes", endpoint=local_hub.endpoint, token=False)
    assert isinstance(error.value.__cause__, DisabledRepoError)


def test_names_the_hub_would_not_take_are_refused(hf):
    import http.client
    import json

    for name in ("..", ".hidden", "a..b", "a--b", "x.git", "a/b", "", "é", "a" * 97):
        api = hf("you")
        connection = http.client.HTTPConnection(api.endpoint.removeprefix("http://"))
        headers = {"Authorization": f"Bearer {api.token}"}
        connection.request("POST", "/api/repos/create", json.dumps({"name": name}), headers)
        assert connection.getresponse().status == 400, name
        connection.close()


def test_a_commit_without_a_summary_is_refused(owner):
    with pytest.raises((HfHubHTTPError, ValueError)):
        owner.create_commit("you/model", [CommitOperationAdd("a.txt", b"a")], commit_message=" ")
