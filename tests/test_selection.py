from __future__ import annotations

import json

import pytest
from faulty import Fault, faulty
from records import GIB, make_hardware, make_profile, make_request

from tunekit_hub import registry
from tunekit_hub.errors import HubUnreachable, InvalidToken, NoUsableModel
from tunekit_hub.facts import Gpu
from tunekit_hub.hub import Hub
from tunekit_hub.hub import connection as hub_connection
from tunekit_hub.localhub import seed
from tunekit_hub.localhub.access import set_request
from tunekit_hub.localhub.repos import create_repo, open_repo
from tunekit_hub.recommendation import recommend
from tunekit_hub.records import Lengths
from tunekit_hub.selection import check, select

LLAMA, MISTRAL = "meta-llama/Llama-2-7b-chat-hf", "mistralai/Mistral-7B-Instruct-v0.2"
TINY, SMOL3, SMOL1 = (
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "HuggingFaceTB/SmolLM2-360M-Instruct",
    "HuggingFaceTB/SmolLM2-135M-Instruct",
)
BIG_GPU = make_hardware(
    name="A100",
    device="cuda",
    gpus=(Gpu(name="A100", memory=80 * GIB, bf16=True),),
    memory=80 * GIB,
    disk=500 * GIB,
    gflops=130e3,
)
LAPTOP = make_hardware()


@pytest.fixture
def hub(local_hub, monkeypatch) -> Hub:
    """The models of the registry, each with a weights file; asked anew each time, as tests change them."""
    monkeypatch.setattr(hub_connection, "_sleep", lambda seconds: None)
    seed.seed_registry(local_hub.storage, registry.load())
    for entry in registry.load().models:
        weights = "model.safetensors" if entry.recorded.safetensors else "pytorch_model.bin"
        seed.add_files(open_repo(local_hub.storage, "model", entry.canonical), {weights: b"w"}, "weights")
    return Hub(local_hub.tokens["you"], local_hub.endpoint, refresh=True)


@pytest.fixture
def repo(local_hub):
    """Finds a repo of the local Hub."""
    return lambda name: open_repo(local_hub.storage, "model", name)


def relicense(repo, license_: str | None) -> None:
    card = f"---\nlicense: {license_}\n---\n" if license_ else "No front matter.\n"
    seed.add_files(repo, {"README.md": card.encode()}, "relicense")


def chats(description: str = "production", **changes):
    return recommend(make_profile(**changes), description)


def texts(**changes):
    fields = {"task": "classification", "tokens": Lengths(p50=20, p95=40, max=60, total=12_000)}
    return recommend(make_profile(**(fields | changes)))


def blocked(verdict) -> set[str]:
    return {finding.check for finding in verdict.findings if finding.status == "block"}


def test_whoever_was_let_in_gets_the_first_choice(hub, repo):
    set_request(repo(LLAMA), "you", "accepted")
    chosen = select(chats(), hardware=BIG_GPU, hub=hub)
    assert (chosen.model, chosen.method) == (LLAMA, "qlora")
    assert chosen.license == "llama2"
    assert chosen.revision == repo(LLAMA).commit("main").id
    assert [verdict.model for verdict in chosen.verdicts] == [LLAMA]


def test_a_gate_falls_back_to_mistral_and_says_why(hub):
    chosen = select(chats(), hardware=BIG_GPU, hub=hub)
    assert chosen.model == MISTRAL
    assert [verdict.model for verdict in chosen.verdicts] == [LLAMA, MISTRAL]
    assert blocked(chosen.verdicts[0]) == {"access"}
    assert chosen.verdicts[1].usable
    assert chosen.recommendation.model == LLAMA


def test_a_license_falls_back_too(hub, repo):
    relicense(repo(MISTRAL), "cc-by-nc-4.0")
    chosen = select(chats(), hardware=BIG_GPU, hub=hub)
    assert chosen.model == TINY
    assert blocked(chosen.verdicts[1]) == {"license"}
    assert select(chats(), use="research", hardware=BIG_GPU, hub=hub).model == MISTRAL


