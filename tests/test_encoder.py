"""Encoders learn, keep their best weights, and leave whole models that any pipeline loads."""

from __future__ import annotations

import json

import encoders
import pytest
import tiny

from tunekit_hub.errors import SupervisionError, TrainingFailed
from tunekit_hub.trainers import _encoder_trainer
from tunekit_hub.trainers.encoder import ENCODER

pytestmark = pytest.mark.slow

CLASSES = tiny.encoder_plan("classification", "single-label", epochs=6.0, patience=6)
TAGS = tiny.encoder_plan("ner", "BIO tags", epochs=10.0, patience=10, learning_rate=5e-3)


@pytest.fixture(params=["bert", "roberta", "distilbert", "deberta-v2"])
def family(request, tmp_path):
    return tiny.save_encoder(tmp_path / "base", request.param)


@pytest.fixture
def base(tmp_path):
    return tiny.save_encoder(tmp_path / "base")


@pytest.mark.parametrize("way", ["full", "lora"])
def test_every_family_learns_labels_and_its_pipeline_names_them(family, tmp_path, way):
    from transformers import pipeline

    plan = CLASSES if way == "full" else tiny.lora(CLASSES)
    _, fitted = encoders.train(plan, family, tiny.opinions(160), tiny.opinions(40, 1), tmp_path)
    assert fitted.validation[-1].loss < 0.9 * fitted.losses[0].loss
    measured = encoders.evaluate(plan, family, tiny.opinions(160), tiny.opinions(60, 2), tmp_path)
    assert measured.tuned.figures["accuracy"].value > 0.85
    with_names = pipeline("text-classification", model=str(tmp_path / "model"))
    assert with_names("the film was good")[0]["label"] == "praise"
    config = json.loads((tmp_path / "model" / "config.json").read_text())
    assert config["id2label"] == {"0": "blame", "1": "praise"}
    assert config["label2id"] == {"blame": 0, "praise": 1}
    assert config["problem_type"] == "single_label_classification"


@pytest.mark.parametrize("way", ["full", "lora"])
def test_every_family_learns_entities(family, tmp_path, way):
    plan = TAGS if way == "full" else tiny.lora(TAGS)
    _, fitted = encoders.train(plan, family, tiny.sentences(160), tiny.sentences(30, 1), tmp_path)
    assert fitted.losses[-1].loss < 0.5 * fitted.losses[0].loss
    measured = encoders.evaluate(plan, family, tiny.sentences(160), tiny.sentences(40, 2), tmp_path)
    assert measured.tuned.figures["f1"].value > 0.8
    assert measured.metric == "f1"


