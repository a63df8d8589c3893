"""model_info and list_models: what is said of a repo follows from its files and its card."""

from __future__ import annotations

import json
import struct

import pytest
from huggingface_hub import CommitOperationAdd
from huggingface_hub.errors import BadRequestError, HfHubHTTPError

from tunekit_hub.localhub.repos import open_repo

CARD = """---
license: llama2
license_link: https://example.org/license
language: [en, de]
base_model: meta-llama/Llama-2-7b-chat-hf
base_model_relation: adapter
datasets: [you/data]
tags: [tunekit-hub]
created: 2024-05-01
---
# A model
"""


def safetensors(**shapes: tuple[str, list[int]]) -> bytes:
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, (dtype, shape) in shapes.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset]}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "auto_map": {"AutoModel": "x.Y"},
    "hidden_size": 8,
}


@pytest.fixture
def api(hf):
    api = hf("you")
    api.create_repo("you/model")
    weights = safetensors(a=("BF16", [10, 4]), b=("BF16", [2]), c=("I64", [3]))
    api.create_commit(
        "you/model",
        [
            CommitOperationAdd("README.md", CARD.encode()),
            CommitOperationAdd("config.json", json.dumps(CONFIG).encode()),
            CommitOperationAdd("tokenizer_config.json", json.dumps({"eos_token": "</s>", "x": 1}).encode()),
            CommitOperationAdd("model.safetensors", weights),
        ],
        commit_message="all",
    )
    return api


def test_the_basics(api):
    info = api.model_info("you/model")
    assert (info.id, info.author, info.private, info.gated, info.disabled) == (
        "you/model",
        "you",
        False,
        False,
        False,
    )
    assert info.sha == api.list_repo_commits("you/model")[0].commit_id
    assert info.created_at <= info.last_modified
    assert {s.rfilename for s in info.siblings} >= {"README.md", "config.json", "model.safetensors"}


def test_the_card_becomes_card_data_and_tags(api):
    info = api.model_info("you/model")
    assert info.card_data.license == "llama2"
    assert info.card_data["created"] == "2024-05-01"
    expected = {
        *("transformers", "safetensors", "llama", "text-generation", "tunekit-hub", "en", "de"),
        *("dataset:you/data", "license:llama2", "base_model:meta-llama/Llama-2-7b-chat-hf"),
        *("base_model:adapter:meta-llama/Llama-2-7b-chat-hf", "custom_code"),
    }
    assert set(info.tags) == expected
    assert (info.pipeline_tag, info.library_name) == ("text-generation", "transformers")


def test_parameters_are_counted_from_the_weights(api):
    found = api.model_info("you/model").safetensors
    assert (found.parameters, found.total) == ({"BF16": 42, "I64": 3}, 45)
    assert api.get_safetensors_metadata("you/model").parameter_count == {"BF16": 42, "I64": 3}


def test_weights_that_are_no_safetensors_are_not_counted(api):
    for junk in (b"", b"short", struct.pack("<Q", 5) + b"[1,2]", struct.pack("<Q", 1 << 60)):
        api.upload_file(path_or_fileobj=junk or b"\0", path_in_repo="model.safetensors", repo_id="you/model")
        assert api.model_info("you/model").safetensors is None


def test_the_config_is_the_part_that_the_hub_shows(api):
    config = api.model_info("you/model").config
    assert config["auto_map"] == {"AutoModel": "x.Y"}
    assert config["tokenizer_config"] == {"eos_token": "</s>"}
    assert "hidden_size" not in config


def test_file_sizes_on_request(api):
    plain = {s.rfilename: s for s in api.model_info("you/model").siblings}
    sized = {s.rfilename: s for s in api.model_info("you/model", files_metadata=True).siblings}
    assert plain["config.json"].size is None
    assert sized["config.json"].size == len(json.dumps(CONFIG))
    assert sized["config.json"].lfs is None
    assert sized["model.safetensors"].lfs.size == sized["model.safetensors"].size


def test_security_status_is_said_to_be_unknown(api):
    assert api.model_info("you/model", securityStatus=True).security_repo_status["scansDone"] is False


def test_expand_gives_what_was_asked_for_and_no_more(api):
    info = api.model_info("you/model", expand=["safetensors", "gated", "usedStorage", "baseModels", "sha"])
    assert (info.safetensors.total, info.gated) == (45, False)
    assert info.used_storage > 0
    assert info.base_models["models"] == [{"id": "meta-llama/Llama-2-7b-chat-hf"}]
    assert (info.tags, info.siblings, info.card_data) == (None, None, None)


def test_every_field_the_client_may_ask_for_is_answered(api):
    from typing import get_args

    from huggingface_hub.hf_api import ExpandDatasetProperty_T, ExpandModelProperty_T

    assert api.model_info("you/model", expand=list(get_args(ExpandModelProperty_T))).id == "you/model"
    api.create_repo("you/data", repo_type="dataset")
    assert api.dataset_info("you/data", expand=list(get_args(ExpandDatasetProperty_T))).id == "you/data"


