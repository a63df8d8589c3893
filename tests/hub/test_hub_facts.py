"""What is known of a model, and what this token may do, over real HTTP."""

from __future__ import annotations

import json

import pytest
from faults import Fault, faulty
from hub_cases import FILES, SMOL

from tunekit_hub import registry
from tunekit_hub.errors import UsageError
from tunekit_hub.hub import Hub
from tunekit_hub.localhub import seed
from tunekit_hub.localhub.access import set_request


def test_facts_of_an_open_model(you, make):
    repo = make()
    found = you.facts("ada/model")
    assert (found.repo_id, found.access, found.gated) == ("ada/model", "open", None)
    assert found.revision == repo.commit("main").id
    assert found.license == ("mit",)
    assert found.languages == ("en", "fr")
    assert "model.safetensors" in found.files
    assert found.url.endswith("/ada/model")
    assert found.recorded is None
    # Not in the registry: the architecture comes from its config.json.
    assert found.architecture.hidden == 576
    assert found.architecture.parameters == pytest.approx(134_515_008, rel=0.01)


def test_facts_of_a_registry_model_take_two_calls_and_its_canonical_id(you, local_hub):
    seed.seed_registry(local_hub.storage, registry.load())
    entry = registry.load().entry("bert-base-uncased")
    local_hub.log.clear()
    found = you.facts("bert-base-uncased", entry)
    assert found.repo_id == "google-bert/bert-base-uncased"
    assert found.architecture == entry.architecture
    assert found.license == ("apache-2.0",)
    assert found.weight_bytes == pytest.approx(entry.recorded.weight_bytes, rel=0.01)
    assert len([line for line in local_hub.log if line[2] == 200]) == 2


def test_the_hubs_license_wins_over_the_recorded_one(you, make):
    entry = registry.load().entry(SMOL)
    make(SMOL, {**FILES, "README.md": b"---\nlicense: cc-by-nc-4.0\n---\n"})
    assert you.facts(SMOL, entry).license == ("cc-by-nc-4.0",)
    make("ada/bare", {**FILES, "README.md": b"no front matter"})
    assert you.facts("ada/bare", entry).license == ()


@pytest.mark.parametrize(
    ("front", "license_"),
    [
        ("license: [mit, gpl-3.0]", ("mit", "gpl-3.0")),
        ("license: other\nlicense_name: acme", ("other",)),
        ("x: 1", ()),
    ],
)
def test_licenses_as_cards_spell_them(you, make, front, license_):
    make(files={**FILES, "README.md": f"---\n{front}\n---\n".encode()})
    found = you.facts("ada/model")
    assert found.license == license_
    assert found.license_name == ("acme" if "acme" in front else None)


@pytest.mark.parametrize(
    ("user", "status", "access"),
    [
        ("you", None, "gated"),
        ("you", "pending", "gated-pending"),
        ("you", "rejected", "gated-refused"),
        ("you", "accepted", "granted"),
        ("ada", None, "granted"),
        (None, None, "gated-no-token"),
    ],
)
def test_gates(local_hub, make, user, status, access):
    repo = make(gated="manual")
    if status:
        set_request(repo, "you", status)
    found = Hub(local_hub.tokens[user] if user else False, local_hub.endpoint).facts("ada/model")
    assert (found.access, found.gated) == (access, "manual")
    # What a model declares can be read before access is granted.
    assert found.license == ("mit",)


def test_a_token_without_the_permission_for_gated_repositories(local_hub, make):
    make(gated="auto")
    words = "Please enable access to public gated repositories in your fine-grained token settings"
    refusal = Fault("auth-check", 403, headers={"X-Error-Message": words})
    with faulty(refusal, behind=local_hub.endpoint) as server:
        assert Hub(local_hub.tokens["you"], server.endpoint).facts("ada/model").access == "gated-scope"


def test_private_missing_disabled_and_bad_token(you, local_hub, make):
    make(private=True)
    make("ada/off", disabled=True)
    assert you.facts("ada/model").access == "private-or-missing"
    assert you.facts("ada/none").access == "private-or-missing"
    assert Hub(False, local_hub.endpoint).facts("ada/model").access == "private-or-missing"
    assert you.facts("ada/off").access == "disabled"
    assert Hub("hf_nobodys", local_hub.endpoint).facts("ada/model").access == "invalid-token"
    assert Hub(local_hub.tokens["ada"], local_hub.endpoint).facts("ada/model").access == "open"


def test_an_id_that_cannot_be_one_is_the_callers_mistake(you):
    for wrong in ("a/b/c", "no spaces/here", "--x/y"):
        with pytest.raises(UsageError, match="no repository id"):
            you.facts(wrong)


@pytest.mark.parametrize(
    ("config", "remote_code", "quantized"),
    [
        ({"auto_map": {"AutoModel": "m.py"}}, True, None),
        ({"quantization_config": {"quant_method": "gptq"}}, False, "gptq"),
        ({"quantization_config": {"load_in_4bit": True}}, False, "unnamed method"),
        ({}, False, None),
    ],
)
def test_what_the_config_gives_away(you, make, config, remote_code, quantized):
    make(files={**FILES, "config.json": json.dumps(config).encode()})
    found = you.facts("ada/model")
    assert (found.remote_code, found.quantized) == (remote_code, quantized)


@pytest.mark.parametrize("config", [b"not json", b"[1]", b"", b"\xff\xfe"])
def test_a_broken_config_leaves_the_architecture_unknown(you, make, config):
    make(files={**FILES, "config.json": config})
    assert you.facts("ada/model").architecture is None
