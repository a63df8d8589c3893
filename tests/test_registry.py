from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tunekit_hub import registry
from tunekit_hub.errors import RegistryError
from tunekit_hub.estimates.architectures import architecture

REGISTRY = registry.load()
ROOT = Path(__file__).parent.parent
SEED_IDS = {
    "distilbert-base-uncased",
    "distilbert-base-cased",
    "bert-base-uncased",
    "bert-base-cased",
    "roberta-base",
    "microsoft/deberta-v3-base",
    "allenai/longformer-base-4096",
    "xlm-roberta-base",
    "dmis-lab/biobert-base-cased-v1.1",
    "emilyalsentzer/Bio_ClinicalBERT",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "meta-llama/Llama-2-7b-chat-hf",
    "mistralai/Mistral-7B-Instruct-v0.2",
}

entries = pytest.mark.parametrize("entry", REGISTRY.models, ids=lambda entry: entry.id)


def write(folder: Path, changes: dict) -> Path:
    content = json.loads((ROOT / registry.FILE).read_text()) | changes
    path = folder / "mine.json"
    path.write_text(json.dumps(content))
    return path


def test_every_model_of_the_specification_is_there():
    assert {m.id for m in REGISTRY.models} >= SEED_IDS


@entries
def test_recorded_parameters_agree_with_the_config(entry):
    # The estimate knows the matrices of the family; a digit lost in the file would show.
    assert architecture(entry.config).parameters == pytest.approx(entry.parameters, rel=0.01)
    assert entry.architecture.parameters == entry.parameters


@entries
def test_recorded_weights_are_of_one_format(entry):
    assert 1.95 <= entry.recorded.weight_bytes / entry.parameters <= 4.1


@entries
@pytest.mark.slow
def test_parameters_are_those_of_the_model_built_from_its_config(entry):
    import torch
    from transformers import AutoConfig, AutoModel, AutoModelForCausalLM

    config = {k: v for k, v in entry.config.items() if k not in ("model_type", "architectures")}
    factory = AutoModelForCausalLM if entry.architecture.kind == "decoder" else AutoModel
    with torch.device("meta"):
        model = factory.from_config(AutoConfig.for_model(entry.model_type, **config))
        model.tie_weights()
    assert sum(p.numel() for p in model.parameters()) == entry.parameters


@pytest.mark.parametrize(
    ("config", "published"),
    [
        # Grouped heads of their own width, and tied embeddings: Qwen3-0.6B.
        (
            {"model_type": "qwen3", "hidden_size": 1024, "num_hidden_layers": 28, "num_attention_heads": 16}
            | {"num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 3072, "vocab_size": 151936}
            | {"max_position_embeddings": 40960, "tie_word_embeddings": True},
            596_049_920,
        ),
        # No intermediate size and other key names: GPT-2.
        (
            {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "vocab_size": 50257}
            | {"n_positions": 1024},
            124_439_808,
        ),
        # A gated MLP in an encoder: ModernBERT-base.
        (
            {"model_type": "modernbert", "hidden_size": 768, "num_hidden_layers": 22, "num_attention_heads": 12}
            | {"intermediate_size": 1152, "vocab_size": 50368, "max_position_embeddings": 8192},
            149_014_272,
        ),
    ],
    ids=["qwen3", "gpt2", "modernbert"],
)
def test_parameters_of_unknown_models_are_estimated_from_their_config(config, published):
    assert architecture(config).parameters == pytest.approx(published, rel=0.02)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"model_type": "whisper", "hidden_size": 384},
        {"model_type": "llama"},
        {"model_type": "llama", "hidden_size": "576", "num_hidden_layers": 1},
        {"model_type": ["llama"]},
    ],
    ids=["empty", "unknown family", "no sizes", "text for a number", "list for a name"],
)
def test_no_architecture_is_made_up(config):
    assert architecture(config, 100) is None


def test_positions_that_no_text_can_use_are_not_context():
    by_id = {m.id: m.architecture.context for m in REGISTRY.models}
    assert by_id["roberta-base"] == 512
    assert by_id["allenai/longformer-base-4096"] == 4096
    assert by_id["bert-base-uncased"] == 512


@pytest.mark.parametrize(
    "name", ["bert-base-uncased", "google-bert/bert-base-uncased", "Google-BERT/bert-base-uncased"]
)
def test_a_model_is_found_by_its_old_and_its_canonical_id(name):
    assert REGISTRY.entry(name).canonical == "google-bert/bert-base-uncased"


def test_an_id_that_is_not_listed_is_not_found():
    assert REGISTRY.entry("bert-base") is None


def test_what_is_not_known_is_left_out():
    assert REGISTRY.entry("dmis-lab/biobert-base-cased-v1.1").recorded.license == ()
    assert REGISTRY.entry("mistralai/Mistral-7B-Instruct-v0.2").recorded.gated is None
    assert REGISTRY.entry("meta-llama/Llama-2-7b-chat-hf").recorded.gated == "manual"


