"""One local Hub for a session, with tiny base models and runs that were really trained on them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from types import SimpleNamespace

import hubs
import pytest
import records as made
from huggingface_hub.utils import _http
from run_folder import make_run_folder
from shops import CHAT, ENCODER, Shop

from tunekit_hub.hub import Hub
from tunekit_hub.hub import connection as hub_connection


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A chat model with an adapter, in the run folder "chat", and a classifier, in "sorted"."""
    folder = tmp_path_factory.mktemp("shop")
    with hubs.standing(folder) as hub:
        made = Shop(hub, folder)
        _fill(made)
        yield made


def _fill(shop: Shop) -> None:
    """The base models, and the runs."""
    import tiny

    from tunekit_hub import pipeline
    from tunekit_hub.facts import Options

    for repo_id, save in ((CHAT, tiny.save_model), (ENCODER, tiny.save_encoder)):
        hubs.upload(shop.local, repo_id, save(shop.folder / repo_id.replace("/", "-")))
    chats, texts = shop.folder / "chats.jsonl", shop.folder / "opinions.csv"
    chats.write_text("\n".join(json.dumps(row) for row in tiny.chats(40)))
    texts.write_text("text,label\n" + "".join(f"{one.text},{one.labels[0]}\n" for one in tiny.opinions(80)))
    settings = {"epochs": 2, "learning_rate": 5e-3}
    asked = {
        "chat": Options(source=str(chats), model=CHAT, settings=settings, description="colours"),
        "sorted": Options(source=str(texts), model=ENCODER, settings=settings, description="opinions"),
    }
    for name, options in asked.items():
        pipeline.run(options, shop.run_dir(name), hub=shop.hub())


@pytest.fixture
def ada(local_hub) -> Hub:
    return Hub(local_hub.tokens["ada"], local_hub.endpoint)


@pytest.fixture
def you(local_hub) -> Hub:
    return Hub(local_hub.tokens["you"], local_hub.endpoint)


@pytest.fixture
def evaluation(tmp_path):
    return made.make_evaluation(made.make_training(run_dir=str(make_run_folder(tmp_path / "run"))))


@pytest.fixture
def another(tmp_path):
    """Another run, whose card is not the same."""
    recommendation = made.make_recommendation(description="a chatbot for parcels")
    plan = made.make_plan(made.make_selection(recommendation))
    return made.make_evaluation(made.make_training(plan, run_dir=str(make_run_folder(tmp_path / "another"))))


@pytest.fixture
def naps(monkeypatch):
    """No waiting between tries, of ours and of the client's."""
    monkeypatch.setattr(hub_connection, "_sleep", lambda _: None)
    monkeypatch.setattr(_http, "time", SimpleNamespace(time=time.time, sleep=lambda _: None))
