"""Rows that repeat others, word for word and nearly."""

import random
import re

import numpy as np
import pyarrow as pa
import pytest

from tunekit_hub.profiles import duplicates
from tunekit_hub.profiles.similarity import NEAR, band_keys, near_earlier
from tunekit_hub.tasks import Examined
from tunekit_hub.text import fold

WORDS = [a + b for a in ("ka", "to", "mi", "re", "su", "lo", "ne") for b in ("ran", "bel", "dos", "fim", "gut")]
LONG = "the parcel that I ordered on Monday has not arrived and the tracking page says nothing new since then"


def column(texts):
    return pa.chunked_array([pa.array(texts, pa.large_string())])


def nearest(texts, start=None):
    asked = column(texts)
    return near_earlier(asked, band_keys(asked), start).tolist()


def examined(texts, keys=None):
    lines = np.arange(len(texts)) + 1
    labels = None if keys is None else np.array(keys)
    return Examined(column(texts), lines, np.ones(len(texts), np.int64), (), keys=labels)


def notes(train, test=None):
    return {one.code: one for one in duplicates.find(train, test)}


@pytest.mark.parametrize(
    "other",
    [LONG.upper(), LONG + "!", LONG.replace(" and", ", and"), LONG + " again", "Hello, " + LONG, f"  {LONG}  \n"],
)
def test_texts_that_hardly_differ_are_near(other):
    assert nearest([LONG, "Something else was said here, and nobody listened", other]) == [-1, -1, 0]


@pytest.mark.parametrize(
    "other", [LONG[: len(LONG) // 2], " ".join(reversed(LONG.split())), "", "the parcel", "?!", LONG[::-1]]
)
def test_texts_that_share_words_only_are_not_near(other):
    assert nearest([LONG, other]) == [-1, -1]


def test_chinese_and_japanese_need_no_spaces():
    text = "我想知道我的包裹什么时候可以送到因为我已经等了两个星期了"
    assert nearest([text, text + "吗", "今天的天气很好我们一起去公园散步吧你觉得怎么样"]) == [-1, 0, -1]


def test_only_rows_from_a_place_on_are_looked_up_among_those_before_it():
    assert nearest([LONG, LONG + " now", "other words stand here today", LONG + "."], start=2) == [-1, -1, -1, 0]
    assert nearest(["some other words stand here", LONG, LONG + " now"], start=1) == [-1, -1, -1]


def test_against_comparing_all_with_all():
    chance = random.Random(5)
    texts = []
    for _ in range(600):
        if texts and chance.random() < 0.5:
            words = chance.choice(texts).split()
            for _ in range(chance.choice((0, 1, 1, 2, 4))):
                words[chance.randrange(len(words))] = chance.choice(WORDS)
            texts.append(" ".join(words))
        else:
            texts.append(" ".join(chance.choices(WORDS, k=chance.randrange(8, 60))))
    sets = [shingles(one) for one in texts]
    found = nearest(texts)
    assert all(similarity(sets[i], sets[j]) >= NEAR for i, j in enumerate(found) if j >= 0)
    true = {i for i in range(600) if any(similarity(sets[i], sets[j]) >= NEAR for j in range(i))}
    missed = true - {i for i, j in enumerate(found) if j >= 0}
    assert len(true) > 100
    assert len(missed) <= len(true) / 50


def shingles(text):
    words = re.findall("[a-z]+", fold(text))
    return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


def similarity(one, other):
    return len(one & other) / len(one | other)


def test_equal_rows_are_not_counted_as_near_ones():
    found = notes(examined([LONG, LONG.title(), LONG + " now", LONG]))
    assert found["duplicates"].lines == (2, 4)
    assert found["near-duplicates"].lines == (3,)


def test_labels_that_contradict_the_first_row_of_a_text():
    found = notes(examined(["a b", "A  b", "c", "a b", "a b"], keys=[0, 0, 1, 1, 0]))
    assert found["duplicates"].count == 3
    assert found["label-conflicts"].lines == (4,)
    assert "label-conflicts" not in notes(examined(["a b", "A  b"]))


def test_a_clean_file_has_no_note():
    train = examined([LONG, "Quite another text", ""])
    assert notes(train, examined(["A third one that is new", "and a fourth"])) == {}


def test_rows_of_the_test_file():
    test = examined(["new words only, nothing else", LONG.upper(), LONG + " now"])
    found = notes(examined(["first of all", LONG, "last of all"]), test)
    assert found["leakage"].lines == (2,)
    assert "left out of training" in found["leakage"].message
    assert found["near-leakage"].lines == (3,)


def test_of_very_many_rows_an_even_sample_is_compared_and_that_is_said(monkeypatch):
    monkeypatch.setattr(duplicates, "MOST", 10)
    texts = [f"{a} {b} {a} {b}" for a in WORDS for b in WORDS][:40]
    found = notes(examined([*texts, texts[0]]))
    assert found["duplicates"].lines == (41,)
    assert "an even sample of 10 of 40 rows" in found["near-duplicates"].message
