"""The demo's ladder on two cores with 8 GiB, against the seeded local Hub."""

from __future__ import annotations

import pytest
import records as made

import tunekit_hub as tk
from tunekit_hub import profiling, registry, render
from tunekit_hub.demo import DEMOS
from tunekit_hub.hub import Hub
from tunekit_hub.localhub import access, seed
from tunekit_hub.localhub.repos import open_repo

LLAMA = "meta-llama/Llama-2-7b-chat-hf"
MISTRAL = "mistralai/Mistral-7B-Instruct-v0.2"
TINY = "TinyLlama/TinyLlama-1.1B-Chat-v1.0"
MIDDLE = "HuggingFaceTB/SmolLM2-360M-Instruct"
SMALL = "HuggingFaceTB/SmolLM2-135M-Instruct"
DEMO = DEMOS["chat"]
TWO_CORES = made.make_hardware(name="2 CPU cores with avx2", bf16=False, gflops=90.0)


@pytest.fixture
def hub(local_hub):
    seed.seed_registry(local_hub.storage, registry.load())
    seed.seed_weights(local_hub.storage, {"model.safetensors": made_weights()}, SMALL, "Weights for a test.")
    return Hub(local_hub.tokens["you"], local_hub.endpoint)


def made_weights() -> bytes:
    """A safetensors file with one number in it."""
    header = b'{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    return len(header).to_bytes(8, "little") + header + b"\0\0"


@pytest.fixture
def recommendation():
    return tk.recommend(profiling.profile(DEMO.path), DEMO.description)


@pytest.fixture
def selection(recommendation, hub):
    return tk.select(recommendation, max_time=DEMO.time_budget, hardware=TWO_CORES, hub=hub)


def blocks(selection, model) -> dict[str, str]:
    verdict = next(v for v in selection.verdicts if v.model == model)
    return {f.check: f.message for f in verdict.findings if f.status == "block"}


def test_the_seeds_pick_for_production_comes_first(recommendation):
    assert recommendation.model == LLAMA
    assert recommendation.method == "qlora"
    assert [recommendation.model, *recommendation.ladder] == [LLAMA, MISTRAL, TINY, MIDDLE, SMALL]


def test_every_rung_says_why(selection):
    assert [v.model for v in selection.verdicts] == [LLAMA, MISTRAL, TINY, MIDDLE, SMALL]
    assert blocks(selection, LLAMA)["access"].startswith("gated")
    asked = next(f for f in selection.verdicts[0].findings if f.check == "access")
    assert f"/{LLAMA}" in asked.fix
    assert "does not fit here: needs 3" in blocks(selection, MISTRAL)["size"]
    assert "8.6 GB available" in blocks(selection, MISTRAL)["size"]
    assert "the time budget is 10 min" in blocks(selection, TINY)["size"]
    assert blocks(selection, MIDDLE)["files"] == "no weights in this repository"


def test_the_first_that_fits_and_has_weights_is_chosen(selection):
    assert (selection.model, selection.method) == (SMALL, "lora")
    assert selection.verdicts[-1].usable
    assert not any(v.usable for v in selection.verdicts[:-1])
    assert len(selection.revision) == 40
    assert selection.weights_note == "Weights for a test."


def test_the_page_shows_every_finding_of_every_model(selection):
    page = " ".join(render.text(selection, width=100).split())
    for verdict in selection.verdicts:
        for finding in verdict.findings:
            assert " ".join(finding.message.split()) in page


def test_a_model_that_access_is_granted_to_is_turned_down_for_the_rest_only(recommendation, hub, local_hub):
    repo = open_repo(local_hub.storage, "model", LLAMA)
    access.set_request(repo, "you", "accepted")
    selection = tk.select(recommendation, max_time=DEMO.time_budget, hardware=TWO_CORES, hub=hub)
    assert set(blocks(selection, LLAMA)) == {"files", "size"}
