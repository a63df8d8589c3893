"""The loss, as worked by hand; the same however a step is cut into batches."""

from __future__ import annotations

import math
from types import SimpleNamespace

import encoders
import pytest
import tiny

from tunekit_hub.labelled import Labelled
from tunekit_hub.tasks._heads import IGNORED, MULTI, SINGLE, Encoded, Labels
from tunekit_hub.trainers._encoder_loss import MOST, label_weights, summed_loss
from tunekit_hub.trainers._encoder_trainer import encoder_trainer

torch = pytest.importorskip("torch")


def rows(*targets):
    return [Encoded([0], target, 1) for target in targets]


def test_the_rows_of_each_label_weigh_the_same_together():
    weights = label_weights(rows(*[0] * 8, *[1] * 2), Labels(("a", "b"), SINGLE))
    assert weights == pytest.approx([10 / (2 * 8), 10 / (2 * 2)])
    assert 8 * weights[0] + 2 * weights[1] == pytest.approx(10)  # on average a row weighs 1


def test_words_are_weighed_too_and_those_without_a_label_are_not_counted():
    weights = label_weights(rows([IGNORED, 0, 0, 0], [1, IGNORED]), Labels(("O", "B-X", "I-X")))
    assert weights[1] / weights[0] == pytest.approx(3)
    assert all(math.isfinite(weight) for weight in weights)  # `I-X` is in no row


def test_no_label_weighs_more_than_a_bound():
    weights = label_weights(rows(*[0] * 9999, 1), Labels(("a", "b"), SINGLE))
    assert weights[1] / weights[0] <= MOST / 0.5 + 1e-6


def test_several_labels_weigh_by_rows_without_for_each_with():
    labels = Labels(("often", "seldom", "always"), MULTI)
    targets = [[1.0, float(i == 0), 1.0] if i % 2 == 0 else [0.0, 0.0, 1.0] for i in range(8)]
    assert label_weights(rows(*targets), labels) == pytest.approx([1.0, 7.0, 1.0])


def test_the_weighted_loss_is_that_worked_by_hand():
    logits, targets = torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([0, 1])
    one, two = math.log(1 + math.exp(-2)), math.log(1 + math.exp(-1))
    total, number = summed_loss(logits, targets, SINGLE, torch.tensor([0.5, 3.0]))
    assert float(total) == pytest.approx(0.5 * one + 3.0 * two, rel=1e-5)
    assert int(number) == 2
    plain, _ = summed_loss(logits, targets, SINGLE, None)
    assert float(plain) == pytest.approx(one + two, rel=1e-5)


def test_several_labels_weigh_only_where_they_are():
    logits, targets = torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 0.0]])
    total, number = summed_loss(logits, targets, MULTI, torch.tensor([4.0, 4.0]))
    assert float(total) == pytest.approx(4 * math.log(1 + math.exp(-1)) + math.log(1 + math.exp(1)), rel=1e-5)
    assert int(number) == 2


def test_ignored_labels_carry_nothing():
    logits = torch.randn(2, 3, 4)
    total, number = summed_loss(logits, torch.full((2, 3), IGNORED), None, None)
    assert (float(total), int(number)) == (0.0, 0)
    many, none = summed_loss(torch.randn(2, 3), torch.full((2, 3), float(IGNORED)), MULTI, None)
    assert (float(many), int(none)) == (0.0, 0)


@pytest.mark.parametrize("carried", [4, 16])
def test_every_label_counts_alike_whether_its_step_has_few_or_many(carried):
    """Rows of a step are of like length: by the mean alone, words of short sentences would decide."""
    trainer = object.__new__(encoder_trainer())
    trainer.labels_known, trainer.label_weights, trainer.labels_a_step = Labels(("O", "B-X", "I-X")), None, 8.0
    trainer.args = SimpleNamespace(average_tokens_across_devices=False)
    logits = torch.zeros(1, carried, 3, requires_grad=True)
    targets = torch.ones(1, carried, dtype=torch.long)
    loss = trainer.compute_loss(lambda: SimpleNamespace(logits=logits), {"labels": targets}, False, carried)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(math.log(3))
    assert logits.grad[0, 0].tolist() == pytest.approx([1 / 3 / 8, -2 / 3 / 8, 1 / 3 / 8])


@pytest.mark.slow
@pytest.mark.parametrize("weighted", [False, True])
def test_a_step_of_several_batches_has_the_loss_of_one(tmp_path, weighted):
    """Sentences of unlike length: a mean of the batches' means would be another number."""
    base = tiny.save_encoder(tmp_path / "base")
    _without_dropout(base)
    plan = tiny.encoder_plan("ner", "BIO tags", epochs=3.0, class_weights=weighted)
    sentences = tiny.sentences(32)
    losses = []
    for batch, accumulation in ((16, 1), (4, 4), (1, 16)):
        changed = plan.but(batch_size=batch, accumulation=accumulation)
        _, fitted = encoders.train(changed, base, sentences, [], tmp_path / str(batch))
        losses.append([point.loss for point in fitted.losses])
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    assert losses[2] == pytest.approx(losses[0], rel=1e-3)


@pytest.mark.slow
def test_the_first_loss_is_that_of_a_plain_loop(tmp_path):
    from transformers import AutoModelForSequenceClassification, set_seed

    base = tiny.save_encoder(tmp_path / "base")
    _without_dropout(base)
    texts = [Labelled(row.text, row.labels) for row in tiny.opinions(30) if row.labels == ("praise",)]
    texts += [row for row in tiny.opinions(10) if row.labels == ("blame",)]
    plan = tiny.encoder_plan("classification", "single-label", epochs=1.0, batch_size=32, class_weights=True)
    done, fitted = encoders.train(plan, base, texts, [], tmp_path / "run")
    set_seed(plan.seed)
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=2).eval()
    total = 0.0
    for row in done.train:
        with torch.no_grad():
            shares = model(torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
        total -= done.weights[row.labels] * float(shares[row.labels])
    assert len(texts) == 20
    assert fitted.losses[0].loss == pytest.approx(total / len(texts), abs=1e-4)


def _without_dropout(folder):
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    config.save_pretrained(folder)
