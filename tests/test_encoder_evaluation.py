"""What is measured of an encoder is what a published pipeline gives, and its mistakes can be looked at."""

from __future__ import annotations

import csv
import json

import encoders
import numpy as np
import pytest
import tiny

from tunekit_hub.labelled import Labelled, Tagged
from tunekit_hub.scores import reload
from tunekit_hub.scores.confusion import confusion, write_picture, write_table
from tunekit_hub.tasks import TASKS

CLASSES = tiny.encoder_plan("classification", "single-label")
TAGS = tiny.encoder_plan("ner", "BIO tags", epochs=10.0, patience=10, learning_rate=5e-3)


def noisy(rows):
    """Every seventh label is wrong."""
    other = {"praise": "blame", "blame": "praise"}
    return [row if i % 7 else Labelled(row.text, (other[row.labels[0]],)) for i, row in enumerate(rows)]


@pytest.fixture(scope="module")
def classified(tmp_path_factory):
    """The run folder, what was measured, the held-out rows, what was told."""
    at, told = tmp_path_factory.mktemp("classified"), []
    base, rows = tiny.save_encoder(at / "base"), tiny.opinions(120)
    held_out = [
        *noisy(tiny.opinions(70, 5)),
        Labelled("we saw it", ("never",)),
        Labelled("good " * 200, ("praise",)),
    ]
    held_out.append(Labelled("good film, write to ada@example.org", ("blame",)))
    encoders.train(CLASSES, base, rows, tiny.opinions(20, 1), at)
    return at, encoders.evaluate(CLASSES, base, rows, held_out, at, told.append), held_out, told


@pytest.fixture(scope="module", params=["bert", "roberta"])
def tagged(request, tmp_path_factory):
    at = tmp_path_factory.mktemp("tagged")
    base, rows = tiny.save_encoder(at / "base", request.param), tiny.sentences(160)
    held_out = [*tiny.sentences(40, 5), Tagged(("we", "saw", "we"), ("O", "O", "B-PERSON"))]
    encoders.train(TAGS, base, rows, tiny.sentences(20, 1), at)
    return at, encoders.evaluate(TAGS, base, rows, held_out, at), held_out


@pytest.mark.slow
def test_a_pipeline_gives_what_was_measured(classified):
    from transformers import pipeline

    at, measured, held_out, _ = classified
    named = pipeline("text-classification", model=str(at / "model"))
    said = [named(row.text, truncation=True)[0] for row in held_out]
    right = sum(one["label"] == row.labels[0] for one, row in zip(said, held_out, strict=True))
    assert measured.tuned.figures["accuracy"].value == pytest.approx(right / len(held_out))
    for one, logits, label in zip(said, measured.outputs.numbers, measured.outputs.texts, strict=False):
        assert one["label"] == label
        assert one["score"] == pytest.approx(np.exp(max(logits)) / np.exp(logits).sum(), abs=1e-4)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")
def test_a_pipeline_finds_the_entities_that_were_measured(tagged):
    from transformers import pipeline

    from tunekit_hub.scores.entities import entities

    at, measured, held_out = tagged
    finds = pipeline("token-classification", model=str(at / "model"), aggregation_strategy="first")
    simple = pipeline("token-classification", model=str(at / "model"), aggregation_strategy="simple")
    for row, tags in zip(held_out, measured.outputs.texts, strict=False):
        text, ends = " ".join(row.tokens), np.cumsum([len(word) + 1 for word in row.tokens])
        expected = [
            (e.type, text[ends[e.first] - len(row.tokens[e.first]) - 1 : ends[e.last] - 1])
            for e in entities(tags.split())
        ]
        found = finds([list(row.tokens)], is_split_into_words=True)[0]
        assert [(one["entity_group"], text[one["start"] : one["end"]].strip()) for one in found] == expected
    assert any(one["entity_group"] == "PLACE" for one in simple("we saw the red town ."))


def check_a_fresh_process(at, measured):
    again = TASKS[measured.job.task].replay(measured.job)
    assert again.texts == measured.outputs.texts
    assert len(again.numbers) == len(measured.job.payload["inputs"])
    gate = reload.gate(measured.job, measured.outputs)
    assert (gate.passed, gate.answers_equal) == (True, True)
    assert set(gate.weights) == {"model.safetensors"}
    assert measured.job.model == str(at / "model")


@pytest.mark.slow
def test_a_fresh_process_predicts_the_same_labels(classified):
    check_a_fresh_process(*classified[:2])


