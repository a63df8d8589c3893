"""How many rows may carry no loss: said on the command line, held to before the first step."""

from __future__ import annotations

import dataclasses

import click
import pytest
import tiny

import tunekit_hub as tk
from tunekit_hub.cli.options import Share
from tunekit_hub.errors import SupervisionError
from tunekit_hub.facts import Running
from tunekit_hub.labelled import Labelled
from tunekit_hub.splits import Split
from tunekit_hub.trainers import TRAINERS
from tunekit_hub.trainers.encoder import ENCODER


@pytest.mark.parametrize(
    ("written", "share"), [("5%", 0.05), ("0.05", 0.05), (" 12.5% ", 0.125), ("0", 0.0), ("100%", 1.0), ("1", 1.0)]
)
def test_a_share_is_written_either_way(written, share):
    assert Share().convert(written, None, None) == pytest.approx(share)


@pytest.mark.parametrize("written", ["5", "-1%", "101%", "nan", "many", "%", ""])
def test_what_is_no_share_is_refused(written):
    with pytest.raises(click.BadParameter, match=r"write 5% or 0\.05"):
        Share().convert(written, None, None)


class Reached(Exception):
    """The first step would be next."""


@pytest.fixture
def no_training(monkeypatch):
    def fit(*_):
        raise Reached

    for name, trainer in list(TRAINERS.items()):
        monkeypatch.setitem(TRAINERS, name, dataclasses.replace(trainer, fit=fit))


@pytest.mark.slow
def test_it_is_held_to_before_the_first_step(tmp_path, monkeypatch, no_training):
    rows = tiny.chats(30)
    for row in rows[::5]:
        row["messages"][0]["content"] *= 20
    monkeypatch.setattr(tiny, "chats", lambda _: rows)
    hub, plan = tiny.chat_plan(tmp_path, 30)
    plan = plan.but(max_tokens=130)
    with pytest.raises(SupervisionError, match=r"rows would carry no loss .* and 5 % may be") as caught:
        tk.train(plan, tmp_path / "run", hub=hub)
    assert "--max-dropped" in caught.value.hint
    with pytest.raises(Reached):
        tk.train(plan, tmp_path / "run", hub=hub, running=Running(max_dropped=0.5))


@pytest.mark.slow
def test_encoders_are_held_to_it_too(tmp_path):
    plan = tiny.encoder_plan("classification", "single-label")
    base = tiny.save_encoder(tmp_path)
    rows = Split([*tiny.opinions(8), *[Labelled("\u200b" * n, ("praise",)) for n in (1, 2)]], [], [])
    with pytest.raises(SupervisionError, match="2 of 10 rows would carry no loss, and 5 % may") as caught:
        ENCODER.prepare(plan, base, rows)
    assert "`--max-dropped 20%`" in caught.value.hint
    _, record, _ = ENCODER.prepare(plan, base, rows, 0.2)
    assert record.rows == 8