MINILM = "sentence-transformers/all-MiniLM-L6-v2"
CLINICAL = "emilyalsentzer/Bio_ClinicalBERT"
SMALL_CHAT = ("HuggingFaceTB/SmolLM2-360M-Instruct", "HuggingFaceTB/SmolLM2-135M-Instruct")
LADDERS = {
    "classification": [
        ("microsoft/deberta-v3-base", "roberta-base", "bert-base-uncased", "distilbert-base-uncased", MINILM),
        ("allenai/longformer-base-4096", "roberta-base", "bert-base-uncased", "distilbert-base-uncased", MINILM),
        (CLINICAL, "bert-base-uncased", "distilbert-base-uncased", MINILM),
        ("roberta-base", "bert-base-uncased", "distilbert-base-uncased", MINILM),
        ("bert-base-uncased", "distilbert-base-uncased", MINILM),
        ("distilbert-base-uncased", MINILM),
        ("xlm-roberta-base",),
    ],
    "ner": [
        ("dmis-lab/biobert-base-cased-v1.1", CLINICAL, "bert-base-cased", "distilbert-base-cased", MINILM),
        (CLINICAL, "bert-base-cased", "distilbert-base-cased", MINILM),
        ("roberta-base", "bert-base-cased", "distilbert-base-cased", MINILM),
        ("bert-base-cased", "distilbert-base-cased", MINILM),
        ("distilbert-base-cased", MINILM),
        ("xlm-roberta-base",),
    ],
    "instruction_tuning": [
        (
            "meta-llama/Llama-2-7b-chat-hf",
            "mistralai/Mistral-7B-Instruct-v0.2",
            "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
            *SMALL_CHAT,
        ),
        ("TinyLlama/TinyLlama-1.1B-Chat-v1.0", *SMALL_CHAT),
    ],
}


@pytest.mark.parametrize("task", LADDERS)
def test_ladders_are_those_of_the_design(task):
    expected = {top: rungs for top, *rungs in LADDERS[task]}
    assert {top: list(rungs) for top, rungs in REGISTRY.tasks[task].ladders.items()} == expected


def test_behind_a_multilingual_pick_stand_multilingual_models_only():
    for task in REGISTRY.tasks.values():
        for top, rungs in task.ladders.items():
            if "multilingual" in REGISTRY.entry(top).languages:
                assert all("multilingual" in REGISTRY.entry(rung).languages for rung in rungs)
            else:
                assert all("en" in REGISTRY.entry(rung).languages for rung in rungs)


def test_the_schema_file_is_current():
    assert (ROOT / "model_registry.schema.json").read_text() == registry.json_schema()


def test_all_problems_are_listed_at_once(tmp_path):
    models = json.loads((ROOT / registry.FILE).read_text())["models"][:2]
    models[1]["canonical"] = models[0]["canonical"]
    models[1]["tasks"] = ["ner", "poetry"]
    rules = [
        {"model": "no-such-model", "method": "full", "reason": "…"},
        {"when": {"wants": "glory"}, "model": "distilbert-base-cased", "method": "full", "reason": "…"},
    ]
    ladders = {"distilbert-base-uncased": ["gone", "distilbert-base-uncased"]}
    tasks = {"ner": {"rules": rules, "ladders": ladders}}
    with pytest.raises(RegistryError) as caught:
        registry.load(write(tmp_path, {"models": models, "tasks": tasks}))
    said = caught.value.message
    for problem in (
        "`distilbert/distilbert-base-uncased` is listed 2 times",
        "no such task `poetry`",
        "ner, rule 1: no model has the id `no-such-model`",
        "ner, rule 1 always matches, so the rules after it never do",
        "no such word list `glory`",
        "`distilbert-base-cased` has no ladder",
        "the last rule has conditions",
        "no model has the id `gone`",
        "`distilbert-base-uncased` stands in it twice",
        "`distilbert-base-uncased` is not listed for this task",
    ):
        assert problem in said
    assert re.match(r"1\d problems in", said)


def test_wrong_fields_are_listed_with_their_place(tmp_path):
    models = json.loads((ROOT / registry.FILE).read_text())["models"]
    models[0]["parameters"] = "many"
    models[3]["licence"] = "mit"
    models[5]["config"] = {"model_type": "unheard-of"}
    with pytest.raises(RegistryError) as caught:
        registry.load(write(tmp_path, {"models": models}))
    said = caught.value.message
    assert "models.0.parameters" in said
    assert "models.3.licence" in said
    assert "`microsoft/deberta-v3-base` does not tell the architecture" in said


def test_broken_json_names_the_line(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text('{\n  "words": {},\n  "models": [,]\n}')
    with pytest.raises(RegistryError, match="line 3"):
        registry.load(path)


def test_a_missing_file_says_how_to_name_another(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEKIT_REGISTRY", str(tmp_path / "none.json"))
    with pytest.raises(RegistryError, match=r"none\.json") as caught:
        registry.load()
    assert "TUNEKIT_REGISTRY" in caught.value.hint


def test_the_environment_names_a_registry_of_ones_own(tmp_path, monkeypatch):
    words = {"speed": ["zippy"], "quality": ["fine"]}
    monkeypatch.setenv("TUNEKIT_REGISTRY", str(write(tmp_path, {"words": words})))
    assert registry.load().words["speed"] == ("zippy",)
    monkeypatch.delenv("TUNEKIT_REGISTRY")
    assert registry.load() == REGISTRY
