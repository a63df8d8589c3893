"""The ways to publish: pull requests, branches, tags, collections, a large model, an outage."""

from __future__ import annotations

from pathlib import Path

import pytest
import records as made
from faulty import Fault, faulty
from run_folder import safetensors_bytes
from shops import writes

from tunekit_hub import publication
from tunekit_hub.errors import AccessDenied, HubError, HubUnreachable, PublishError, RunError
from tunekit_hub.facts import Publishing
from tunekit_hub.hub import Hub
from tunekit_hub.hub import commit as hub_commit
from tunekit_hub.localhub import running
from tunekit_hub.publishing import preview

pytestmark = pytest.mark.usefixtures("naps")
REPO = "ada/tutor"


def strangers_model(api) -> None:
    api.create_repo(REPO)
    api.upload_file(path_or_fileobj=safetensors_bytes(), path_in_repo="model.safetensors", repo_id=REPO)


def test_a_pull_request_is_opened_once_and_brought_up_to_date(evaluation, another, you, hf):
    hf("ada").create_repo(REPO)
    asked = Publishing(private=False, pull_request=True)
    first = publication.push(evaluation, REPO, asked, hub=you)
    assert (first.changed, first.created, first.revision) == (True, "pull request", "refs/pr/1")
    assert first.pull_request.endswith(f"{REPO}/discussions/1")
    again = publication.push(evaluation, REPO, asked, hub=you)
    assert (again.changed, again.commit, again.pull_request) == (False, first.commit, first.pull_request)
    later = publication.push(another, REPO, asked, hub=you)
    assert (later.changed, later.revision) == (True, "refs/pr/1")
    assert hf("you").list_repo_files(REPO) == [".gitattributes"]
    assert len(list(hf("you").get_repo_discussions(REPO))) == 1
    hf("ada").merge_pull_request(REPO, 1)
    merged = publication.push(another, REPO, asked, hub=you)
    assert (merged.changed, merged.pull_request, merged.revision) == (False, None, "main")


def test_a_pull_request_whose_answer_was_lost_is_found_and_not_doubled(evaluation, local_hub, hf):
    hf("ada").create_repo(REPO)
    with faulty(Fault("POST .*/commit/", 503, times=1, after=True), behind=local_hub.endpoint) as server:
        hub = Hub(local_hub.tokens["you"], server.endpoint)
        publication.push(evaluation, REPO, Publishing(private=False, pull_request=True), hub=hub)
    assert len(list(hf("you").get_repo_discussions(REPO))) == 1


def test_a_pull_request_needs_something_to_change(evaluation, ada):
    with pytest.raises(PublishError, match="there is no `ada/tutor` to propose a change of"):
        publication.push(evaluation, REPO, hub=ada, pull_request=True)


def test_a_branch_is_made_and_main_stays(evaluation, ada, hf):
    hf("ada").create_repo(REPO, private=True)
    before = hf("ada").model_info(REPO).sha
    done = publication.push(evaluation, REPO, hub=ada, push_revision="release/2")
    assert (done.created, done.revision) == ("branch", "release/2")
    assert hf("ada").model_info(REPO).sha == before
    assert hf("ada").model_info(REPO, revision="release/2").sha == done.commit
    again = publication.push(evaluation, REPO, hub=ada, push_revision="release/2")
    assert (again.changed, again.created, again.commit) == (False, "", done.commit)


def test_a_branch_made_for_a_publish_that_is_refused_is_deleted(evaluation, local_hub, hf):
    hf("ada").create_repo(REPO, private=True)
    with faulty(Fault("POST .*/commit/", 400), behind=local_hub.endpoint) as server, pytest.raises(HubError):
        broken = Hub(local_hub.tokens["ada"], server.endpoint)
        publication.push(evaluation, REPO, hub=broken, push_revision="next")
    assert [one.name for one in hf("ada").list_repo_refs(REPO).branches] == ["main"]


def test_tags_name_the_commit_and_stay_put(evaluation, another, ada, hf):
    asked = Publishing(tags=("v1", "best"))
    done = publication.settle(publication.push(evaluation, REPO, asked, hub=ada), asked, hub=ada)
    assert ada.refs(REPO).tags == {"v1": done.commit, "best": done.commit}
    assert publication.settle(publication.push(evaluation, REPO, asked, hub=ada), asked, hub=ada) == done.but(
        changed=False, created=""
    )
    before = hf("ada").model_info(REPO).sha
    for attempt in (
        lambda: publication.push(another, REPO, asked, hub=ada),
        lambda: publication.rehearse(made.make_plan(), REPO, asked, hub=ada),
        lambda: preview.preview(another, REPO, asked, hub=ada),
    ):
        with pytest.raises(PublishError, match="tags stay put"):
            attempt()
    assert hf("ada").model_info(REPO).sha == before
    assert publication.push(another, REPO, Publishing(tags=("v2",)), hub=ada).changed