def test_what_is_left_is_the_model_and_nothing_else(base, tmp_path):
    encoders.train(CLASSES, base, tiny.opinions(32), tiny.opinions(8, 1), tmp_path / "run")
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["model"]
    names = {path.name for path in (tmp_path / "run" / "model").iterdir()}
    assert names == {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"}


def test_several_labels_a_text(tmp_path):
    from transformers import pipeline

    base = tiny.save_encoder(tmp_path / "base", "distilbert")
    plan = tiny.encoder_plan("classification", "multi-label", epochs=14.0, learning_rate=2e-3, batch_size=16)
    plan = plan.but(patience=10)
    encoders.train(plan, base, tiny.colours(400), tiny.colours(40, 1), tmp_path)
    measured = encoders.evaluate(plan, base, tiny.colours(400), tiny.colours(60, 2), tmp_path)
    assert measured.tuned.figures["macro_f1"].value > 0.8
    assert json.loads((tmp_path / "model" / "config.json").read_text())["problem_type"].startswith("multi_label")
    named = pipeline("text-classification", model=str(tmp_path / "model"), top_k=None)
    for row, labels in zip(tiny.colours(10, 2), measured.outputs.texts, strict=False):
        assert {one["label"] for one in named(row.text)[0] if one["score"] > 0.5} == set(labels.split())


def test_parts_of_speech_are_scored_by_word(base, tmp_path):
    from tunekit_hub.labelled import Tagged

    plan = tiny.encoder_plan("ner", "part-of-speech tags", epochs=10.0, patience=10, learning_rate=5e-3)
    kinds = {"we": "PRON", "saw": "VERB", "the": "DET", ".": "PUNCT", "red": "ADJ", "blue": "ADJ"}

    def tagged(rows):
        return [Tagged(row.tokens, tuple(kinds.get(word, "NOUN") for word in row.tokens)) for row in rows]

    rows, held_out = tagged(tiny.sentences(100)), tagged(tiny.sentences(30, 2))
    encoders.train(plan, base, rows, held_out[:10], tmp_path)
    measured = encoders.evaluate(plan, base, rows, held_out, tmp_path)
    assert measured.metric == "accuracy"
    assert measured.tuned.figures["accuracy"].value > 0.95
    assert {score.name for score in measured.baselines} == {"majority", "word memory"}
    assert "confusion.png" in measured.files


def test_the_best_weights_are_kept_and_training_stops_when_it_gets_no_better(base, tmp_path):
    """A rate that ruins the weights later: what is saved scores as the best pass did, not as the last."""
    from tunekit_hub.tasks import TASKS
    from tunekit_hub.tasks._encoder import load
    from tunekit_hub.trainers._encoder_validation import validate

    told = []
    plan = CLASSES.but(epochs=40.0, learning_rate=2e-2, patience=2)
    done, fitted = encoders.train(plan, base, tiny.opinions(96), tiny.opinions(40, 1), tmp_path, told.append)
    scores = [(point.score, -point.loss) for point in fitted.validation]
    best = max(range(len(scores)), key=lambda i: scores[i])
    assert fitted.kept_step == fitted.validation[best].step
    assert len(scores) == best + 1 + plan.patience
    assert fitted.stopped_early == "no better on the validation rows for 2 passes"
    assert sum(event["event"] == "validation" for event in told) == len(scores)
    model, _, _ = load(tmp_path / "model", TASKS["classification"].head)
    assert validate(model, done, "macro_f1", "fp32")[1] == pytest.approx(fitted.validation[best].score)
    assert validate(model, done, "macro_f1", "fp32")[0] == pytest.approx(fitted.validation[best].loss, abs=1e-4)


def test_merged_weights_predict_as_the_adapter_did(base, tmp_path, monkeypatch):
    import numpy as np

    from tunekit_hub.tasks import TASKS
    from tunekit_hub.tasks._encoder import load, logits
    from tunekit_hub.trainers import encoder

    before, save = [], encoder.save
    rows = tiny.opinions(20, 3)

    def watched(plan, model, tokenizer, folder):
        assert type(model).__name__.startswith("PeftModel")
        head = TASKS["classification"].head
        labels = encoders.prepare(CLASSES, base, tiny.opinions(20))[0].labels
        before.extend(logits(model, head.encode(tokenizer, rows, labels, 64), 0))
        save(plan, model, tokenizer, folder)

    monkeypatch.setattr(encoder, "save", watched)
    encoders.train(tiny.lora(CLASSES), base, tiny.opinions(64), tiny.opinions(20, 1), tmp_path)
    head = TASKS["classification"].head
    model, tokenizer, labels = load(tmp_path / "model", head)
    after = logits(model, head.encode(tokenizer, rows, labels, 64), 0)
    assert not (tmp_path / "model" / "adapter_config.json").exists()
    assert np.abs(np.array(before) - np.array(after)).max() < 1e-4


@pytest.mark.parametrize("way", ["full", "lora"])
def test_activations_can_be_computed_again(base, tmp_path, way):
    plan = CLASSES if way == "full" else tiny.lora(CLASSES)
    _, plain = encoders.train(plan.but(epochs=1.0), base, tiny.opinions(32), [], tmp_path / "a")
    _, again = encoders.train(
        plan.but(epochs=1.0, checkpointing=True), base, tiny.opinions(32), [], tmp_path / "b"
    )
    assert [point.loss for point in again.losses] == pytest.approx(
        [point.loss for point in plain.losses], abs=1e-3
    )
    assert again.kept_step is None
    assert again.validation == ()


def test_half_precision_trains_float32_weights(base, tmp_path, monkeypatch):
    kind, seen = _encoder_trainer.encoder_trainer(), set()
    step = kind.training_step

    def watched(self, model, *args, **kwargs):
        seen.update(str(weight.dtype) for weight in model.parameters())
        return step(self, model, *args, **kwargs)

    monkeypatch.setattr(kind, "training_step", watched)
    plan = CLASSES.but(precision="bf16")
    _, fitted = encoders.train(plan, base, tiny.opinions(160), tiny.opinions(40, 1), tmp_path)
    assert seen == {"torch.float32"}
    assert fitted.validation[-1].loss < 0.9 * fitted.losses[0].loss


def test_a_checkpoint_in_half_precision_is_trained_in_float32(base, tmp_path):
    from transformers import AutoModel

    from tunekit_hub.tasks import TASKS
    from tunekit_hub.trainers._encoder_model import build

    AutoModel.from_pretrained(base).half().save_pretrained(base)
    done, _, _ = encoders.prepare(CLASSES, base, tiny.opinions(20))
    model = build(CLASSES, base, TASKS["classification"].head, done.labels)
    assert {str(weight.dtype) for weight in model.parameters()} == {"torch.float32"}


def test_a_head_for_other_labels_is_replaced(base, tmp_path):
    from tunekit_hub.labelled import Labelled

    encoders.train(CLASSES, base, tiny.opinions(32), [], tmp_path / "two")
    three = [Labelled(row.text, (row.labels[0] if i % 3 else "other",)) for i, row in enumerate(tiny.opinions(48))]
    encoders.train(CLASSES, tmp_path / "two" / "model", three, [], tmp_path / "three")
    config = json.loads((tmp_path / "three" / "model" / "config.json").read_text())
    assert sorted(config["id2label"].values()) == ["blame", "other", "praise"]


def test_a_time_limit_ends_the_training_and_keeps_what_there_is(base, tmp_path):
    plan = CLASSES.but(epochs=2000.0, time_limit=2.0, patience=10_000)
    _, fitted = encoders.train(plan, base, tiny.opinions(64), tiny.opinions(16, 1), tmp_path)
    assert fitted.stopped_early == "the time limit of 2 s was reached"
    assert 0 < fitted.epochs < 2000
    assert fitted.validation
    assert (tmp_path / "model" / "model.safetensors").exists()


def test_a_loss_that_is_no_number_stops_the_run(base, tmp_path, monkeypatch):
    kind = _encoder_trainer.encoder_trainer()
    loss = kind.compute_loss
    monkeypatch.setattr(kind, "compute_loss", lambda *args, **kwargs: loss(*args, **kwargs) * float("nan"))
    with pytest.raises(TrainingFailed, match="the loss is nan at step 1"):
        encoders.train(CLASSES, base, tiny.opinions(32), [], tmp_path)


def test_the_same_seed_gives_the_same_weights(base, tmp_path):
    losses = [
        encoders.train(CLASSES.but(epochs=1.0), base, tiny.opinions(32), [], tmp_path / name)[1].losses
        for name in ("one", "two")
    ]
    assert losses[0] == losses[1]


def test_one_label_is_nothing_to_learn(base):
    with pytest.raises(SupervisionError, match="have 1 label, `praise`"):
        encoders.prepare(CLASSES, base, tiny.opinions(40)[::2])


def test_lengths_are_those_of_the_model_and_what_it_reads(base):
    from tunekit_hub.labelled import Labelled

    rows = [Labelled("the film was good", ("a",)), Labelled("good " * 30, ("b",))]
    found = ENCODER.lengths(base, CLASSES.selection.recommendation.profile, rows, 20)
    assert (found.max, found.total, found.estimated) == (32, 6 + 20, False)


def test_real_weights_learn_from_few_rows(tmp_path):
    """MiniLM knows what words mean: 48 rows teach it what a random encoder does not learn from them."""
    from tunekit_hub.errors import MissingExtra
    from tunekit_hub.localhub import weights

    try:
        base = weights.from_wheel("sentence-transformers/all-MiniLM-L6-v2").folder
    except MissingExtra as error:
        pytest.skip(error.message)
    plan = CLASSES.but(learning_rate=2e-4, epochs=3.0)
    encoders.train(plan, base, tiny.opinions(48), tiny.opinions(16, 1), tmp_path)
    measured = encoders.evaluate(plan, base, tiny.opinions(48), tiny.opinions(60, 2), tmp_path)
    assert measured.tuned.figures["accuracy"].value > 0.95
