"""Discussions and pull requests as the client works with them: list, comment, rename, close, reopen, diff."""

from __future__ import annotations

import pytest
from browsing import refusal
from huggingface_hub import CommitOperationAdd, CommitOperationDelete


@pytest.fixture
def api(hf):
    hf("you").create_repo("you/model")
    return hf("you")


def test_a_discussion_from_its_question_to_its_end(hf, api):
    asked = hf("ada").create_discussion("you/model", "Which data?", description="It does not say.")
    assert (asked.num, asked.status, asked.is_pull_request, asked.author) == (1, "open", False, "ada")
    assert asked.events[0].content == "It does not say."
    said = api.comment_discussion("you/model", 1, "It does now.")
    assert (said.content, said.author, said.edited) == ("It does now.", "you", False)
    assert api.edit_discussion_comment("you/model", 1, said.id, "See the card.").edited
    api.rename_discussion("you/model", 1, "Which dataset?")
    done = hf("ada").change_discussion_status("you/model", 1, "closed", comment="Thanks")
    assert done.new_status == "closed"
    found = api.get_discussion_details("you/model", 1)
    assert (found.title, found.status) == ("Which dataset?", "closed")
    types = ["comment", "comment", "title-change", "comment", "status-change"]
    assert [event.type for event in found.events] == types
    assert (found.events[1].content, found.events[2].old_title) == ("See the card.", "Which data?")
    assert api.change_discussion_status("you/model", 1, "open").new_status == "open"
    with pytest.warns(UserWarning, match="irreversible"):
        assert api.hide_discussion_comment("you/model", 1, said.id).hidden
    assert "See the card" not in str(api.get_discussion_details("you/model", 1).events)


def test_the_list_by_kind_state_and_author_in_pages(hf, api):
    for number in range(12):
        hf("ada").create_discussion("you/model", f"Question {number}")
    api.create_pull_request("you/model", "A change")
    api.change_discussion_status("you/model", 3, "closed")
    found = list(api.get_repo_discussions("you/model"))
    assert [d.num for d in found] == list(range(13, 0, -1))
    assert [d.num for d in api.get_repo_discussions("you/model", discussion_type="pull_request")] == [13]
    assert [d.num for d in api.get_repo_discussions("you/model", discussion_status="closed")] == [3]
    assert [d.num for d in api.get_repo_discussions("you/model", author="you")] == [13]
    assert found[0].url == f"{api.endpoint}/you/model/discussions/13"


def test_who_may_say_and_change_what(hf, api):
    api.create_discussion("you/model", "Mine")
    said = api.comment_discussion("you/model", 1, "words")
    ada = hf("ada")
    assert refusal(lambda: ada.rename_discussion("you/model", 1, "Not mine")) == 403
    assert refusal(lambda: ada.change_discussion_status("you/model", 1, "closed")) == 403
    assert refusal(lambda: ada.edit_discussion_comment("you/model", 1, said.id, "other words")) == 403
    assert refusal(lambda: hf().comment_discussion("you/model", 1, "words")) == 401
    assert refusal(lambda: api.comment_discussion("you/model", 9, "words")) == 404
    assert refusal(lambda: api.edit_discussion_comment("you/model", 1, "0" * 24, "words")) == 404
    assert refusal(lambda: api.comment_discussion("you/model", 1, "x" * 100_000)) == 400
    assert refusal(lambda: api.change_discussion_status("you/model", 1, "open")) == 409
    api.create_repo("you/secret", private=True)
    assert refusal(lambda: ada.create_discussion("you/secret", "Hello?")) == 404


def test_a_draft_with_commits_a_diff_and_a_merge_with_words(hf, api):
    files = [CommitOperationAdd("a.txt", b"one\ntwo\n"), CommitOperationAdd("old.txt", b"x")]
    api.create_commit("you/model", files, commit_message="start")
    pull = hf("ada").create_pull_request("you/model", "Better")
    assert (pull.num, pull.status, pull.git_reference) == (1, "draft", "refs/pr/1")
    changes = [
        CommitOperationAdd("a.txt", b"one\n2\n"),
        CommitOperationAdd("w.bin", b"\0" * 9),
        CommitOperationDelete("old.txt"),
    ]
    hf("ada").create_commit("you/model", changes, commit_message="numbers", revision="refs/pr/1")
    diff = api.get_discussion_details("you/model", 1).diff
    assert "-two\n+2\n" in diff
    assert "Binary files /dev/null and b/w.bin differ" in diff
    assert "--- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file" in diff
    assert hf("ada").change_discussion_status("you/model", 1, "open").new_status == "open"
    api.merge_pull_request("you/model", 1, comment="good")
    found = api.get_discussion_details("you/model", 1)
    assert found.status == "merged"
    assert [e.type for e in found.events][-2:] == ["comment", "status-change"]
    assert refusal(lambda: api.merge_pull_request("you/model", 1)) == 409
    assert refusal(lambda: api.change_discussion_status("you/model", 1, "open")) == 409
    more = [CommitOperationAdd("b.txt", b"late")]
    late = {"commit_message": "m", "revision": "refs/pr/1"}
    assert refusal(lambda: hf("ada").create_commit("you/model", more, **late)) == 409
    assert "old.txt" not in api.list_repo_files("you/model")


def test_a_discussion_cannot_be_merged_and_a_closed_pull_request_neither(api):
    api.create_discussion("you/model", "Words")
    assert refusal(lambda: api.merge_pull_request("you/model", 1)) == 400
    api.create_pull_request("you/model", "Change")
    api.change_discussion_status("you/model", 2, "closed")
    assert refusal(lambda: api.merge_pull_request("you/model", 2)) == 409


def test_the_diff_of_a_gated_repo_is_for_those_who_were_let_in(hf, api):
    api.upload_file(path_or_fileobj=b"secret\n", path_in_repo="a.txt", repo_id="you/model")
    api.upload_file(path_or_fileobj=b"new\n", path_in_repo="a.txt", repo_id="you/model", create_pr=True)
    api.update_repo_settings("you/model", gated="manual")
    assert hf("ada").get_discussion_details("you/model", 1).diff is None
    assert "-secret" in api.get_discussion_details("you/model", 1).diff
