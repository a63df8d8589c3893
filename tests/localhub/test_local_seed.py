"""What a new local Hub starts with: recorded facts that say so, and weights that say what they are."""

from __future__ import annotations

import datetime
import struct
from pathlib import Path

import pytest
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import GatedRepoError

from tunekit_hub.localhub import seed
from tunekit_hub.registry import ModelEntry, Recorded, Registry

CONFIG = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "intermediate_size": 128,
    "vocab_size": 100,
    "max_position_embeddings": 128,
    "tie_word_embeddings": False,
}


def entry(id: str, canonical: str, **recorded) -> ModelEntry:
    facts = {"date": datetime.date(2026, 1, 2), "license": ("mit",), "safetensors": True, "weight_bytes": 400_000}
    return ModelEntry(
        id=id,
        canonical=canonical,
        tasks=("instruction_tuning",),
        parameters=100_000,
        languages=("en",),
        good_for="tests",
        recorded=Recorded(**{**facts, **recorded}),
        config=CONFIG,
    )


REGISTRY = Registry(
    words={},
    models=(
        entry("old-name", "ns/new-name"),
        entry("big/gated", "big/gated", license=("llama2",), license_link="https://e.org", gated="manual"),
        entry("none/declared", "none/declared", license=(), safetensors=False),
    ),
    tasks={},
)


@pytest.fixture
def seeded(local_hub):
    seed.seed_registry(local_hub.storage, REGISTRY)
    return local_hub


def read(hub, repo_id: str, name: str) -> str:
    return Path(hf_hub_download(repo_id, name, endpoint=hub.endpoint, token=False)).read_text()


def test_old_names_lead_to_the_canonical_repo(seeded, hf):
    assert hf().model_info("old-name").id == "ns/new-name"
    assert hf().model_info("old-name", expand=["sha"]).id == "ns/new-name"
    hf().auth_check("old-name")
    assert '"hidden_size": 64' in read(seeded, "old-name", "config.json")


def test_recorded_facts_are_served_and_the_file_list_is_true(seeded, hf):
    info = hf().model_info("ns/new-name")
    assert (info.safetensors.parameters, info.safetensors.total) == ({"F32": 100_000}, 100_000)
    assert (info.used_storage, info.__dict__["recorded"]) == (400_000, "2026-01-02")
    assert (info.card_data.license, info.config["model_type"]) == ("mit", "llama")
    assert [s.rfilename for s in info.siblings] == ["README.md", "config.json"]
    assert "safetensors" not in info.tags


def test_the_card_says_what_is_recorded_and_that_nothing_is_here(seeded):
    card = read(seeded, "ns/new-name", "README.md")
    assert "recorded them on 2026-01-02" in card
    assert "no weights" in card


def test_gating_and_licenses_as_recorded(seeded, hf):
    gated = hf().model_info("big/gated")
    assert (gated.gated, gated.card_data.license, gated.card_data.license_link) == (
        "manual",
        "llama2",
        "https://e.org",
    )
    with pytest.raises(GatedRepoError):
        hf("you").auth_check("big/gated")
    undeclared = hf().model_info("none/declared")
    assert undeclared.card_data.license is None
    assert not [tag for tag in undeclared.tags if tag.startswith("license:")]
    assert undeclared.safetensors is None


def test_seeded_cards_are_valid(seeded, hf):
    for repo_id in ("ns/new-name", "none/declared"):
        hf()._validate_yaml(read(seeded, repo_id, "README.md"))


def test_seeding_again_changes_nothing(seeded, hf):
    before = {item.id: item.sha for item in hf().list_models(full=True)}
    seed.seed_registry(seeded.storage, REGISTRY)
    assert {item.id: item.sha for item in hf().list_models(full=True)} == before
    assert len(before) == 3


def test_weights_replace_the_recorded_facts_and_the_note(seeded, hf, tmp_path):
    header = b'{"w":{"dtype":"BF16","shape":[3,5],"data_offsets":[0,30]}}'
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"\0" * 30)
    (tmp_path / "w" / "tokenizer.json").write_text("{}")
    for _ in range(2):
        seed.seed_weights(seeded.storage, tmp_path / "w", "ns/new-name", "Rounded to bf16.")
    info = hf().model_info("old-name")
    assert (info.safetensors.parameters, info.card_data.license) == ({"BF16": 15}, "mit")
    assert "recorded" not in info.__dict__
    assert {s.rfilename for s in info.siblings} >= {"model.safetensors", "tokenizer.json", "config.json"}
    card = read(seeded, "ns/new-name", "README.md")
    assert "Rounded to bf16." in card
    assert "no weights" not in card
    assert len(hf().list_repo_commits("ns/new-name")) == 2
    seed.seed_registry(seeded.storage, REGISTRY)
    assert hf().model_info("old-name").safetensors.total == 15


def test_the_real_registry_can_be_seeded(local_hub, hf):
    from tunekit_hub.registry import load

    registry = load()
    seed.seed_registry(local_hub.storage, registry)
    for model in registry.models:
        info = hf().model_info(model.id)
        assert info.id == model.canonical
        assert info.gated == (model.recorded.gated or False)
        assert (info.safetensors is not None) == model.recorded.safetensors


def test_the_small_model_is_taken_once(local_hub, hf, tmp_path, monkeypatch):
    from tunekit_hub.localhub import weights

    taken = []

    def small_model():
        taken.append(1)
        (tmp_path / "w").mkdir()
        (tmp_path / "w" / "model.safetensors").write_bytes(b"\0")
        return weights.Weights(tmp_path / "w", "From somewhere.")

    monkeypatch.setattr(weights, "small_model", small_model)
    for _ in range(2):
        seed.seed_small_model(local_hub.storage)
    assert len(taken) == 1
    assert "From somewhere." in read(local_hub, weights.REPO, "README.md")
