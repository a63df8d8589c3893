"""Publishing: one commit, or none, and nothing half-written."""

from __future__ import annotations

import pytest
from faulty import Fault, faulty
from hub_cases import CARD, CONFIG, FILES, commits

from tunekit_hub.errors import AccessDenied, HubError, HubUnreachable, InvalidToken
from tunekit_hub.hub import Hub


def test_write_access(you, local_hub, make):
    make()
    assert you.write_access("ada/model") is False
    assert you.write_access("you/none") is None
    assert Hub(local_hub.tokens["ada"], local_hub.endpoint).write_access("ada/model") is True
    with pytest.raises(InvalidToken):
        Hub("hf_nobodys", local_hub.endpoint).write_access("ada/model")


def test_the_hub_validates_cards(you):
    assert you.validate_card(CARD.decode()) == []
    problems = you.validate_card("---\nlicense: made-up\n---\n")
    assert len(problems) == 1
    assert "license" in problems[0]


def test_publishing_twice_makes_one_commit(you, local_hub, tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"w" * 5000)
    files = {"README.md": CARD, "config.json": CONFIG, "model.safetensors": weights}
    first = you.push("you/tuned", files, message="Publish", private=True)
    assert first.changed
    assert first.private
    assert first.url == f"{local_hub.endpoint}/you/tuned"
    before = commits(local_hub, "you/tuned")
    again = you.push("you/tuned", files, message="Publish", private=False)
    assert (again.changed, again.commit, again.private) == (False, first.commit, True)
    assert commits(local_hub, "you/tuned") == before


def test_a_second_publish_sends_what_changed_in_one_commit(you, local_hub):
    you.push("you/tuned", {"README.md": CARD, "model.safetensors": b"a"}, message="m", private=False)
    before = commits(local_hub, "you/tuned")
    local_hub.log.clear()
    done = you.push("you/tuned", {"README.md": CARD + b"!", "model.safetensors": b"a"}, message="m", private=True)
    assert commits(local_hub, "you/tuned") == [done.commit, *before]
    assert not [line for line in local_hub.log if line[0] == "PUT"]
    assert done.private is False


def test_weights_of_an_earlier_publish_do_not_linger_and_nothing_else_is_deleted(you, hf):
    old = {"model-00001-of-00002.safetensors": b"1", "model.safetensors.index.json": b"{}", "notes.md": b"mine"}
    you.push("you/tuned", old, message="m", private=True)
    new = {"adapter_config.json": b"{}", "adapter_model.safetensors": b"a", "README.md": CARD}
    you.push("you/tuned", new, message="m", private=True)
    assert set(hf("you").list_repo_files("you/tuned")) == {".gitattributes", "notes.md", *new}
    you.push("you/tuned", {"README.md": CARD + b"?"}, message="m", private=True)
    assert "adapter_model.safetensors" in hf("you").list_repo_files("you/tuned")


@pytest.mark.parametrize("pattern", ["POST .*/commit/", "POST .*/preupload/"])
def test_a_failed_publish_leaves_nothing_behind(local_hub, hf, pattern):
    with faulty(Fault(pattern, 400, times=1), behind=local_hub.endpoint) as server:
        hub = Hub(local_hub.tokens["you"], server.endpoint)
        with pytest.raises(HubError):
            hub.push("you/tuned", FILES, message="m", private=True)
        assert any("repos/create" in line for line in server.log)
    assert not hf("you").repo_exists("you/tuned")


def test_a_failed_publish_never_deletes_what_was_there(you, local_hub, hf):
    you.push("you/tuned", FILES, message="m", private=True)
    with faulty(Fault("POST .*/commit/", 403), behind=local_hub.endpoint) as server:
        hub = Hub(local_hub.tokens["you"], server.endpoint)
        with pytest.raises(AccessDenied):
            hub.push("you/tuned", {"a.txt": b"1"}, message="m", private=True)
    assert hf("you").repo_exists("you/tuned")


def test_a_commit_whose_answer_was_lost_is_found_and_not_repeated(local_hub):
    with faulty(Fault("POST .*/commit/", 503, times=1, after=True), behind=local_hub.endpoint) as server:
        done = Hub(local_hub.tokens["you"], server.endpoint).push("you/tuned", FILES, message="m", private=True)
    assert done.changed
    history = commits(local_hub, "you/tuned")
    assert history[0] == done.commit
    assert len(history) == 2  # the one that a new repository starts with, and ours


def test_somebody_elses_commit_in_between_is_not_overwritten(you, local_hub, hf):
    you.push("you/tuned", FILES, message="m", private=True)
    with faulty(behind=local_hub.endpoint) as server:
        hub = Hub(local_hub.tokens["you"], server.endpoint)
        real = hub._api.create_commit

        def late(*args, **kwargs):
            hf("you").upload_file(path_or_fileobj=b"x", path_in_repo="new.txt", repo_id="you/tuned")
            return real(*args, **kwargs)

        hub._api.create_commit = late
        with pytest.raises(HubError, match="changed by someone else"):
            hub.push("you/tuned", {"README.md": CARD + b"!"}, message="m", private=True)
    assert "new.txt" in hf("you").list_repo_files("you/tuned")


def test_publishing_to_somebody_elses_repository_is_denied(you, make, local_hub):
    make()
    before = commits(local_hub, "ada/model")
    with pytest.raises(AccessDenied, match="may not do that"):
        you.push("ada/model", {"a.txt": b"1"}, message="m", private=True)
    with pytest.raises(AccessDenied):
        you.push("ada/fresh", {"a.txt": b"1"}, message="m", private=True)
    assert commits(local_hub, "ada/model") == before


def test_a_card_the_hub_refuses_is_not_published(you, hf):
    with pytest.raises(HubError, match="license"):
        you.push("you/tuned", {"README.md": b"---\nlicense: made-up\n---\n"}, message="m", private=True)
    assert not hf("you").repo_exists("you/tuned")


def test_without_the_switch_preset_a_loopback_hub_still_gets_no_xet(local_hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    done = Hub(local_hub.tokens["you"], local_hub.endpoint).push("you/tuned", FILES, message="m", private=True)
    assert done.changed


def test_a_storage_that_takes_nothing_leaves_an_empty_repository_for_the_next_try(local_hub, hf):
    with faulty(Fault("PUT ", 400), behind=local_hub.endpoint) as server:
        hub = Hub(local_hub.tokens["you"], server.endpoint)
        with pytest.raises(HubUnreachable, match="did not take an upload") as caught:
            hub.push("you/tuned", FILES, message="m", private=True)
        assert "is empty so far" in caught.value.hint
    assert hf("you").list_repo_files("you/tuned") == [".gitattributes"]
    assert Hub(local_hub.tokens["you"], local_hub.endpoint).push("you/tuned", FILES, message="m").changed