def test_a_small_machine_goes_down_to_what_fits(hub):
    chosen = select(chats(), hardware=make_hardware(memory=int(2.5 * GIB)), hub=hub)
    assert chosen.model in (SMOL3, SMOL1)
    assert chosen.method == "lora"
    assert all("size" in blocked(verdict) for verdict in chosen.verdicts[:-1])


def test_4_bit_is_for_cuda_only(hub):
    assert select(chats("", num_rows=50), hardware=BIG_GPU, hub=hub).method == "qlora"
    chosen = select(chats("", num_rows=50), hardware=make_hardware(memory=64 * GIB), hub=hub)
    assert chosen.method == "lora"
    assert "qlora" not in chosen.request.methods
    assert chosen.recommendation.method == "qlora"


def test_encoders_are_trained_in_full(hub):
    chosen = select(texts(), hardware=LAPTOP, hub=hub)
    assert (chosen.model, chosen.repo_id) == ("distilbert-base-uncased", "distilbert/distilbert-base-uncased")
    assert chosen.method == "full"


def test_the_request_carries_what_the_data_and_the_user_ask(hub):
    profile = {"num_rows": 1000, "max_rows": 100, "tokens": Lengths(p50=1, p95=333, max=400, total=50_000)}
    chosen = select(chats("", **profile), hardware=BIG_GPU, max_time=3600.0, accepted_licenses=("x/y",), hub=hub)
    request = chosen.request
    assert (request.rows, request.tokens, request.p95_tokens) == (100, 5000, 333)
    assert (request.max_time, request.accepted_licenses, request.task) == (3600.0, ("x/y",), "instruction_tuning")


def test_the_users_own_choice_has_no_ladder(hub):
    assert select(chats(), model=SMOL1, hardware=LAPTOP, hub=hub).model == SMOL1
    with pytest.raises(NoUsableModel) as caught:
        select(chats(), model=LLAMA, hardware=BIG_GPU, hub=hub)
    assert [verdict.model for verdict in caught.value.verdicts] == [LLAMA]
    assert f"/{LLAMA}" in caught.value.hint


def test_an_encoder_is_not_taken_for_a_chat(hub):
    with pytest.raises(NoUsableModel, match="cannot write answers"):
        select(chats(), model="bert-base-uncased", hardware=BIG_GPU, hub=hub)


def test_a_model_outside_the_registry_is_judged_by_its_own_config(hub, local_hub):
    config = registry.load().entry(SMOL1).config
    files = {
        "config.json": json.dumps(config).encode(),
        "model.safetensors": b"w",
        "README.md": b"---\nlicense: mit\n---\n",
    }
    seed.add_files(create_repo(local_hub.storage, "model", "ada/own"), files, "start")
    chosen = select(chats(), model="ada/own", hardware=LAPTOP, hub=hub)
    assert (chosen.repo_id, chosen.license) == ("ada/own", "mit")
    assert chosen.architecture.layers == 30


def test_nothing_usable_lists_every_verdict_and_the_nearest_way_out(hub, repo):
    for name in (MISTRAL, TINY, SMOL3, SMOL1):
        relicense(repo(name), None)
    with pytest.raises(NoUsableModel) as caught:
        select(chats(), hardware=BIG_GPU, hub=hub)
    error = caught.value
    assert [verdict.model for verdict in error.verdicts] == [LLAMA, MISTRAL, TINY, SMOL3, SMOL1]
    assert not any(verdict.usable for verdict in error.verdicts)
    assert error.exit_code == 3
    # One license decision is less than everything else, and Mistral is the first that lacks only that.
    assert f"nearest is `{MISTRAL}`" in error.hint
    assert f"--accept-license {MISTRAL}" in error.hint
    for verdict in error.verdicts:
        assert verdict.model in error.message


def test_the_users_decision_makes_it_usable_by_old_and_new_id(hub, repo):
    relicense(repo("bert-base-uncased") or repo("google-bert/bert-base-uncased"), None)
    recommendation = texts(num_rows=3000)
    assert select(recommendation, hardware=LAPTOP, hub=hub).model == "distilbert-base-uncased"
    for name in ("bert-base-uncased", "google-bert/bert-base-uncased"):
        chosen = select(recommendation, accepted_licenses=(name,), hardware=LAPTOP, hub=hub)
        assert chosen.model == "bert-base-uncased"
        assert chosen.license is None


