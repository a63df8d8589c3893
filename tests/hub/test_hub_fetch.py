"""What is fetched, and what is not."""

from __future__ import annotations

import pytest
from faulty import Fault, faulty
from hub_cases import CARD, CONFIG, FILES

from tunekit_hub.errors import AccessDenied, HubError, HubUnreachable, RepoNotFound
from tunekit_hub.hub import Hub


def test_fetching_takes_one_format_and_no_code(you, make):
    more = {
        "tokenizer.json": b"{}",
        "tokenizer_config.json": b"{}",
        "chat_template.jinja": b"x",
        "vocab.txt": b"x",
    }
    junk = {
        "pytorch_model.bin": b"p",
        "tf_model.h5": b"t",
        "consolidated.safetensors": b"c",
        "onnx/model.safetensors": b"o",
    }
    repo = make(files={**FILES, **more, **junk})
    revision = repo.commit("main").id
    assert {p.name for p in you.fetch("ada/model", revision, weights=False).iterdir()} == {"config.json", *more}
    folder = you.fetch("ada/model", revision)
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found == {"config.json", "model.safetensors", *more}


def test_fetching_falls_back_to_pickle_and_takes_adapters(you, make):
    make("ada/old", {"config.json": CONFIG, "pytorch_model.bin": b"p", "flax_model.msgpack": b"f"})
    assert {p.name for p in you.fetch("ada/old", "main").iterdir()} == {"config.json", "pytorch_model.bin"}
    adapter = {"adapter_config.json": b"{}", "adapter_model.safetensors": b"a", "README.md": CARD}
    make("ada/adapter", adapter)
    names = {p.name for p in you.fetch("ada/adapter", "main").iterdir()}
    assert names == {"adapter_config.json", "adapter_model.safetensors"}


def test_two_hubs_with_one_repo_name_do_not_mix(local_hub, make, you):
    make()
    mine = you.fetch("ada/model", "main")
    with faulty(behind=local_hub.endpoint) as server:
        theirs = Hub(local_hub.tokens["you"], server.endpoint).fetch("ada/model", "main")
    assert mine != theirs
    assert mine.parent.parent.parent.parent.name == "tunekit"


def test_fetching_what_may_not_be_read_says_why(you, make):
    make(gated="manual")
    with pytest.raises(AccessDenied, match="gated"):
        you.fetch("ada/model", "main")
    with pytest.raises(RepoNotFound, match="no such repository"):
        you.fetch("ada/none", "main")
    with pytest.raises(HubError, match="no such revision"):
        you.fetch("ada/model", "0" * 40)


def test_reading_a_small_file(you, make):
    make()
    assert you.read_text("ada/model", "README.md") == CARD.decode()
    assert you.read_text("ada/model", "none.md") is None
    with pytest.raises(RepoNotFound):
        you.read_text("ada/none", "README.md")


def test_an_outage_while_reading_is_not_a_missing_file(local_hub, make):
    make()
    with faulty(Fault("resolve", 503), behind=local_hub.endpoint) as server, pytest.raises(HubUnreachable):
        Hub(local_hub.tokens["you"], server.endpoint).read_text("ada/model", "README.md")