def test_a_collection_is_made_once_and_holds_the_model_once(evaluation, ada, you, hf):
    asked = Publishing(collection="Tutors")
    first = publication.settle(publication.push(evaluation, REPO, asked, hub=ada), asked, hub=ada)
    again = publication.settle(publication.push(evaluation, REPO, asked, hub=ada), asked, hub=ada)
    by_slug = Publishing(collection=first.collection)
    third = publication.settle(publication.push(evaluation, "ada/two", by_slug, hub=ada), by_slug, hub=ada)
    assert first.collection == again.collection == third.collection
    found = hf("ada").get_collection(first.collection)
    assert [item.item_id for item in found.items] == [REPO, "ada/two"]
    assert len(list(hf("ada").list_collections(owner="ada"))) == 1
    with pytest.raises(HubError):  # private, and not yours
        publication.rehearse(made.make_plan(), "you/tutor", by_slug, hub=you)
    with pytest.raises(HubError, match="there is no collection"):
        publication.rehearse(made.make_plan(), REPO, Publishing(collection="ada/no-such-" + "0" * 24), hub=ada)


def test_another_model_is_replaced_only_when_asked(evaluation, ada, hf):
    strangers_model(hf("ada"))
    with pytest.raises(PublishError, match="another model") as caught:
        publication.rehearse(made.make_plan(), REPO, hub=ada, private=False)
    assert "`--pr`" in caught.value.hint
    assert "`--overwrite`" in caught.value.hint
    proposed = publication.push(evaluation, REPO, hub=ada, private=False, pull_request=True)
    assert proposed.pull_request
    assert "model.safetensors" in hf("ada").list_repo_files(REPO)
    found = publication.rehearse(made.make_plan(), REPO, hub=ada, private=False, overwrite=True)
    assert any("overwritten as asked" in finding.message for finding in found.findings)
    publication.push(evaluation, REPO, hub=ada, private=False, overwrite=True)
    assert "model.safetensors" not in hf("ada").list_repo_files(REPO)


def test_what_was_to_be_public_does_not_go_to_a_private_repo(evaluation, ada, hf):
    hf("ada").create_repo(REPO, private=True)
    with pytest.raises(PublishError, match="its earlier versions would be shown too") as caught:
        publication.push(evaluation, REPO, hub=ada, private=False)
    assert "in its settings" in caught.value.hint
    assert hf("ada").model_info(REPO).private


def test_a_token_that_only_reads_finds_out_at_once(local_hub, tmp_path):
    token = "hf_" + "r" * 34
    with running(tmp_path / "reading", {token: "ada:read"}) as server, pytest.raises(AccessDenied, match="cannot"):
        publication.rehearse(made.make_plan(), REPO, hub=Hub(token, server.endpoint))


def test_an_interrupted_publish_is_finished_without_sending_again(evaluation, local_hub, hf):
    broken = faulty(Fault("POST .*/commit/", 503), behind=local_hub.endpoint)
    with broken as server, pytest.raises(HubUnreachable) as caught:
        publication.push(evaluation, REPO, hub=Hub(local_hub.tokens["ada"], server.endpoint))
    assert "is empty so far; the next try goes on with it" in caught.value.hint
    assert hf("ada").list_repo_files(REPO) == [".gitattributes"]
    assert any(one.startswith("PUT") for one in writes(local_hub))
    local_hub.log.clear()
    assert publication.push(evaluation, REPO, hub=Hub(local_hub.tokens["ada"], local_hub.endpoint)).changed
    assert not any(one.startswith("PUT") for one in writes(local_hub))


def test_large_files_go_one_by_one_before_the_one_commit(local_hub, monkeypatch, tmp_path):
    monkeypatch.setattr(hub_commit, "AHEAD", 1)
    monkeypatch.setattr(hub_commit, "LARGE", 100)
    files: dict[str, Path | bytes] = {"README.md": b"---\nlicense: mit\n---\n# x\n"}
    for number in (1, 2):
        path = tmp_path / f"model-0000{number}-of-00002.safetensors"
        path.write_bytes(bytes([number]) * 1000)
        files[path.name] = path
    said: list[str] = []
    with faulty(Fault("PUT .*", 500, times=1), behind=local_hub.endpoint) as server:
        hub = Hub(local_hub.tokens["ada"], server.endpoint)
        assert hub.push(REPO, files, message="m", say=said.append).changed
    assert said == [f"sending model-0000{n}-of-00002.safetensors (1.0 kB), {n} of 2" for n in (1, 2)]
    order = [one for one in writes(local_hub) if one.startswith("PUT") or "/commit/" in one]
    assert [one.split()[0] for one in order] == ["PUT", "PUT", "POST"]


def test_a_gitignore_does_not_keep_weights_out(evaluation, ada, hf):
    hf("ada").create_repo(REPO, private=True)
    hf("ada").upload_file(path_or_fileobj=b"*.safetensors\n", path_in_repo=".gitignore", repo_id=REPO)
    publication.push(evaluation, REPO, hub=ada)
    assert "adapter_model.safetensors" in hf("ada").list_repo_files(REPO)


def test_without_what_was_measured_nothing_is_published(evaluation, ada, local_hub):
    with pytest.raises(RunError, match="held against what was measured") as caught:
        publication.publish(evaluation, REPO, hub=ada)
    assert "evaluate" in caught.value.hint
    assert not local_hub.log