def test_a_field_the_hub_does_not_have_is_refused(api):
    with pytest.raises(BadRequestError, match="licence"):
        api.model_info("you/model", expand=["licence"])


def test_info_of_a_revision(api):
    first = api.list_repo_commits("you/model")[-1].commit_id
    info = api.model_info("you/model", revision=first)
    assert (info.sha, [s.rfilename for s in info.siblings]) == (first, [".gitattributes"])


def test_an_adapter_is_recognised(hf):
    api = hf("you")
    api.create_repo("you/adapter")
    content = {"base_model_name_or_path": "google-bert/bert-base-cased", "task_type": "CAUSAL_LM", "r": 8}
    api.upload_file(
        path_or_fileobj=json.dumps(content).encode(), path_in_repo="adapter_config.json", repo_id="you/adapter"
    )
    info = api.model_info("you/adapter")
    assert info.library_name == "peft"
    assert info.config["peft"] == {
        "base_model_name_or_path": "google-bert/bert-base-cased",
        "task_type": "CAUSAL_LM",
    }


@pytest.fixture
def many(hf, api):
    api.create_repo("you/Bert-Tiny", private=True)
    hf("ada").create_repo("ada/bert")
    hf("ada").update_repo_settings("ada/bert", gated="auto")
    return api


def ids(found) -> list[str]:
    return [item.id for item in found]


def test_lists_hold_what_the_caller_may_see(many, hf):
    assert set(ids(many.list_models())) == {"you/model", "you/Bert-Tiny", "ada/bert"}
    assert set(ids(hf("ada").list_models())) == set(ids(hf().list_models())) == {"you/model", "ada/bert"}


def test_lists_are_filtered(many):
    assert set(ids(many.list_models(search="BERT"))) == {"you/Bert-Tiny", "ada/bert"}
    assert ids(many.list_models(author="ada")) == ["ada/bert"]
    assert ids(many.list_models(filter=["license:llama2", "en"])) == ["you/model"]
    assert ids(many.list_models(filter=["license:llama2", "fr"])) == []
    assert ids(many.list_models(pipeline_tag="text-generation")) == ["you/model"]
    assert ids(many.list_models(gated=True)) == ["ada/bert"]


def test_a_filter_that_is_not_known_is_refused_and_not_ignored(many):
    with pytest.raises(HfHubHTTPError, match="501"):
        list(many.list_models(apps="ollama"))


def test_lists_are_sorted_and_paged(many):
    newest = ids(many.list_models(sort="created_at"))
    assert newest == ["ada/bert", "you/Bert-Tiny", "you/model"]
    assert ids(many.list_models(sort="created_at", limit=2)) == newest[:2]
    assert ids(many.list_models(sort="last_modified", limit=1)) == ["ada/bert"]


def test_lists_go_by_size_and_leave_out_what_has_none(many):
    assert ids(many.list_models(num_parameters="max:1K")) == ["you/model"]  # 45 parameters
    assert ids(many.list_models(num_parameters="min:44,max:0.000000045B")) == ["you/model"]
    assert ids(many.list_models(num_parameters="min:46")) == []
    assert set(ids(many.list_models())) > {"you/model"}
    with pytest.raises(BadRequestError, match="num_parameters"):
        list(many.list_models(num_parameters="big"))


def test_the_most_downloaded_come_first(many, local_hub):
    open_repo(local_hub.storage, "model", "you/model").update(facts={"downloads": 9})
    open_repo(local_hub.storage, "model", "ada/bert").update(facts={"downloads": 100})
    found = list(many.list_models(sort="downloads", limit=2, expand=["downloads"]))
    assert [(one.id, one.downloads) for one in found] == [("ada/bert", 100), ("you/model", 9)]


def test_a_chat_template_makes_a_model_conversational(api):
    template = json.dumps({"chat_template": "{{ messages }}"}).encode()
    api.upload_file(path_or_fileobj=template, path_in_repo="tokenizer_config.json", repo_id="you/model")
    assert ids(api.list_models(filter="conversational", pipeline_tag="text-generation")) == ["you/model"]


def test_pages_lead_to_one_another(many, local_hub):
    from huggingface_hub.utils import paginate

    headers = {"authorization": f"Bearer {many.token}"}
    found = list(paginate(f"{local_hub.endpoint}/api/models", params={"limit": 1}, headers=headers))
    assert len({item["id"] for item in found}) == 3


def test_lists_say_more_on_request(many):
    (plain,) = many.list_models(search="you/model")
    (full,) = many.list_models(search="you/model", full=True, fetch_config=True)
    (expanded,) = many.list_models(search="you/model", expand=["safetensors"])
    assert (plain.sha, plain.card_data, plain.siblings) == (None, None, None)
    assert full.card_data.license == "llama2"
    assert full.siblings
    assert full.config["model_type"] == "llama"
    assert expanded.safetensors.total == 45
