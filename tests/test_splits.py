"""Who is trained on, who chooses the checkpoint, who is held out."""

from __future__ import annotations

from collections import Counter

import pytest

from tunekit_hub.splits import divide

KEYS = [f"row {number}" for number in range(200)]


def test_every_row_is_on_one_side_and_the_share_is_met():
    kept, aside = divide(KEYS, 0.15, seed=1)
    assert sorted(kept + aside) == list(range(200))
    assert len(aside) == 30


def test_the_seed_fixes_the_choice():
    assert divide(KEYS, 0.2, seed=1) == divide(KEYS, 0.2, seed=1)
    assert divide(KEYS, 0.2, seed=1) != divide(KEYS, 0.2, seed=2)


@pytest.mark.parametrize("seed", range(5))
def test_equal_rows_stay_together(seed):
    keys = [f"row {number % 60}" for number in range(200)]
    kept, aside = divide(keys, 0.3, seed)
    assert not {keys[i] for i in kept} & {keys[i] for i in aside}
    assert abs(len(aside) - 60) <= 4


def test_labels_keep_their_shares():
    labels = ["common"] * 150 + ["rare"] * 40 + ["rarest"] * 10
    _, aside = divide(KEYS, 0.2, seed=3, strata=labels)
    assert Counter(labels[i] for i in aside) == {"common": 30, "rare": 8, "rarest": 2}


def test_many_small_labels_add_up_to_the_share():
    labels = [f"label {number % 77}" for number in range(200)]
    kept, aside = divide(KEYS, 0.1, seed=4, strata=labels)
    assert len(aside) in range(18, 23)
    assert {labels[i] for i in kept} == set(labels)


def test_two_different_rows_are_parted_and_equal_ones_are_not():
    assert [len(side) for side in divide(["a", "b"], 0.1, seed=0)] == [1, 1]
    assert divide(["a", "a"], 0.5, seed=0)[1] == []


def test_a_label_with_a_single_row_is_trained_on():
    kept, _ = divide(["a", "b", "c", "d"], 0.5, seed=0, strata=["x", "x", "x", "lonely"])
    assert 3 in kept
