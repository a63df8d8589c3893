"""Old names and awkward ones: a redirect names the right repo wherever the id stands in the path."""

from __future__ import annotations

import pytest
from browsing import ask
from huggingface_hub import hf_hub_download
from huggingface_hub.utils import get_session

from tunekit_hub.localhub.repos import create_repo
from tunekit_hub.localhub.seed import add_files


@pytest.mark.parametrize("old", ["a", "api", "models", "datasets", "m", "resolve", "main", "gpt2", "lfs"])
def test_an_old_name_of_one_word_leads_on_from_every_route(local_hub, hf, old):
    """The word may stand elsewhere in the path too: `/api/models/models/tree/main`."""
    repo = create_repo(local_hub.storage, "model", "you/new")
    add_files(repo, {"main/a.txt": b"a", "w.bin": b"\0w"}, "files")
    local_hub.storage.add_redirect("model", old, "you/new")
    api, base = hf("you"), local_hub.endpoint
    assert api.model_info(old).id == "you/new"
    assert api.model_info(old, revision="main").id == "you/new"
    assert [item.path for item in api.list_repo_tree(old, "main")] == ["main/a.txt"]
    with open(hf_hub_download(old, "main/a.txt", endpoint=base, token=False), "rb") as file:
        assert file.read() == b"a"
    api.upload_file(path_or_fileobj=b"\0new", path_in_repo="n.bin", repo_id=old)
    assert api.file_exists("you/new", "n.bin")
    answer = get_session().get(f"{base}/api/models/{old}/refs", follow_redirects=False)
    assert answer.headers["location"] == "/api/models/you/new/refs"


@pytest.mark.parametrize("old", ["s", "datasets", "api"])
def test_an_old_name_of_a_dataset_leads_on_behind_its_prefix(local_hub, hf, old):
    repo = create_repo(local_hub.storage, "dataset", "you/new")
    add_files(repo, {"a.txt": b"a"}, "files")
    local_hub.storage.add_redirect("dataset", old, "you/new")
    assert hf().dataset_info(old).id == "you/new"
    url = f"{local_hub.endpoint}/datasets/{old}/resolve/main/a.txt"
    assert get_session().get(url, follow_redirects=True).content == b"a"
    page = ask(local_hub, "GET", f"/datasets/{old}?x=1")
    assert (page.status, page.getheader("Location")) == (307, "/datasets/you/new?x=1")


def test_the_page_of_an_old_name_and_the_page_of_an_owner(local_hub, make):
    make("you/new")
    local_hub.storage.add_redirect("model", "api2", "you/new")
    assert ask(local_hub, "GET", "/api2").getheader("Location") == "/you/new"
    owner = ask(local_hub, "GET", "/you")
    assert owner.status == 200
    assert 'href="/you/new"' in owner.text
    assert ask(local_hub, "GET", "/ada").status == 200  # nothing there yet
    assert ask(local_hub, "GET", "/nobody").status == 404


def test_every_answer_has_a_number_that_the_log_knows(local_hub, hf, caplog):
    import logging

    with caplog.at_level(logging.INFO, "tunekit_hub.localhub"):
        found = [
            get_session().get(f"{local_hub.endpoint}{path}") for path in ("/", "/api/models", "/api/x", "/y/z")
        ]
    numbers = [answer.headers["x-request-id"] for answer in found]
    assert len(set(numbers)) == len(numbers)
    assert all(number in caplog.text for number in numbers)
