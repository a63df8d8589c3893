"""Repos as a whole: create, rename, delete; branches, tags, pull requests; trees and history."""

from __future__ import annotations

import pytest
from huggingface_hub import CommitOperationAdd, HfApi, hf_hub_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import get_session


@pytest.fixture
def api(hf):
    hf("you").create_repo("you/model")
    return hf("you")


def add(api: HfApi, path: str, content: bytes, **kwargs):
    return api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id="you/model", **kwargs)


def read(api: HfApi, path: str, revision: str | None = None) -> bytes:
    found = hf_hub_download("you/model", path, revision=revision, endpoint=api.endpoint, token=api.token)
    with open(found, "rb") as file:
        return file.read()


def test_create_says_where(hf):
    url = hf("you").create_repo("you/new", private=True)
    assert (url.repo_id, url.repo_type, url.endpoint) == ("you/new", "model", hf().endpoint)
    assert hf("you").model_info("you/new").private is True
    assert hf("you").create_repo("short").repo_id == "you/short"


def test_creating_twice(api):
    with pytest.raises(HfHubHTTPError) as error:
        api.create_repo("you/model")
    assert error.value.response.status_code == 409
    assert api.create_repo("you/model", exist_ok=True).repo_id == "you/model"


def test_exist_ok_on_somebody_elses_repo(hf, api):
    """The client then asks whether the repo is there at all, and goes on."""
    assert hf("ada").create_repo("you/model", exist_ok=True).repo_id == "you/model"


def test_delete(api):
    api.delete_repo("you/model")
    assert not api.repo_exists("you/model")
    api.delete_repo("you/model", missing_ok=True)
    with pytest.raises(RepositoryNotFoundError):
        api.delete_repo("you/model")
    api.create_repo("you/model")
    assert len(api.list_repo_commits("you/model")) == 1


def test_visibility_can_change(hf, api):
    api.update_repo_settings("you/model", private=True)
    assert not hf().repo_exists("you/model")
    api.update_repo_settings("you/model", private=False)
    assert hf().repo_exists("you/model")


def test_a_renamed_repo_answers_to_its_old_id(hf, api):
    add(api, "a.txt", b"a")
    api.move_repo("you/model", "you/renamed")
    api.move_repo("you/renamed", "you/final")
    for old in ("you/model", "you/renamed"):
        assert hf().model_info(old).id == "you/final"
    assert hf().model_info("you/model", expand=["gated"]).id == "you/final"
    assert read(api, "a.txt") == b"a"
    add(api, "b.txt", b"b")
    assert "b.txt" in api.list_repo_files("you/final")


def test_an_old_id_can_be_taken_again(api):
    api.move_repo("you/model", "you/renamed")
    api.create_repo("you/model")
    assert {api.model_info(name).id for name in ("you/model", "you/renamed")} == {"you/model", "you/renamed"}


def test_a_redirect_does_not_give_a_private_repo_away(hf, api):
    api.move_repo("you/model", "you/renamed")
    api.update_repo_settings("you/renamed", private=True)
    with pytest.raises(RepositoryNotFoundError) as error:
        hf("ada").model_info("you/model")
    assert "renamed" not in str(error.value)


def test_letter_case_does_not_matter(api):
    assert api.model_info("YOU/Model").id == "you/model"


def test_moving_onto_another_repo_is_refused(api):
    api.create_repo("you/other")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.move_repo("you/model", "you/other")


def test_branches(api):
    api.create_branch("you/model", branch="exp/1")
    add(api, "a.txt", b"branch", revision="exp/1")
    assert not api.file_exists("you/model", "a.txt")
    assert read(api, "a.txt", "exp/1") == b"branch"
    assert {b.name for b in api.list_repo_refs("you/model").branches} == {"main", "exp/1"}
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_branch("you/model", branch="exp/1")
    api.create_branch("you/model", branch="exp/1", exist_ok=True)
    api.delete_branch("you/model", branch="exp/1")
    with pytest.raises(RevisionNotFoundError):
        api.model_info("you/model", revision="exp/1")
    with pytest.raises(HfHubHTTPError, match="403"):
        api.delete_branch("you/model", branch="main")


def test_tags(api):
    add(api, "a.txt", b"1")
    api.create_tag("you/model", tag="v1.0")
    add(api, "a.txt", b"2")
    assert read(api, "a.txt", "v1.0") == b"1"
    assert [tag.name for tag in api.list_repo_refs("you/model").tags] == ["v1.0"]
    with pytest.raises(HfHubHTTPError):
        add(api, "a.txt", b"3", revision="v1.0")
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_tag("you/model", tag="v1.0")
    api.create_tag("you/model", tag="v1.0", exist_ok=True)
    api.delete_tag("you/model", tag="v1.0")
    assert api.list_repo_refs("you/model").tags == []
    with pytest.raises(RevisionNotFoundError):
        api.delete_tag("you/model", tag="v1.0")


