"""What is fetched is what the Hub holds, or it is an error."""

from __future__ import annotations

import pytest
from faulty import Fault, faulty
from hub_cases import CARD, FILES

from tunekit_hub.errors import HubUnreachable
from tunekit_hub.hub import Hub
from tunekit_hub.hub import files as hub_files

WEIGHTS = "GET /ada/model/resolve/[0-9a-f]+/model.safetensors"


@pytest.fixture
def changed(local_hub, make):
    """A Hub that sends other weights of the same length, so many times."""
    make()

    def changed(times: int):
        fault = Fault(WEIGHTS, 200, times=times, body=b"wEights", headers={"content-type": "application/x"})
        return faulty(fault, behind=local_hub.endpoint)

    return changed


def test_weights_that_change_on_the_way_are_fetched_again(changed, local_hub):
    with changed(2) as server:
        folder = Hub(local_hub.tokens["you"], server.endpoint).fetch("ada/model", "main")
    assert (folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_weights_that_always_change_are_not_used(changed, local_hub):
    with changed(1000) as server:
        hub = Hub(local_hub.tokens["you"], server.endpoint)
        with pytest.raises(HubUnreachable, match=r"`model.safetensors` arrived damaged") as caught:
            hub.fetch("ada/model", "main")
        assert "another network" in caught.value.hint
        server.faults.clear()
        assert (hub.fetch("ada/model", "main") / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_a_small_file_that_changed_is_fetched_again(local_hub, make):
    make()
    fault = Fault("GET .*README", 200, times=1, body=b"x" * len(CARD))
    with faulty(fault, behind=local_hub.endpoint) as server:
        assert Hub(local_hub.tokens["you"], server.endpoint).read_text("ada/model", "README.md") == CARD.decode()


def test_what_was_found_whole_is_not_hashed_again_until_it_changes(you, make, monkeypatch):
    make()
    folder = you.fetch("ada/model", "main")
    hashed, hashes = [], hub_files._hashes
    monkeypatch.setattr(hub_files, "_hashes", lambda blob, size: hashed.append(blob.name) or hashes(blob, size))
    you.fetch("ada/model", "main")
    assert hashed == []
    (folder / "model.safetensors").resolve().write_bytes(b"broken!")
    assert (you.fetch("ada/model", "main") / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert len(hashed) == 2


def test_a_download_that_fails_with_a_5xx_is_tried_again(local_hub, make, naps):
    make()
    with faulty(Fault(WEIGHTS, 500, times=2), behind=local_hub.endpoint) as server:
        folder = Hub(local_hub.tokens["you"], server.endpoint).fetch("ada/model", "main")
    assert (folder / "model.safetensors").is_file()
    assert len(naps) == 2


def test_a_folder_that_was_not_filled_is_not_handed_out(you, make):
    make()
    folder = you.fetch("ada/model", "main")
    assert not hub_files._whole(folder / "tokenizer.json")
    assert hub_files._whole(folder / "config.json")
