"""Every endpoint, called by somebody else: nobody sees, stops, publishes or deletes another visitor's runs."""

from __future__ import annotations

import asyncio
import json

import pytest
from calls import Caller

SECRET = "the-word-that-only-your-data-hold"
ROWS = "".join(f'"{SECRET} number {n} is here again",{"red" if n % 2 else "blue"}\n' for n in range(30))
READ_ONLY = {"profile", "recommend", "check", "plan"}


@pytest.fixture(scope="module")
def caller(space):
    """`caller(cookie)`: a program with that session."""
    made: list[Caller] = []

    def caller(cookie: str = "") -> Caller:
        made.append(Caller(space.url, cookie))
        return made[-1]

    yield caller
    for one in made:
        one.client.close()


@pytest.fixture(scope="module")
def you(caller, cookie):
    return caller(cookie("you"))


@pytest.fixture(scope="module")
def yours(you) -> dict[str, str]:
    """The handle of an upload, and a run made from it; both "you"'s."""
    upload = next(one for one in you.events() if one["targets"] and one["targets"][0][1] == "upload")
    sent = you.upload(f"{SECRET}.csv", f"text,label\n{ROWS}".encode())
    shown = you.call(upload, you.inputs(upload, {"upload": sent}))
    assert SECRET in shown, shown
    handle = next(part for part in shown.replace('"', " ").split() if part.startswith("upload-"))
    start = _event(you, "start")
    values = {"source": handle, "description": SECRET, "use": "commercial", "hardware": "this machine"}
    said = you.call(start, you.inputs(start, values))
    lines = [json.loads(line[5:]) for line in said.splitlines() if line.startswith("data:")]
    done = next(line for line in lines if line["msg"] == "process_completed")
    assert done["success"], said
    return {"source": handle, "run": done["output"]["data"][0]}


def _event(caller: Caller, name: str) -> dict:
    """The event of the button with this id."""
    parts = {part["id"]: part["props"].get("elem_id") for part in caller.config["components"]}
    return next(
        one for one in caller.events() if any(parts.get(t[0]) == name and t[1] == "click" for t in one["targets"])
    )


@pytest.mark.parametrize("who", ["ada", "a guest", "a forger"])
def test_no_endpoint_gives_away_or_touches_what_is_anothers(who, caller, cookie, you, yours):
    sessions = {"ada": lambda: cookie("ada"), "a guest": lambda: "", "a forger": lambda: cookie("you", "a guess")}
    other = caller(sessions[who]())
    values = {
        **yours,
        "description": "x",
        "use": "commercial",
        "hardware": "this machine",
        "repo": "you/stolen",
        "push-to": "you/stolen",
        "asked": "hello",
    }
    clicks = [{"action": action, "value": yours["run"]} for action in ("open", "delete", "use", "accept")]
    clicks.append({"action": "example", "value": yours["source"]})
    answered = 0
    for event in other.events():
        clicked = any(target[1] == "click" for target in event["targets"])
        for said in clicks if clicked else [None]:
            answer = other.call(event, other.inputs(event, values), said)
            assert SECRET not in answer, event["api_name"]
            answered += 1
    assert answered > 40
    for name in READ_ONLY - {"check"}:
        given = {"profile": [yours["source"], "", ""]}.get(name, [yours["source"], "", "commercial", "", ""])
        assert SECRET not in json.dumps(other.named(name, *given))
    # The run is still there, and nobody has stopped it.
    assert SECRET in you.call(_event(you, "refresh"), [])
    state = _state_of(you, yours["run"])
    assert SECRET in state
    assert "cancelled" not in state
    assert "stolen" not in state


def _state_of(caller: Caller, run: str) -> str:
    """What the page shows of a run when its address is opened."""
    load = [one for one in caller.events() if any(target[1] in ("load", "success") for target in one["targets"])]
    return "".join(caller.call(one, [run]) for one in load if len(one["inputs"]) == 1)


def test_foreign_words_for_an_unknown_run_are_the_same_as_for_anothers(caller, cookie, yours):
    ada = caller(cookie("ada"))
    stop = _event(ada, "stop")
    theirs, unknown = (ada.call(stop, [run]).replace(run, "") for run in (yours["run"], "0123456789abcdef"))
    assert _message(theirs) == _message(unknown) != ""


def _message(told: str) -> str:
    lines = [json.loads(line[5:]) for line in told.splitlines() if line.startswith("data:")]
    done = next(line for line in lines if line["msg"] == "process_completed")
    assert not done["success"]
    return done["output"]["error"]


@pytest.mark.parametrize("source", ["/etc/passwd", "../../x.csv", "file:///etc/passwd", "http://127.0.0.1/x.csv"])
def test_paths_and_addresses_are_no_data(source, caller, cookie):
    said = caller(cookie("ada")).named("profile", source, "", "")
    assert said["error"]
    assert "root:" not in json.dumps(said)


def test_the_api_is_the_four_calls_that_only_look(caller):
    names = set(caller().client.get("/gradio_api/info").json()["named_endpoints"])
    assert names == {f"/{name}" for name in READ_ONLY}


def test_a_call_without_a_page_answers(caller):
    guest = caller()
    found = guest.named("recommend", "example-chat", "production support chatbot", "commercial", "", "")
    assert found["recommendation"]["model"] == "meta-llama/Llama-2-7b-chat-hf"
    assert found["selection"]["model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert {verdict["model"] for verdict in found["verdicts"]} > {"mistralai/Mistral-7B-Instruct-v0.2"}
    checked = guest.named("check", "mistralai/Mistral-7B-Instruct-v0.2", "research", "24GB")
    assert [verdict["usable"] for verdict in checked["verdicts"]] == [False]  # there are no weights at this Hub
    planned = guest.named("plan", "example-classification", "", "commercial", "", "")
    assert planned["model"] == "sentence-transformers/all-MiniLM-L6-v2"
    assert planned["reasons"]
    assert guest.named("profile", "example-ner", "", "")["task"] == "ner"


def test_mcp_lists_exactly_these_tools(space):
    mcp = pytest.importorskip("mcp")
    from mcp.client.streamable_http import streamable_http_client

    async def tools():
        async with (
            streamable_http_client(f"{space.url}/gradio_api/mcp/") as (reading, writing, _),
            mcp.ClientSession(reading, writing) as session,
        ):
            await session.initialize()
            return (await session.list_tools()).tools

    found = asyncio.run(tools())
    assert {tool.name for tool in found} == {f"space_{name}" for name in READ_ONLY}  # of the Space `you/space`
    for tool in found:
        assert tool.description
        assert "request" not in tool.inputSchema["properties"]
