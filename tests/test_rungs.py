"""The ladder Llama-2 → Mistral → TinyLlama → SmolLM2, walked down by access, license, memory and time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from records import GIB, make_hardware, make_profile

from tunekit_hub import estimates, registry
from tunekit_hub.cli import main
from tunekit_hub.facts import Gpu
from tunekit_hub.hub import Hub
from tunekit_hub.localhub import seed
from tunekit_hub.localhub.access import set_request
from tunekit_hub.localhub.repos import open_repo
from tunekit_hub.recommendation import recommend
from tunekit_hub.selection import select

ROOT = Path(__file__).parent.parent
LLAMA, MISTRAL = "meta-llama/Llama-2-7b-chat-hf", "mistralai/Mistral-7B-Instruct-v0.2"
TINY, MIDDLE = "TinyLlama/TinyLlama-1.1B-Chat-v1.0", "HuggingFaceTB/SmolLM2-360M-Instruct"
SMALL = "HuggingFaceTB/SmolLM2-135M-Instruct"
LADDER = [LLAMA, MISTRAL, TINY, MIDDLE, SMALL]
ROOMY = make_hardware(memory=256 * GIB, disk=500 * GIB)


@pytest.fixture
def hub(local_hub) -> Hub:
    """Every rung open to "you", with a weights file."""
    fill(local_hub, registry.load())
    return Hub(local_hub.tokens["you"], local_hub.endpoint, refresh=True)


def fill(local_hub, known) -> None:
    seed.seed_registry(local_hub.storage, known)
    for entry in known.models:
        repo = open_repo(local_hub.storage, "model", entry.canonical)
        seed.add_files(repo, {"model.safetensors": b"w"}, "weights")
        if entry.recorded.gated:
            set_request(repo, "you", "accepted")


def pick(hub, **wishes):
    return select(recommend(make_profile(), "production"), hub=hub, **({"hardware": ROOMY} | wishes))


def reasons(chosen) -> list[set[str]]:
    return [{f.check for f in verdict.findings if f.status == "block"} for verdict in chosen.verdicts]


@pytest.mark.parametrize("rung", range(5))
def test_by_access(hub, local_hub, rung):
    for name in LADDER[:rung]:
        open_repo(local_hub.storage, "model", name).update(gated="manual", requests={})
    chosen = pick(hub)
    assert [verdict.model for verdict in chosen.verdicts] == LADDER[: rung + 1]
    assert reasons(chosen) == [{"access"}] * rung + [set()]


@pytest.mark.parametrize("rung", range(5))
def test_by_license(hub, local_hub, rung):
    for name in LADDER[:rung]:
        card = b"---\nlicense: cc-by-nc-4.0\n---\n"
        seed.add_files(open_repo(local_hub.storage, "model", name), {"README.md": card}, "relicense")
    chosen = pick(hub)
    assert chosen.model == LADDER[rung]
    assert reasons(chosen) == [{"license"}] * rung + [set()]
    assert pick(hub, use="research").model == LLAMA


def gpu(memory: int):
    one = Gpu(name="GPU", memory=memory, bf16=True)
    return make_hardware(device="cuda", gpus=(one,), memory=memory, disk=500 * GIB, gflops=60e3)


@pytest.mark.parametrize(("too_large", "model"), [(None, LLAMA), (LLAMA, TINY), (TINY, MIDDLE)])
def test_by_memory(hub, too_large, model):
    """A GPU that just misses one rung ends on the next that is smaller; Mistral is larger than Llama-2."""
    device = gpu(80 * GIB)
    if too_large:
        request = pick(hub, hardware=device).request
        need = estimates.fit(hub.facts(too_large, registry.load().entry(too_large)), request).memory
        device = gpu(need.total)
    chosen = pick(hub, hardware=device)
    assert chosen.model == model
    assert reasons(chosen) == [{"size"}] * LADDER.index(model) + [set()]
    for verdict in chosen.verdicts[:-1]:
        assert "does not fit here" in next(f for f in verdict.findings if f.check == "size").message


@pytest.mark.parametrize(("too_slow", "model"), [(LLAMA, TINY), (TINY, MIDDLE), (MIDDLE, SMALL)])
def test_by_time(hub, too_slow, model):
    """A budget that just misses one rung ends on the next that is faster; Mistral is slower than Llama-2."""
    request = pick(hub).request
    predicted = estimates.fit(hub.facts(too_slow, registry.load().entry(too_slow)), request).seconds
    chosen = pick(hub, max_time=predicted - 1)
    assert chosen.model == model
    assert reasons(chosen) == [{"size"}] * LADDER.index(model) + [set()]
    for verdict in chosen.verdicts[:-1]:
        assert "the time budget is" in next(f for f in verdict.findings if f.check == "size").message


@pytest.fixture
def own_registry(local_hub, tmp_path, monkeypatch) -> str:
    """A registry of the user's own, whose first choice for chats is for research only; and a shell to use it."""
    known = json.loads((ROOT / "model_registry.json").read_text())
    first = next(model for model in known["models"] if model["id"] == TINY)
    acme = {**first, "id": "acme/chat", "canonical": "acme/chat"}
    acme["recorded"] = first["recorded"] | {"license": ["cc-by-nc-4.0"]}
    known["models"].append(acme)
    rules = known["tasks"]["instruction_tuning"]
    for rule in rules["rules"]:
        rule["model"] = "acme/chat"
    rules["ladders"] = {"acme/chat": LADDER}
    path = tmp_path / "registry.json"
    path.write_text(json.dumps(known))
    fill(local_hub, registry.load(path))
    monkeypatch.setenv("TUNEKIT_REGISTRY", str(path))
    monkeypatch.setenv("HF_ENDPOINT", local_hub.endpoint)
    monkeypatch.setenv("HF_TOKEN", local_hub.tokens["you"])
    monkeypatch.setattr("tunekit_hub.hardware.detect", lambda *_: ROOMY)
    return str(ROOT / "examples" / "support_chats.jsonl")


@pytest.mark.parametrize(("use", "model"), [("commercial", LLAMA), ("research", "acme/chat")])
def test_by_license_of_a_model_in_the_users_own_registry(own_registry, capsys, use, model):
    assert main(["recommend", own_registry, "--use", use, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["recommendation"]["model"] == "acme/chat"
    assert told["selection"]["model"] == model
    first = told["selection"]["verdicts"][0]
    license_ = next(finding for finding in first["findings"] if finding["check"] == "license")
    assert first["usable"] == (use == "research")
    assert "rules out commercial use" in license_["message"]