def test_a_tag_keeps_its_message(api):
    api.create_tag("you/model", tag="v1", tag_message="the first good one")
    url = f"{api.endpoint}/api/models/you/model/refs"
    assert get_session().get(url).json()["tags"][0]["message"] == "the first good one"
    api.delete_tag("you/model", tag="v1")
    api.create_tag("you/model", tag="v1")
    assert get_session().get(url).json()["tags"][0]["message"] == ""


def test_anybody_may_propose_a_change_and_the_owner_merges_it(hf, api):
    add(api, "a.txt", b"1")
    done = add(hf("ada"), "weights.bin", b"\0w", create_pr=True)
    assert (done.pr_num, done.pr_revision) == (1, "refs/pr/1")
    assert not api.file_exists("you/model", "weights.bin")
    assert read(api, "weights.bin", "refs/pr/1") == b"\0w"
    refs = api.list_repo_refs("you/model", include_pull_requests=True).pull_requests
    assert [(ref.name, ref.target_commit) for ref in refs] == [("refs/pr/1", done.oid)]

    add(hf("ada"), "more.txt", b"m", revision="refs/pr/1")
    add(api, "b.txt", b"on main")
    details = api.get_discussion_details("you/model", 1)
    assert (details.author, details.status, details.is_pull_request) == ("ada", "open", True)
    assert [event.type for event in details.events] == ["comment", "commit", "commit"]
    assert details.conflicting_files == []
    with pytest.raises(HfHubHTTPError, match="403"):
        hf("ada").merge_pull_request("you/model", 1)
    api.merge_pull_request("you/model", 1)
    assert {"weights.bin", "more.txt", "a.txt", "b.txt"} <= set(api.list_repo_files("you/model"))
    details = api.get_discussion_details("you/model", 1)
    assert (details.status, details.merge_commit_oid) == ("merged", api.model_info("you/model").sha)


def test_a_pull_request_against_a_changed_file_is_not_merged(hf, api):
    add(api, "a.txt", b"1")
    add(hf("ada"), "a.txt", b"theirs", create_pr=True)
    add(api, "a.txt", b"ours")
    assert api.get_discussion_details("you/model", 1).conflicting_files == ["a.txt"]
    with pytest.raises(HfHubHTTPError, match="409"):
        api.merge_pull_request("you/model", 1)
    assert read(api, "a.txt") == b"ours"


def test_an_empty_pull_request_and_numbers_that_go_up(api):
    first = api.create_pull_request("you/model", "One", description="why")
    second = api.create_pull_request("you/model", "Two")
    assert (first.num, second.num, first.title) == (1, 2, "One")
    with pytest.raises(HfHubHTTPError, match="404"):
        api.get_discussion_details("you/model", 3)


@pytest.fixture
def tree(api):
    paths = ["a.txt", "sub/b.txt", "sub/deep/c.txt", "subway.txt"]
    operations = [CommitOperationAdd(path, path.encode()) for path in paths]
    api.create_commit("you/model", operations, commit_message="tree")
    return api


def test_a_tree_level_by_level(tree):
    def names(**kwargs) -> list[str]:
        return sorted(item.path for item in tree.list_repo_tree("you/model", **kwargs))

    assert names() == [".gitattributes", "a.txt", "sub", "subway.txt"]
    assert names(path_in_repo="sub") == ["sub/b.txt", "sub/deep"]
    assert names(path_in_repo="sub", recursive=True) == ["sub/b.txt", "sub/deep", "sub/deep/c.txt"]
    with pytest.raises(RemoteEntryNotFoundError):
        names(path_in_repo="nope")


def test_a_tree_with_its_last_commits(tree):
    add(tree, "a.txt", b"new")
    found = {item.path: item for item in tree.list_repo_tree("you/model", recursive=True, expand=True)}
    history = tree.list_repo_commits("you/model")
    assert found["a.txt"].last_commit.oid == history[0].commit_id
    assert found["sub/b.txt"].last_commit.oid == history[1].commit_id
    assert found["sub"].last_commit.title == "tree"
    assert found["a.txt"].security.safe is False  # nothing here scans files, so nothing is called safe


def test_single_paths(tree):
    found = tree.get_paths_info("you/model", ["a.txt", "sub", "nope"], expand=True)
    assert [item.path for item in found] == ["a.txt", "sub"]


def test_a_long_tree_comes_in_pages(api):
    operations = [CommitOperationAdd(f"f/{i:03}.txt", b"x") for i in range(120)]
    api.create_commit("you/model", operations, commit_message="many")
    found = [item.path for item in api.list_repo_tree("you/model", recursive=True, expand=True)]
    assert len(found) == len(set(found)) == 122


def test_history_newest_first_with_authors(api):
    add(api, "a.txt", b"1", commit_message="First", commit_description="why")
    history = api.list_repo_commits("you/model")
    assert [(c.title, c.message, c.authors) for c in history] == [
        ("First", "why", ["you"]),
        ("initial commit", "", ["you"]),
    ]