@pytest.mark.slow
def test_a_fresh_process_predicts_the_same_tags(tagged):
    check_a_fresh_process(*tagged[:2])


@pytest.mark.slow
def test_scores_have_intervals_and_a_gain_over_the_hardest_baseline(classified):
    _, measured, held_out, _ = classified
    assert measured.rows == len(held_out)
    assert [score.name for score in measured.baselines] == ["majority", "TF-IDF + logistic regression"]
    for score in (measured.tuned, *measured.baselines):
        assert set(score.figures) == set(TASKS["classification"].measures) - {"micro_f1"}
        assert all(one.low <= one.value <= one.high for one in score.figures.values())
    hardest = max(measured.baselines, key=lambda score: score.figures["macro_f1"].value)
    assert measured.against == hardest.name
    gained = measured.tuned.figures["macro_f1"].value - hardest.figures["macro_f1"].value
    assert measured.gain.value == pytest.approx(gained)
    assert measured.gain.low <= measured.gain.value <= measured.gain.high


@pytest.mark.slow
def test_what_no_model_can_know_is_said(classified):
    notes = [event["message"] for event in classified[3]]
    assert "1 row longer than the model reads, judged by their beginning" in notes
    assert "1 row held out with labels that no row to train on has (`never`), which no model can know" in notes


@pytest.mark.slow
def test_tables_hold_every_label_and_every_row(classified):
    at, measured, held_out, _ = classified
    assert measured.files == ("confusion.png", "confusion.csv", "labels.csv", "mistakes.jsonl")
    with (at / "confusion.csv").open(newline="") as file:
        head, *body = csv.reader(file)
    assert head[1:] == [row[0] for row in body] == ["blame", "never", "praise"]
    assert sum(int(cell) for row in body for cell in row[1:]) == len(held_out)
    assert set(measured.labels) == {"blame", "never", "praise"}
    assert measured.labels["never"].recall == 0.0
    assert (at / "confusion.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_most_confident_mistakes_come_first_and_hold_nothing_personal(classified):
    text = (classified[0] / "mistakes.jsonl").read_text()
    mistakes = [json.loads(line) for line in text.splitlines()]
    sure = [mistake["confidence"] for mistake in mistakes]
    assert sure == sorted(sure, reverse=True)
    assert 0 < len(mistakes) <= 20
    assert all(mistake["true"] != mistake["predicted"] for mistake in mistakes)
    assert "example.org" not in text


@pytest.mark.slow
def test_entities_that_were_missed_are_listed(tagged):
    at, measured, _ = tagged
    assert measured.files == ("labels.csv", "mistakes.jsonl")
    assert measured.tuned.figures["f1"].value > 0.8
    assert measured.against == "word memory"
    mistakes = [json.loads(line) for line in (at / "mistakes.jsonl").read_text().splitlines()]
    person = next(mistake for mistake in mistakes if mistake["type"] == "PERSON")
    assert (person["mistake"], person["entity"], person["times"]) == ("missed", "we", 1)


def test_differences_between_entities_are_told_apart():
    from tunekit_hub.scores.entities import entities
    from tunekit_hub.tasks._encoder_files import _compare

    true = entities(["B-A", "I-A", "O", "B-A", "O", "B-A", "O", "B-A"])
    said = entities(["B-A", "O", "O", "B-B", "O", "B-A", "B-C", "O"])
    assert [kind for kind, _, _ in _compare(true, said)] == ["wrong bounds", "wrong type", "missed", "invented"]


def test_a_picture_of_many_labels_shows_the_most_confused(tmp_path):
    truth = [f"label number {i} with a rather long name" for i in range(40)] * 5
    predicted = [truth[(i + 1) % 40] if i % 40 < 3 else label for i, label in enumerate(truth)]
    found = confusion(truth, predicted)
    write_table(found, tmp_path / "table.csv")
    write_picture(found, tmp_path / "picture.png", of="held-out rows")
    with (tmp_path / "table.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 41
    assert found.table.sum() == len(truth)
    assert int(found.mistakes.sum()) == 2 * sum(a != b for a, b in zip(truth, predicted, strict=True))
    assert (tmp_path / "picture.png").stat().st_size > 10_000


def test_label_names_that_a_font_or_formula_trips_over_are_drawn(tmp_path):
    names = ["$x_1$ and $", "卡丢了", "a" * 90, "snake_case_label_that_goes_on_and_on", ""]
    write_picture(confusion(names, names[::-1]), tmp_path / "picture.png", of="held-out rows")
    assert (tmp_path / "picture.png").exists()
