"""Whole columns of text against the functions for one text; and fingerprints of any column."""

import random

import numpy as np
import pyarrow as pa
import pytest

from tunekit_hub import text
from tunekit_hub.profiles import fingerprints, text_columns

ALPHABETS = {
    "ascii": "abcXYZ 019  \t\n.,",
    "latin": "aßÄéñ ĳﬁŒ\xa0½ 7",
    "greek": "αΒςΣσ ᾳΐ  9",
    "turkish": "iIİı ğŞ",
    "cjk": "漢字かなカナ한국어　。12",
    "indic": "हिन्दी தமிழ் ไทย 3",
    "odd": "\u1680\u2028\x1c\x85\x0b🙂𠀀\u200b﷽Ａ",
}


def column(texts):
    """In two chunks, the first of which does not begin at its buffer's start."""
    halves = texts[: len(texts) // 2], texts[len(texts) // 2 :]
    chunks = [pa.array(["left out", *half], pa.large_string())[1:] for half in halves]
    return pa.chunked_array(chunks, pa.large_string())


def made(letters, count=2000):
    chance = random.Random(3)
    return ["".join(chance.choices(letters, k=chance.randrange(14))) for _ in range(count)]


def folded(texts):
    return [one for block in text_columns.blocks(column(texts)) for one in text_columns.fold(block).to_pylist()]


@pytest.mark.parametrize("letters", ALPHABETS.values(), ids=ALPHABETS)
def test_a_column_is_folded_as_each_of_its_texts(letters):
    texts = made(letters)
    assert folded(texts) == [text.fold(one) for one in texts]


@pytest.mark.parametrize("letters", [*ALPHABETS.values(), "".join(ALPHABETS.values())], ids=[*ALPHABETS, "all"])
def test_tokens_of_a_column_are_estimated_as_of_each_of_its_texts(letters):
    texts = made(letters)
    assert text_columns.estimate_tokens(column(texts)).tolist() == [text.estimate_tokens(one) for one in texts]


def test_nothing_and_no_value_have_no_tokens():
    assert text_columns.estimate_tokens(pa.chunked_array([], pa.large_string())).size == 0
    assert text_columns.estimate_tokens(pa.array([None, "", "12"], pa.string())).tolist() == [0, 0, 2]


def test_blocks_are_small_whole_and_in_order():
    texts = [str(n) * (n % 50) for n in range(500)] + ["x" * 5000]
    parts = list(text_columns.blocks(column(texts), size=1000))
    assert [one for part in parts for one in part.to_pylist()] == texts
    assert len(parts) > 20
    assert all(text_columns.flat(part)[0].size <= 1000 or len(part) == 1 for part in parts)


@pytest.mark.parametrize(
    "values",
    [
        ["a", "b", "a", "", None, "ab"],
        [1, 2, 1, None, -1],
        [0.5, 1.5, 0.5],
        [True, None, False, True],
        [["a", "b"], ["ab"], ["b", "a"], [], None, ["a", "b"]],
        [{"role": "user", "n": 1}, {"role": "user", "n": 2}, {"role": "user", "n": 1}, None],
        [[{"t": "a"}, {"t": "b"}], [{"t": "b"}, {"t": "a"}], [{"t": "a"}, {"t": "b"}]],
        [b"\xff", b"a", b"\xff"],
    ],
)
def test_equal_values_have_equal_fingerprints_and_others_do_not(values):
    found = fingerprints.of_column(pa.chunked_array([pa.array(values)]))
    assert found.dtype == np.uint64
    for i, one in enumerate(values):
        for j, other in enumerate(values):
            assert (found[i] == found[j]) == (one == other and type(one) is type(other)), (one, other)


def test_fingerprints_do_not_depend_on_how_a_column_is_cut():
    whole = pa.array([[str(n % 7)] * (n % 3) for n in range(100)])
    cut = pa.chunked_array([whole[:13], whole[13:57], whole[57:]])
    assert (fingerprints.of_column(whole) == fingerprints.of_column(cut)).all()


def test_a_million_texts_do_not_collide():
    texts = pa.array(np.arange(1_000_000)).cast(pa.large_string())
    assert np.unique(fingerprints.of_column(texts)).size == 1_000_000
