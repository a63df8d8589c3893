"""Beyond the registry: what the Hub is searched for, who is looked at first, and what becomes of it."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import pytest
from faulty import Fault, faulty
from huggingface_hub.utils import _http
from records import GIB, make_hardware, make_profile, make_request

from tunekit_hub import registry
from tunekit_hub.cli import main
from tunekit_hub.errors import HubUnreachable, NoUsableModel
from tunekit_hub.hub import Hub
from tunekit_hub.hub import connection as hub_connection
from tunekit_hub.localhub import seed
from tunekit_hub.localhub.repos import create_repo, open_repo
from tunekit_hub.recommendation import recommend
from tunekit_hub.records import Lengths
from tunekit_hub.selection import select
from tunekit_hub.verdicts import candidates
from tunekit_hub.verdicts.candidates import Listed, Search

SMALL = "HuggingFaceTB/SmolLM2-135M-Instruct"
CONFIG = registry.load().entry(SMALL).config | {"architectures": ["LlamaForCausalLM"]}
LAPTOP = make_hardware()


@pytest.fixture
def hub(local_hub, monkeypatch) -> Hub:
    """The registry's models without weights, so that no rung of the ladder can be used."""
    monkeypatch.setattr(hub_connection, "_sleep", lambda seconds: None)
    seed.seed_registry(local_hub.storage, registry.load())
    return Hub(local_hub.tokens["you"], local_hub.endpoint, refresh=True)


@pytest.fixture
def add(local_hub):
    """A chat model of somebody's, with weights."""

    def add(name: str, license_: str = "apache-2.0", *, parameters: float = 0.5e9, downloads: int = 10, **front):
        repo = create_repo(local_hub.storage, "model", name)
        card = "".join(f"{key}: {value}\n" for key, value in ({"license": license_} | front).items())
        files = {
            "README.md": f"---\n{card}---\n".encode(),
            "config.json": json.dumps(CONFIG).encode(),
            "tokenizer_config.json": json.dumps({"chat_template": "x"}).encode(),
            "model.safetensors": b"w",
        }
        seed.add_files(repo, files, "start")
        counts = {"parameters": {"BF16": int(parameters)}, "total": int(parameters)}
        repo.update(facts={"downloads": downloads, "safetensors": counts})
        return repo

    return add


def chats(**changes):
    return recommend(make_profile(**changes), "production")


def tried(verdicts) -> list[str]:
    ladder = {chats().model, *chats().ladder}
    return [verdict.model for verdict in verdicts if verdict.model not in ladder]


def test_what_is_found_is_proposed_and_taken_only_on_request(hub, add):
    add("ada/chat", downloads=1200)
    with pytest.raises(NoUsableModel) as caught:
        select(chats(), hardware=LAPTOP, hub=hub)
    assert "others that may be used:\n- `ada/chat`: found on the Hub: 0.5 B parameters" in caught.value.message
    assert "1,200 downloads a month" in caught.value.message
    assert "`--model ada/chat`" in caught.value.hint
    assert "--explore" in caught.value.hint
    assert "nearest is" in caught.value.hint
    assert caught.value.verdicts[-1].usable

    chosen = select(chats(), hardware=LAPTOP, hub=hub, explore=True)
    assert (chosen.model, chosen.repo_id, chosen.named) == ("ada/chat", "ada/chat", False)
    assert chosen.recommendation.model == chats().model
    why = chosen.verdicts[-1].findings[0]
    assert (why.check, why.status) == ("search", "pass")
    assert {"access", "license", "files", "size"} <= {finding.check for finding in chosen.verdicts[-1].findings}
    assert select(chats(), hardware=LAPTOP, hub=hub, model="ada/chat").model == "ada/chat"


def test_a_ladder_that_leads_somewhere_stays_the_choice(hub, add, local_hub):
    add("ada/chat")
    seed.add_files(open_repo(local_hub.storage, "model", SMALL), {"model.safetensors": b"w"}, "weights")
    plain = select(chats(), hardware=LAPTOP, hub=hub)
    assert (plain.model, tried(plain.verdicts)) == (SMALL, [])
    shown = select(chats(), hardware=LAPTOP, hub=hub, explore=True)
    assert (shown.model, tried(shown.verdicts)) == (SMALL, ["ada/chat"])


def test_at_most_five_are_looked_at_the_most_downloaded_first(hub, add):
    for n in range(8):
        add(f"ada/chat-{n}", downloads=n)
    chosen = select(chats(), hardware=LAPTOP, hub=hub, explore=True)
    assert tried(chosen.verdicts) == [f"ada/chat-{n}" for n in (7, 6, 5, 4, 3)]
    assert chosen.model == "ada/chat-7"


def test_what_is_found_goes_through_the_same_checks(hub, add):
    add("ada/first", downloads=99).update(gated="manual")
    add("ada/second", downloads=1)
    chosen = select(chats(), hardware=LAPTOP, hub=hub, explore=True)
    verdicts = {verdict.model: verdict for verdict in chosen.verdicts}
    assert chosen.model == "ada/second"
    assert "ada/first" not in verdicts or not verdicts["ada/first"].usable


@pytest.mark.parametrize(
    "model",
    [
        {"license_": "cc-by-nc-4.0"},
        {"license_": "other"},
        {"parameters": 400e9},
        {"tags": "[gptq]"},
        {"base_model": "ada/x", "base_model_relation": "quantized"},
    ],
)
def test_what_the_list_itself_rules_out_costs_no_check(hub, add, local_hub, model):
    add("ada/unfit", downloads=10_000, **model)
    with pytest.raises(NoUsableModel) as caught:
        select(chats(), hardware=LAPTOP, hub=hub)
    assert "ada/unfit" not in caught.value.message
    assert not [line for line in local_hub.log if "ada/unfit" in line[1]]