def test_a_time_budget_blocks_what_takes_too_long(hub):
    with pytest.raises(NoUsableModel, match="time budget"):
        select(chats(), model=SMOL1, max_time=1.0, hardware=LAPTOP, hub=hub)


def test_german_text_never_ends_on_an_english_encoder(hub, repo):
    assert select(texts(languages=("de",)), hardware=LAPTOP, hub=hub).model == "xlm-roberta-base"
    relicense(repo("FacebookAI/xlm-roberta-base"), "cc-by-nc-4.0")
    with pytest.raises(NoUsableModel):
        select(texts(languages=("de",)), hardware=LAPTOP, hub=hub)
    with pytest.raises(NoUsableModel, match="made for en"):
        select(texts(languages=("de",)), model="bert-base-uncased", hardware=LAPTOP, hub=hub)


def test_truncation_is_said_where_the_ladder_leads_to_a_shorter_model(hub, repo):
    long = texts(tokens=Lengths(p50=400, p95=900, max=2000, total=90_000))
    assert select(long, hardware=LAPTOP, hub=hub).model == "allenai/longformer-base-4096"
    relicense(repo("allenai/longformer-base-4096"), "cc-by-nc-4.0")
    chosen = select(long, hardware=LAPTOP, hub=hub)
    assert chosen.model == "roberta-base"
    said = {finding.check: finding for finding in chosen.verdicts[-1].findings}
    assert said["length"].status == "warn"


def test_repositories_without_weights_turn_themselves_down(local_hub):
    seed.seed_registry(local_hub.storage, registry.load())
    hub = Hub(local_hub.tokens["you"], local_hub.endpoint)
    with pytest.raises(NoUsableModel, match="no weights in this repository"):
        select(chats(), hardware=BIG_GPU, hub=hub)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_outage_is_no_reason_to_fall_back(hub, local_hub, status):
    broken = Fault(f"GET /api/models/{LLAMA}", status)
    with faulty(broken, behind=local_hub.endpoint) as server, pytest.raises(HubUnreachable, match=str(status)):
        select(chats(), hardware=BIG_GPU, hub=Hub(local_hub.tokens["you"], server.endpoint))


def test_an_outage_below_the_chosen_model_does_not_matter(hub, local_hub):
    broken = Fault(f"GET /api/models/{SMOL1}", 503)
    with faulty(broken, behind=local_hub.endpoint) as server:
        chosen = select(chats(), hardware=BIG_GPU, hub=Hub(local_hub.tokens["you"], server.endpoint))
    assert chosen.model == MISTRAL


def test_checking_models_answers_in_their_order(hub):
    verdicts = check([SMOL1, LLAMA, "nobody/nothing", "bert-base-uncased"], make_request(task=None), hub)
    assert [verdict.model for verdict in verdicts] == [SMOL1, LLAMA, "nobody/nothing", "bert-base-uncased"]
    assert [verdict.usable for verdict in verdicts] == [True, False, False, True]
    assert verdicts[3].repo_id == "google-bert/bert-base-uncased"
    assert verdicts[0].method == "lora"
    assert {finding.check for finding in verdicts[0].findings} >= {"access", "license", "files", "size"}


def test_offline_the_recorded_facts_serve_with_a_warning(hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    chosen = select(chats("", num_rows=50), hardware=BIG_GPU, hub=hub)
    assert chosen.model == TINY
    statuses = {finding.check: finding.status for finding in chosen.verdicts[0].findings}
    assert statuses["access"] == statuses["license"] == statuses["files"] == "warn"


def test_a_token_nobody_knows_is_an_error_and_no_verdict(hub, local_hub):
    """No model is at fault, so nothing falls back and the exit code is not that of "no usable model"."""
    with pytest.raises(InvalidToken, match="does not know this token") as caught:
        select(recommend(make_profile()), hardware=LAPTOP, hub=Hub("hf_nobodys", local_hub.endpoint))
    assert caught.value.exit_code == 1
    assert "hf auth login" in caught.value.hint
