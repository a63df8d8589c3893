"""What is known of a model, and what this token may do, over real HTTP."""

from __future__ import annotations

import json

import pytest
from hub_cases import FILES, SMOL

from tunekit_hub import registry
from tunekit_hub.errors import UsageError
from tunekit_hub.localhub import seed


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


def test_a_license_that_is_recorded_is_not_filled_in_where_the_hub_has_none(you, make):
    make(SMOL, {**FILES, "README.md": b"no front matter"})
    assert you.facts(SMOL, registry.load().entry(SMOL)).license == ()


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


def test_what_a_gated_model_declares_can_be_read_before_access_is_granted(you, make):
    make(gated="manual")
    found = you.facts("ada/model")
    assert (found.access, found.gated, found.license) == ("gated", "manual", ("mit",))


def test_an_id_that_cannot_be_one_is_the_callers_mistake(you):
    for wrong in ("a/b/c", "no spaces/here", "--x/y"):
        with pytest.raises(UsageError, match="no repository id"):
            you.facts(wrong)


@pytest.mark.parametrize(
    ("config", "files", "code", "quantized"),
    [
        ({"auto_map": {"AutoModel": "modeling_x.XModel"}}, (), ("modeling_x.py",), None),
        ({"auto_map": {"AutoModel": "ada/code--modeling_x.XModel"}}, (), ("ada/code",), None),
        ({"auto_map": {"AutoTokenizer": ["tok.Slow", None]}}, (), ("tok.py",), None),
        ({}, ("modeling_y.py", "train.py"), ("modeling_y.py",), None),
        ({"quantization_config": {"quant_method": "gptq"}}, (), (), "gptq"),
        ({"quantization_config": {"quant_method": "awq"}}, (), (), "awq"),
        ({"quantization_config": {"quant_method": "fp8"}}, (), (), "fp8"),
        ({"quantization_config": {"load_in_4bit": True}}, (), (), "bitsandbytes"),
        ({"quantization_config": {"some": "thing"}}, (), (), "unnamed method"),
        ({"quantization": {"bits": 4}}, (), (), "mlx"),
        ({}, ("quantize_config.json",), (), "gptq"),
        ({}, (), (), None),
    ],
)
def test_what_config_and_files_give_away(you, make, config, files, code, quantized):
    make(files={**FILES, "config.json": json.dumps(config).encode(), **dict.fromkeys(files, b"x")})
    found = you.facts("ada/model")
    assert (found.remote_code, found.code, found.quantized) == (bool(code), code, quantized)


@pytest.mark.parametrize("config", [b"not json", b"[1]", b"", b"\xff\xfe"])
def test_a_broken_config_leaves_the_architecture_unknown(you, make, config):
    make(files={**FILES, "config.json": config})
    assert you.facts("ada/model").architecture is None