def test_encoders_are_searched_as_such(hub, add):
    add("ada/chat")
    rows = make_profile(task="classification", tokens=Lengths(p50=20, p95=40, max=60, total=12_000))
    with pytest.raises(NoUsableModel) as caught:
        select(recommend(rows, ""), hardware=LAPTOP, hub=hub)
    assert "ada/chat" not in caught.value.message


def test_a_search_that_fails_hides_no_verdict_but_is_said(hub, local_hub, monkeypatch):
    # Lists are retried by the client itself.
    monkeypatch.setattr(_http, "time", SimpleNamespace(time=time.time, sleep=lambda seconds: None))
    with faulty(Fault(r"GET /api/models\?", 503), behind=local_hub.endpoint) as server:
        broken = Hub(local_hub.tokens["you"], server.endpoint)
        with pytest.raises(NoUsableModel) as caught:
            select(chats(), hardware=LAPTOP, hub=broken)
        assert "the Hub was not searched for others" in caught.value.hint
        assert "503" in caught.value.hint
        with pytest.raises(HubUnreachable, match="searching the Hub"):
            select(chats(), hardware=LAPTOP, hub=broken, explore=True)


def test_the_users_own_choice_is_not_searched_around(hub, add, local_hub):
    add("ada/chat")
    with pytest.raises(NoUsableModel) as caught:
        select(chats(), hardware=LAPTOP, hub=hub, model=SMALL)
    assert [verdict.model for verdict in caught.value.verdicts] == [SMALL]
    assert select(chats(), hardware=LAPTOP, hub=hub, model=SMALL, explore=True).model == "ada/chat"


def test_an_argument_that_does_not_exist_is_refused(hub):
    with pytest.raises(TypeError, match="exlpore"):
        select(chats(), hub=hub, exlpore=True)


def test_the_command_line_says_and_takes_them(hub, add, local_hub, monkeypatch, capsys, tmp_path):
    add("ada/chat")
    monkeypatch.setenv("HF_ENDPOINT", local_hub.endpoint)
    monkeypatch.setenv("HF_TOKEN", local_hub.tokens["you"])
    monkeypatch.setattr("tunekit_hub.hardware.detect", lambda *_: LAPTOP)
    rows = [{"question": f"What is {n} and {n}?", "answer": f"It is {n + n}."} for n in range(30)]
    data = tmp_path / "rows.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)))
    assert main(["recommend", str(data)]) == 3
    assert "`ada/chat`: found on the Hub" in capsys.readouterr().err
    assert main(["recommend", str(data), "--explore", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["selection"]["model"] == "ada/chat"
    assert told["selection"]["verdicts"][-1]["findings"][0]["check"] == "search"


# the order


def listed(name: str, **changes) -> Listed:
    fields = {"repo_id": name, "parameters": 1_000_000_000, "license": ("mit",), "languages": ("en",)}
    return Listed(**(fields | changes))


def order(*found: Listed, request=None, **profile) -> list[str]:
    ranked = candidates.ranked(
        found, ["Ada/Tried"], make_profile(**profile), request or make_request(max_time=None)
    )
    return [one.repo_id for one in ranked]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({}, {"parameters": 50_000_000, "downloads": 10**9}),  # size fit before all else
        ({}, {"parameters": None, "downloads": 10**9}),
        ({}, {"license": ("llama3.2",), "downloads": 10**9}),
        ({"license": ("llama3.2",)}, {"parameters": 50_000_000}),
        ({}, {"gated": True, "downloads": 10**9}),
        ({}, {"languages": ("de",), "downloads": 10**9}),
        ({"languages": ("multilingual",)}, {"languages": ()}),
        ({"downloads": 2}, {"downloads": 1}),
    ],
)
def test_what_ranks_before_what(better, worse):
    assert order(listed("a/worse", **worse), listed("a/better", **better)) == ["a/better", "a/worse"]


def test_the_domain_of_the_data_ranks_and_other_trades_come_last():
    found = [listed("a/coder-1b", downloads=9), listed("a/plain", downloads=5), listed("a/biomed-lm", downloads=1)]
    assert order(*found) == ["a/plain", "a/coder-1b", "a/biomed-lm"]
    assert order(*found, domain="biomedical")[0] == "a/biomed-lm"


def test_who_was_tried_is_not_tried_again():
    assert order(listed("ada/tried"), listed("ada/new")) == ["ada/new"]


def test_the_size_follows_memory_method_and_time():
    def largest(**changes) -> int:
        return candidates.largest_size(make_request(**({"max_time": None} | changes)))

    assert largest(hardware=make_hardware(memory=16 * GIB)) > 2 * largest()
    assert largest(methods=("qlora",)) > largest(methods=("lora",)) > largest(methods=("full",))
    assert largest(hardware=make_hardware(bf16=False)) < largest()
    assert largest(max_time=60.0) < largest()
    assert largest(hardware=make_hardware(memory=GIB)) == 0


def test_the_data_say_what_to_search_for():
    request = make_request(max_time=None)
    (one,) = candidates.searches(make_profile(), request)
    assert one == Search("text-generation", ("transformers", "safetensors", "conversational"), one.largest)
    more = candidates.searches(make_profile(task="ner", languages=("de",), domain="clinical"), request)
    assert [(s.pipeline_tag, s.language, s.word) for s in more] == [
        ("fill-mask", None, None),
        ("fill-mask", "de", None),
        ("fill-mask", None, "clinical"),
    ]
