"""What a model was made from, what it is called now, and what a dataset declares; over real HTTP."""

from __future__ import annotations

import json

import pytest
from faulty import Fault, faulty
from hub_cases import CONFIG, FILES
from huggingface_hub import constants
from records import make_request

from tunekit_hub import registry
from tunekit_hub.checks import CHECKS
from tunekit_hub.errors import HubUnreachable, RepoNotFound
from tunekit_hub.hub import Hub
from tunekit_hub.localhub import seed
from tunekit_hub.localhub.repos import create_repo


def card(license_: str, base: str) -> bytes:
    return f"---\nlicense: {license_}\nbase_model: {base}\n---\n".encode()


def found(check: str, facts):
    return CHECKS[check].run(facts, make_request())


def test_a_base_with_a_stricter_license_is_said_by_name(you, make):
    make("ada/base", {**FILES, "README.md": b"---\nlicense: cc-by-nc-4.0\n---\n"})
    make("ada/model", {**FILES, "README.md": card("apache-2.0", "ada/base")})
    said = found("lineage", you.facts("ada/model"))
    assert said.status == "warn"
    for words in ("`apache-2.0`", "`ada/base`", "`cc-by-nc-4.0`", "no commercial use"):
        assert words in said.message


def test_a_base_with_the_same_license_is_only_named(you, make):
    make("ada/base")
    make("ada/model", {**FILES, "README.md": card("mit", "[ada/base, ada/model]")})
    said = found("lineage", you.facts("ada/model"))
    assert (said.status, said.message) == ("pass", "made from `ada/base` (`mit`)")


def test_the_base_of_a_gated_or_unseen_model_is_asked_about_all_the_same(you, make):
    make("ada/base", {**FILES, "README.md": b"---\nlicense: llama2\n---\n"}, gated="manual")
    make("ada/model", {**FILES, "README.md": card("mit", "ada/base")}, gated="manual")
    assert "llama2" in found("lineage", you.facts("ada/model")).message


@pytest.mark.parametrize("base", ["ada/gone", "ada/hidden", "ada/-x-", "some..thing"])
def test_a_base_that_cannot_be_seen_is_a_warning(you, make, base):
    make("ada/hidden", private=True)
    make("ada/model", {**FILES, "README.md": card("mit", base)})
    said = found("lineage", you.facts("ada/model"))
    assert said.status == "warn"
    assert "cannot be seen" in said.message


def test_what_can_be_no_id_is_not_asked_about(you, make):
    make("ada/model", {**FILES, "README.md": card("mit", '["/home/ada/out", "", 7]')})
    assert you.facts("ada/model").bases == ()


def test_an_outage_while_asking_about_a_base_is_no_answer(local_hub, make):
    make("ada/model", {**FILES, "README.md": card("mit", "ada/base")})
    with faulty(Fault("models/ada/base", 503), behind=local_hub.endpoint) as server, pytest.raises(HubUnreachable):
        Hub(local_hub.tokens["you"], server.endpoint).facts("ada/model")


def test_a_renamed_model_keeps_its_new_id_and_says_so(you, make, local_hub):
    make("ada/new")
    local_hub.storage.add_redirect("model", "ada/old", "ada/new")
    facts = you.facts("ada/old")
    assert (facts.repo_id, facts.asked, facts.access) == ("ada/new", "ada/old", "open")
    assert found("lineage", facts).message == "renamed from `ada/old` to `ada/new`"


def test_an_old_id_of_the_registry_takes_no_detour(you, local_hub):
    seed.seed_registry(local_hub.storage, registry.load())
    facts = you.facts("bert-base-uncased", registry.load().entry("bert-base-uncased"))
    assert facts.asked == "bert-base-uncased"
    assert [status for _, _, status in local_hub.log] == [200, 200]


def test_an_empty_repository_is_called_empty(you, local_hub):
    repo = create_repo(local_hub.storage, "model", "ada/empty")
    seed.add_files(repo, {".gitattributes": b"x"}, "start")
    assert "it is empty" in found("files", you.facts("ada/empty")).message


def test_an_adapter_names_its_base(you, make):
    adapter = {"base_model_name_or_path": "ada/base", "task_type": "CAUSAL_LM"}
    files = {"adapter_config.json": json.dumps(adapter).encode(), "adapter_model.safetensors": b"w"}
    make("ada/adapter", {"README.md": b"---\nlicense: mit\n---\n", **files})
    said = found("files", you.facts("ada/adapter"))
    assert said.status == "block"
    assert "`ada/base`" in said.message
    assert "--model ada/base" in said.fix


def test_remote_code_is_named_by_what_the_config_names(you, make):
    config = json.loads(CONFIG) | {
        "auto_map": {"AutoModel": "modeling_x.XModel", "AutoConfig": "configuration_x.X"}
    }
    make("ada/model", {**FILES, "config.json": json.dumps(config).encode(), "modeling_x.py": b"boom"})
    said = found("files", you.facts("ada/model"))
    assert said.status == "block"
    assert "`modeling_x.py`, `configuration_x.py`" in said.message
    assert "code.py" not in said.message


def test_the_license_of_a_dataset(you, local_hub):
    repo = create_repo(local_hub.storage, "dataset", "ada/rows")
    seed.add_files(repo, {"README.md": b"---\nlicense: [cc-by-4.0, odbl]\n---\n"}, "start")
    seed.add_files(create_repo(local_hub.storage, "dataset", "ada/bare"), {"a.csv": b"x"}, "start")
    assert you.dataset_license("ada/rows") == ("cc-by-4.0", "odbl")
    assert you.dataset_license("ada/bare") == ()
    with pytest.raises(RepoNotFound):
        you.dataset_license("ada/none")


def test_offline_the_license_of_a_dataset_is_the_users_to_name(you, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(HubUnreachable) as caught:
        you.dataset_license("ada/rows")
    assert "--dataset-license" in caught.value.hint
