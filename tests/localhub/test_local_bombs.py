"""Cards and configs that were made to break a reader: they are refused, or read as empty, and nothing hangs."""

from __future__ import annotations

import json

import pytest
from browsing import ask
from huggingface_hub import CommitOperationAdd
from huggingface_hub.utils import get_session

from tunekit_hub.localhub import cards
from tunekit_hub.localhub.repos import open_repo
from tunekit_hub.localhub.seed import add_files

LAUGHS = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 10)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
DOUBLING = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
MERGES = "a: &a {k: v}\n" + "".join(
    f"{name}: &{name}\n  <<: [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BOMBS = {
    "laughs": LAUGHS,
    "doubling": DOUBLING,
    "merges": MERGES,
    "itself": "a: &a [*a]\n",
    "deep": "a: " + "[" * 5000 + "\n",
    "deep but closed": "a: " + "[" * 200 + "]" * 200 + "\n",
    "digits": "a: " + "9" * 10_000 + "\n",
    "hex": "a: 0x" + "f" * 10_000 + "\n",
    "no date": "a: 2024-13-45\n",
    "long": "a: [" + "x," * 200_000 + "x]\n",
}


@pytest.fixture
def hub(local_hub, hf):
    hf("you").create_repo("you/model")
    return local_hub


def put(hub, files: dict[str, bytes]) -> None:
    """Behind the client's back, as an old or a foreign server could have left it."""
    add_files(open_repo(hub.storage, "model", "you/model"), files, "put")


@pytest.mark.parametrize("name", BOMBS)
def test_a_card_that_explodes_is_read_as_empty_everywhere(hub, hf, name):
    put(hub, {"README.md": f"---\n{BOMBS[name]}---\n# Title\n".encode()})
    info = hf().model_info("you/model")
    assert info.card_data is None or "i" not in info.card_data.to_dict()
    assert [m.id for m in hf().list_models()] == ["you/model"]
    for page in ("/", "/you/model"):
        assert ask(hub, "GET", page).status == 200


@pytest.mark.parametrize("name", [name for name in BOMBS if name != "hex"])
def test_such_a_card_is_not_valid(hub, hf, name):
    body = {"content": f"---\n{BOMBS[name]}---\n", "repoType": "model"}
    answer = get_session().post(f"{hub.endpoint}/api/validate-yaml", json=body)
    assert answer.status_code == 400
    assert "not valid YAML" in answer.json()["errors"][0]["message"]


def test_few_aliases_are_fine():
    text = "---\nx: &x [en, de]\nlanguage: *x\n---\n"
    assert cards.validate(text, "model") == ([], [])
    assert cards.front_matter(text)["language"] == ["en", "de"]


def test_what_json_cannot_hold_is_told_as_it_can(hub, hf):
    lines = ["a: .nan", "b: .inf", "c: !!binary aGk=", "d: !!set {x}", "e: 2024-01-02", 'f: "\\ud800"']
    put(hub, {"README.md": "\n".join(["---", *lines, f"g: 0x{'f' * 18}", "---", ""]).encode()})
    said = hf().model_info("you/model").card_data.to_dict()
    assert (said["c"], said["d"], said["e"], said["f"]) == ("hi", ["x"], "2024-01-02", "?")
    config = '{"model_type": "x", "architectures": [NaN], "auto_map": {"a": "\\ud800"}}'
    put(hub, {"config.json": config.encode(), "tokenizer_config.json": b"[" * 100_000})
    assert hf().model_info("you/model").config["architectures"] == [None]


def test_bodies_that_were_made_to_break_a_reader(hub, hf):
    headers = {"authorization": f"Bearer {hf('you').token}"}

    def post(path: str, body: bytes) -> int:
        return get_session().post(f"{hub.endpoint}{path}", headers=headers, content=body).status_code

    assert post("/api/validate-yaml", b"[" * 100_000) == 400
    assert post("/api/models/you/model/commit/main", b'{"key":' * 50_000) == 400
    assert post("/api/models/you/model/discussions", json.dumps({"title": "half \ud800"}).encode()) == 400
    assert post("/api/models/you/model/preupload/main", b'{"files": {"path": 1}}') == 400
    assert post("/api/models/you/model/preupload/main", b'{"files": [{"path": "a", "size": "x"}]}') == 200
    assert post("/you/model.git/info/lfs/objects/batch", b'{"operation": "upload", "objects": [1]}') == 400
    assert get_session().get(f"{hub.endpoint}/api/models/you/model/discussions/{'9' * 5000}").status_code == 501
    hf("you").create_commit("you/model", [CommitOperationAdd("a", b"a")], commit_message="still there")
