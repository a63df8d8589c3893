"""What lies in a repository, and what it was made from."""

from __future__ import annotations

import pytest
from check_facts import facts, run
from records import make_request

from tunekit_hub.checks import CHECKS
from tunekit_hub.facts import BaseFacts

# files


@pytest.mark.parametrize(
    ("files", "status", "words"),
    [
        (("config.json", "model.safetensors"), "pass", "safetensors"),
        (("model-00001-of-00002.safetensors", "model.safetensors.index.json"), "pass", "safetensors"),
        (("model.safetensors", "pytorch_model.bin"), "pass", "safetensors"),
        (("model.safetensors", "train_script.py"), "pass", "safetensors"),
        (("config.json", "pytorch_model.bin"), "warn", "pickle"),
        (("pytorch_model-00001-of-00002.bin",), "warn", "pickle"),
        (("config.json", "README.md"), "block", "no weights in this repository"),
        (("tf_model.h5", "onnx/model.safetensors"), "block", "no weights"),
        (("consolidated.safetensors",), "block", "no weights"),
        (("model.Q4_K_M.gguf",), "block", "GGUF"),
        (("adapter_config.json", "adapter_model.safetensors"), "block", "adapter"),
        (("config.json", "tf_model.h5"), "block", "no weights that PyTorch loads, only `tf_model.h5`"),
        ((".gitattributes", "README.md"), "block", "it is empty"),
        ((), "block", "empty"),
    ],
)
def test_weights_are_told_by_their_files(files, status, words):
    finding = run("files", facts(files=files))
    assert finding.status == status
    assert words in finding.message


def test_remote_code_is_blocked_by_name():
    code = ("modeling_x.py", "configuration_x.py")
    one = facts(files=("model.safetensors", *code), remote_code=True, code=code)
    finding = run("files", one)
    assert finding.status == "block"
    assert "`modeling_x.py`" in finding.message
    assert "`configuration_x.py`" in finding.message


@pytest.mark.parametrize(
    ("method", "name"),
    [("gptq", "GPTQ"), ("awq", "AWQ"), ("bitsandbytes", "bitsandbytes"), ("fp8", "FP8"), ("x", "x")],
)
def test_quantized_weights_are_blocked_by_their_name(method, name):
    finding = run("files", facts(quantized=method))
    assert finding.status == "block"
    assert f"({name})" in finding.message


def test_an_adapter_names_its_base():
    one = facts(files=("adapter_config.json", "adapter_model.safetensors"), adapter_of="ada/base")
    finding = run("files", one)
    assert "an adapter of `ada/base`" in finding.message
    assert "--model ada/base" in finding.fix


def test_files_that_cannot_be_seen_are_unknown_and_offline_ones_warn():
    assert run("files", facts(access="private-or-missing", files=())).status == "unknown"
    assert run("files", facts(access="unverified", recorded="2026-01-02", files=())).status == "warn"


# lineage


def base(*ids: str, **changes) -> BaseFacts:
    return BaseFacts(repo_id="ada/base", license=ids, **changes)


@pytest.mark.parametrize(
    ("declared", "of_base", "status"),
    [
        (("mit",), ("apache-2.0",), "pass"),
        (("mit",), ("cc-by-4.0",), "warn"),
        (("apache-2.0",), ("llama2",), "warn"),
        (("apache-2.0",), ("cc-by-nc-4.0",), "warn"),
        (("cc-by-nc-4.0",), ("llama2",), "pass"),
        (("cc-by-nc-4.0",), ("cc-by-nc-nd-4.0",), "warn"),
        (("mit",), (), "warn"),
        ((), ("mit",), "pass"),
        ((), (), "pass"),
        (("mit",), ("mit", "gpl-3.0"), "warn"),
    ],
)
def test_nobody_gives_away_more_than_they_were_given(declared, of_base, status):
    finding = run("lineage", facts(license=declared, bases=(base(*of_base),)))
    assert finding.status == status
    for name in (*of_base, "ada/base"):
        assert f"`{name}`" in finding.message


def test_lineage_says_both_names_the_duty_and_the_page():
    finding = run("lineage", facts(license=("mit",), bases=(base("cc-by-nc-4.0"),)))
    assert "declares `mit`, but its base model `ada/base` declares `cc-by-nc-4.0`" in finding.message
    assert "no commercial use" in finding.message
    assert "https://hub.example/ada/base" in finding.fix


def test_a_base_that_cannot_be_seen_is_said():
    finding = run("lineage", facts(bases=(base(seen=False),)))
    assert finding.status == "warn"
    assert "cannot be seen" in finding.message


def test_a_model_with_no_known_lineage_under_its_own_name_raises_no_question():
    assert CHECKS["lineage"].run(facts(), make_request()) is None
    assert run("lineage", facts(asked="name")).message == "renamed from `name` to `owner/name`"
