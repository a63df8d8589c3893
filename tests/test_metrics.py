"""Scores against scikit-learn and against hand-worked cases; intervals that mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from tunekit_hub.scores.metrics import (
    count_entities,
    count_labels,
    count_tags,
    figures,
    gain,
    label_scores,
    measures,
)


def scored(counts):
    return {name: float(values[0]) for name, values in measures(counts.sums).items()}


@pytest.fixture
def some_labels():
    random = np.random.default_rng(3)
    truth = random.choice(["a", "b", "c", "d"], 200, p=[0.6, 0.2, 0.15, 0.05])
    predicted = np.where(random.random(200) < 0.7, truth, random.choice(["a", "b", "c", "d"], 200))
    return [(str(t),) for t in truth], [(str(p),) for p in predicted]


def test_single_labels_are_scored_as_scikit_learn_does(some_labels):
    from sklearn.metrics import accuracy_score, precision_recall_fscore_support

    truth, predicted = some_labels
    found = scored(count_labels(truth, predicted, ["a", "b", "c", "d"]))
    flat = [t for (t,) in truth], [p for (p,) in predicted]
    precision, recall, f1, _ = precision_recall_fscore_support(*flat, average="macro")
    assert found["accuracy"] == pytest.approx(accuracy_score(*flat))
    assert found["macro_precision"] == pytest.approx(precision)
    assert found["macro_recall"] == pytest.approx(recall)
    assert found["macro_f1"] == pytest.approx(f1)
    assert found["micro_f1"] == pytest.approx(found["accuracy"])


def test_several_labels_are_scored_as_scikit_learn_does():
    from sklearn.metrics import f1_score
    from sklearn.preprocessing import MultiLabelBinarizer

    truth = [("a", "b"), ("b",), (), ("c", "a"), ("c",)]
    predicted = [("a",), ("b", "c"), (), ("a", "c"), ("b",)]
    found = scored(count_labels(truth, predicted, ["a", "b", "c"]))
    names = MultiLabelBinarizer(classes=["a", "b", "c"])
    tables = names.fit_transform(truth), names.transform(predicted)
    assert found["accuracy"] == pytest.approx(2 / 5)  # rows whose labels are exactly right
    assert found["macro_f1"] == pytest.approx(f1_score(*tables, average="macro"))
    assert found["micro_f1"] == pytest.approx(f1_score(*tables, average="micro"))


def test_a_label_that_no_row_has_is_in_no_mean():
    found = scored(count_labels([("a",), ("b",)], [("a",), ("c",)], ["a", "b", "c"]))
    assert found["macro_f1"] == pytest.approx((1 + 0) / 2)


def test_entities_are_found_only_whole():
    truth = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    predicted = [["B-PER", "O", "O", "I-LOC"], ["B-LOC", "B-PER"]]
    counts = count_entities(truth, predicted, ["LOC", "PER"])
    found = scored(counts)
    assert (found["precision"], found["recall"]) == pytest.approx((2 / 4, 2 / 3))
    assert found["f1"] == pytest.approx(2 * 2 / (4 + 3))
    by_type = label_scores(counts)
    assert list(by_type) == ["LOC", "PER"]  # the most frequent first
    assert (by_type["LOC"].f1, by_type["LOC"].rows) == (1.0, 2)
    assert (by_type["PER"].precision, by_type["PER"].recall, by_type["PER"].rows) == (0.0, 0.0, 1)


def test_parts_of_speech_are_counted_by_word():
    found = scored(count_tags([["N", "V"], ["N"]], [["N", "N"], ["N"]], ["N", "V"]))
    assert found["accuracy"] == pytest.approx(2 / 3)


def test_nothing_predicted_is_zero_and_no_warning():
    assert scored(count_entities([["B-PER"]], [["O"]], ["PER"]))["f1"] == 0.0


def test_intervals_hold_the_value_and_are_the_same_for_the_same_seed(some_labels):
    counts = count_labels(*some_labels, ["a", "b", "c", "d"])
    (one, _), (two, _) = figures([counts, counts], 5)
    assert one == two
    assert all(figure.low <= figure.value <= figure.high for figure in one.values())
    assert one != figures([counts], 6)[0][0]


def test_an_interval_is_that_of_a_plain_bootstrap(some_labels):
    truth, predicted = some_labels
    found = figures([count_labels(truth, predicted, ["a", "b", "c", "d"])], 0)[0][0]["accuracy"]
    right = np.array([t == p for t, p in zip(truth, predicted, strict=True)])
    again = np.random.default_rng(1).choice(right, (4000, 200)).mean(axis=1)
    assert (found.low, found.high) == pytest.approx(np.percentile(again, [2.5, 97.5]), abs=0.011)


def test_a_gain_is_paired_by_row(some_labels):
    """Two contenders that err on the same rows differ by nothing in every resample."""
    truth, predicted = some_labels
    found = figures([count_labels(truth, predicted, ["a", "b", "c", "d"])] * 2, 0)
    same = gain(*found, "macro_f1")
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    better = figures([count_labels(truth, said, ["a", "b", "c", "d"]) for said in (truth, predicted)], 0)
    assert gain(*better, "accuracy").low > 0


def test_one_row_has_an_interval_too():
    assert figures([count_labels([("a",)], [("a",)], ["a"])], 0)[0][0]["macro_f1"].value == 1.0
