"""validate-yaml: what the Hub would turn down after training is turned down before it."""

from __future__ import annotations

import httpx
import pytest
from huggingface_hub import ModelCard

GOOD = """---
license: apache-2.0
language: en
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
base_model_relation: adapter
library_name: peft
pipeline_tag: text-generation
tags: [tunekit-hub, lora]
datasets: [you/data]
model-index:
- name: x
  results:
  - task: {type: text-generation}
    dataset: {type: you/data, name: Data}
    metrics: [{type: perplexity, value: 3.5}]
---
# x
"""


def validate(hf, text: str, repo_type: str = "model") -> None:
    """What the client does before every commit of a card: it raises where there are errors."""
    hf()._validate_yaml(text, repo_type=repo_type)


def problems(hub, text: str, repo_type: str = "model") -> list:
    """The errors that the Hub finds in a card."""
    asked = {"repoType": repo_type, "content": text}
    return httpx.post(f"{hub.endpoint}/api/validate-yaml", json=asked).json()["errors"]


def test_a_good_card_has_no_problems(local_hub):
    assert problems(local_hub, GOOD) == []
    assert problems(local_hub, GOOD.replace("\n", "\r\n")) == []


def test_a_card_without_front_matter_gets_a_warning(hf):
    with pytest.warns(UserWarning, match="empty or missing yaml metadata"):
        validate(hf, "# only text\n\n---\n\nand a rule")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("license: apache", "license"),
        ("license: [mit, nope]", r"license\[1\]"),
        ("license: {id: mit}", "license"),
        ("language: English", "language"),
        ("base_model: /tmp/checkpoints/x", "base_model"),
        ("base_model: [you/ok, ../up]", r"base_model\[1\]"),
        ("base_model_relation: child", "base_model_relation"),
        ("datasets: ./data.csv", "datasets"),
        ("tags: [1]", r"tags\[0\]"),
        ("pipeline_tag: [a]", "pipeline_tag"),
        ("model-index: {}", "model-index"),
        ("model-index: [{results: []}]", "name"),
        (
            "model-index: [{name: x, results: [{task: {type: t}, dataset: {type: d}, metrics: []}]}]",
            "dataset.name",
        ),
        ("model-index: [{name: x, results: 3}]", "results"),
        (
            "model-index: [{name: x, results: [{task: {type: t}, dataset: {type: d, name: d}, "
            "metrics: [{type: m}]}]}]",
            "value",
        ),
        ("a: [", "YAML"),
        ("a: b: c", "YAML"),
    ],
)
def test_a_broken_card_is_named(hf, line, said):
    with pytest.raises(ValueError, match=said):
        validate(hf, f"---\n{line}\n---\n")


def test_front_matter_must_be_a_mapping(hf):
    for text in ("- a\n- b", "just words"):
        with pytest.raises(ValueError, match="mapping"):
            validate(hf, f"---\n{text}\n---\n")


def test_yaml_cannot_run_anything(hf, tmp_path):
    bomb = f"---\na: !!python/object/apply:os.mkdir ['{tmp_path}/made']\n---\n"
    with pytest.raises(ValueError, match="YAML"):
        validate(hf, bomb)
    assert not (tmp_path / "made").exists()


def test_licenses_the_hub_lists_are_taken(local_hub):
    several = "[mit, cc-by-sa-3.0]"
    for one in ("llama2", "llama3.1", "gemma", "other", "bigscience-openrail-m", "cc-by-nc-4.0", several):
        assert problems(local_hub, f"---\nlicense: {one}\n---\n") == []


def test_a_dataset_card_is_not_held_to_the_rules_of_a_model(hf, local_hub):
    assert problems(local_hub, "---\nlicense: mit\nbase_model: 3\n---\n", "dataset") == []
    with pytest.raises(ValueError, match="license"):
        validate(hf, "---\nlicense: nope\n---\n", repo_type="dataset")


def test_card_push_and_load(hf, local_hub):
    hf("you").create_repo("you/model")
    ModelCard(GOOD).push_to_hub("you/model", token=local_hub.tokens["you"])
    assert ModelCard.load("you/model", token=False).data.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert hf().model_info("you/model").card_data.eval_results[0].metric_value == 3.5
