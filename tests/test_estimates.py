"""Memory and time: orders of magnitude that are known, and the direction every knob turns them."""

from __future__ import annotations

import pytest
import records as made

from tunekit_hub import estimates, registry
from tunekit_hub.checks.size import SIZE
from tunekit_hub.facts import Gpu, ModelFacts, Request

CPU = made.make_hardware(bf16=False, gflops=90.0)
T4 = made.make_hardware(
    device="cuda", name="T4", memory=15_000_000_000, gpus=(Gpu(name="T4", memory=15_000_000_000, bf16=False),),
    bf16=False, gflops=20e3,
)  # fmt: skip
LLAMA, TINY, SMOL = (
    registry.load().entry(name)
    for name in (
        "meta-llama/Llama-2-7b-chat-hf",
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        "HuggingFaceTB/SmolLM2-135M-Instruct",
    )
)


def facts(entry) -> ModelFacts:
    return ModelFacts(
        repo_id=entry.canonical,
        access="open",
        files=("model.safetensors",),
        weight_bytes=entry.recorded.weight_bytes,
        architecture=entry.architecture,
        url="",
    )


@pytest.mark.parametrize(
    ("entry", "parameters"),
    [(SMOL, 4_884_480), (TINY, 12_615_680), (LLAMA, 39_976_960)],  # what peft counts for all-linear, rank 16
)
def test_lora_parameters_are_what_peft_makes(entry, parameters):
    assert estimates.lora_parameters(entry.architecture) == parameters


def test_qlora_of_llama_2_fits_a_t4_and_full_fine_tuning_does_not():
    """The ranges people quote: 8 to 12 GB with QLoRA, 28 GB and more without."""
    at = {"tokens": 512, "checkpointing": True}
    assert 5e9 < estimates.memory(LLAMA.architecture, "qlora", T4, **at).total < 12e9
    assert estimates.memory(LLAMA.architecture, "lora", T4, **at).total > 13e9
    assert estimates.memory(LLAMA.architecture, "full", T4, **at).total > 28e9


def test_the_peak_measured_with_smollm2_is_met():
    """LoRA, batch of 4, rows of up to 448 tokens, float32: 6.13 GB resident (docs/planning.md)."""
    need = estimates.memory(SMOL.architecture, "lora", CPU, tokens=448, batch=4).total
    assert 0.95 * 6.13e9 < need < 1.4 * 6.13e9


def test_more_of_anything_needs_more():
    def need(**changes):
        settings = {"tokens": 256, "batch": 2, "checkpointing": False} | changes
        return estimates.memory(SMOL.architecture, "lora", CPU, **settings).total

    assert need(checkpointing=True) < need() < need(batch=4) == need(tokens=512)


def test_the_best_method_that_fits_is_taken():
    request = Request(hardware=T4, methods=("qlora", "lora", "full"), rows=100, tokens=20_000, p95_tokens=400)
    assert estimates.fit(facts(LLAMA), request).method == "qlora"
    assert estimates.fit(facts(SMOL), request.but(methods=("full", "lora"))).method == "full"


def test_without_data_a_length_is_assumed_and_said():
    finding = SIZE.run(facts(SMOL), Request(hardware=CPU))
    assert finding.status == "pass"
    assert "512 tokens (assumed: no data)" in finding.message


def test_a_model_that_does_not_fit_says_needed_and_available():
    finding = SIZE.run(facts(LLAMA), Request(hardware=CPU))
    assert finding.status == "block"
    assert "does not fit here: needs" in finding.message
    assert "8.6 GB available" in finding.message


def test_a_model_too_slow_for_the_budget_says_how_long():
    request = Request(hardware=CPU, rows=240, tokens=40_000, p95_tokens=300, max_time=600.0)
    slow, fast = SIZE.run(facts(TINY), request), SIZE.run(facts(SMOL), request)
    assert (slow.status, fast.status) == ("block", "pass")
    assert "the time budget is 10 min" in slow.message
    assert SIZE.run(facts(TINY), request.but(max_time=None)).status != "block"


def test_a_full_disk_blocks():
    finding = SIZE.run(facts(SMOL), Request(hardware=CPU.but(disk=10_000_000)))
    assert finding.status == "block"
    assert "10.0 MB free" in finding.message


def test_an_unknown_architecture_is_not_guessed():
    finding = SIZE.run(facts(SMOL).but(architecture=None), Request(hardware=CPU))
    assert finding.status == "block"
