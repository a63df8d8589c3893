"""Collections as the client works with them: what `--collection` needs, and who sees what."""

from __future__ import annotations

import pytest
from browsing import refusal
from huggingface_hub import HfApi

from tunekit_hub.localhub import running


@pytest.fixture
def api(hf):
    api = hf("you")
    for kind in ("model", "dataset"):
        api.create_repo("you/thing", repo_type=kind)
    return api


def items(collection) -> list[tuple[str, str]]:
    return [(item.item_type, item.item_id) for item in collection.items]


def test_a_collection_from_its_title_to_its_end(api):
    made = api.create_collection("Support desk: models!", description="All of them", private=True)
    assert made.slug.startswith("you/support-desk-models-")
    assert (made.title, made.owner, made.private, made.items) == ("Support desk: models!", "you", True, [])
    assert made.url == f"{api.endpoint}/collections/{made.slug}"
    added = api.add_collection_item(made.slug, "you/thing", "model", note="the first")
    assert items(added) == [("model", "you/thing")]
    api.add_collection_item(made.slug, "you/thing", "dataset")
    found = api.get_collection(made.slug)
    assert items(found) == [("model", "you/thing"), ("dataset", "you/thing")]
    assert (found.items[0].note, found.description) == ("the first", "All of them")
    api.update_collection_item(made.slug, found.items[1].item_object_id, position=0, note="data")
    assert items(api.get_collection(made.slug))[0] == ("dataset", "you/thing")
    changed = api.update_collection_metadata(made.slug, title="Desk", private=False, theme="blue")
    assert (changed.title, changed.private, changed.theme) == ("Desk", False, "blue")
    assert api.get_collection(made.slug).slug == changed.slug  # the old address still leads there
    api.delete_collection_item(made.slug, found.items[0].item_object_id)
    assert items(api.get_collection(made.slug)) == [("dataset", "you/thing")]
    api.delete_collection(made.slug)
    assert refusal(lambda: api.get_collection(made.slug)) == 404
    api.delete_collection(made.slug, missing_ok=True)
    assert api.repo_exists("you/thing")


def test_what_is_there_already_is_a_409_that_the_client_can_live_with(api):
    made = api.create_collection("Desk")
    assert refusal(lambda: api.create_collection("Desk")) == 409
    assert api.create_collection("Desk", exists_ok=True).slug == made.slug
    api.add_collection_item(made.slug, "you/thing", "model")
    assert refusal(lambda: api.add_collection_item(made.slug, "you/thing", "model")) == 409
    assert len(api.add_collection_item(made.slug, "you/thing", "model", exists_ok=True).items) == 1
    assert refusal(lambda: api.add_collection_item(made.slug, "you/none", "model")) == 404
    assert refusal(lambda: api.add_collection_item(made.slug, "2311.12983", "paper")) == 501


def test_finding_one_by_owner_and_by_what_is_in_it(hf, api):
    desk, other = (api.create_collection(title) for title in ("Desk", "Other"))
    api.add_collection_item(desk.slug, "you/thing", "model")
    assert {c.title for c in hf().list_collections(owner="you")} == {"Desk", "Other"}
    assert [c.slug for c in hf().list_collections(item="models/you/thing")] == [desk.slug]
    assert list(hf().list_collections(owner="ada")) == []
    assert [c.slug for c in hf().list_collections(owner="you", limit=1)] == [desk.slug]  # the last changed
    for number in range(120):
        api.create_collection(f"Number {number}")
    assert len(list(hf().list_collections(owner="you"))) == 122
    assert other.slug in [c.slug for c in hf().list_collections(owner="you")]


def test_who_sees_and_who_changes(hf, api):
    secret, shown = api.create_collection("Secret", private=True), api.create_collection("Shown")
    api.create_repo("you/hidden", private=True)
    for name in ("you/thing", "you/hidden"):
        api.add_collection_item(shown.slug, name, "model")
    ada = hf("ada")
    assert refusal(lambda: ada.get_collection(secret.slug)) == 404
    assert refusal(lambda: hf().get_collection(secret.slug)) == 401
    assert [c.title for c in ada.list_collections(owner="you")] == ["Shown"]
    assert items(ada.get_collection(shown.slug)) == [("model", "you/thing")]
    assert refusal(lambda: ada.add_collection_item(shown.slug, "you/thing", "dataset")) == 403
    assert refusal(lambda: ada.delete_collection(shown.slug)) == 403
    assert refusal(lambda: ada.create_collection("Mine", namespace="you")) == 403
    assert refusal(lambda: api.get_collection("you/x-" + "0" * 24)) == 404


def test_a_renamed_repo_stays_in_its_collection(api):
    made = api.create_collection("Desk")
    api.add_collection_item(made.slug, "you/thing", "model")
    api.move_repo("you/thing", "you/new")
    assert items(api.get_collection(made.slug)) == [("model", "you/new")]
    assert refusal(lambda: api.add_collection_item(made.slug, "you/new", "model")) == 409
    api.delete_repo("you/new")
    assert items(api.get_collection(made.slug)) == []


def test_they_survive_a_restart(tmp_path):
    with running(tmp_path, {"t": "you"}) as hub:
        slug = HfApi(hub.endpoint, token="t").create_collection("Desk").slug
    with running(tmp_path, {"t": "you"}) as hub:
        assert HfApi(hub.endpoint, token="t").get_collection(slug).title == "Desk"


@pytest.mark.parametrize("title", ["", "x" * 61])
def test_titles_the_hub_would_not_take(api, title):
    assert refusal(lambda: api.create_collection(title)) == 400
