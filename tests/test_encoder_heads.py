"""Rows become a model's input and its output becomes labels, with nothing lost without being counted."""

from __future__ import annotations

import encoders
import numpy as np
import pytest
import tiny

from tunekit_hub.labelled import Labelled, Tagged
from tunekit_hub.tasks import _sequence_head, _token_head
from tunekit_hub.tasks._heads import IGNORED, MULTI, SINGLE, Labels

NAMES = Labels(("O", "B-PLACE", "I-PLACE"))
TAGS = tiny.encoder_plan("ner", "BIO tags")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    at = tmp_path_factory.mktemp("bases")
    return {name: tiny.save_encoder(at / name, name) for name in ("bert", "roberta", "deberta-v2")}


def encode(folder, *words, tags=None, limit=64):
    tokenizer = _token_head.HEAD.load_tokenizer(folder)
    row = Tagged(words, tags or ("O",) * len(words))
    return tokenizer, _token_head.HEAD.encode(tokenizer, [row], NAMES, limit)[0]


def test_entity_labels_come_in_pairs_after_o():
    rows = [Tagged(("a", "b"), ("B-PLACE", "O")), Tagged(("c",), ("I-DATE",))]
    names = _token_head.HEAD.label_names(rows, None)
    assert names == ["O", "B-DATE", "I-DATE", "B-PLACE", "I-PLACE"]


def test_parts_of_speech_are_labels_as_they_are():
    rows = [Tagged(("a", "b", "c"), ("VERB", "O", "NOUN"))]
    assert _token_head.HEAD.label_names(rows, None) == ["NOUN", "O", "VERB"]


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
def test_a_label_stands_on_the_first_token_of_its_word(folders, family):
    tokenizer, row = encode(folders[family], "we", "Townsend", "saw", tags=("O", "B-PLACE", "O"))
    pieces = tokenizer.convert_ids_to_tokens(row.input_ids)
    labelled = [place for place, target in enumerate(row.labels) if target != IGNORED]
    assert [row.labels[place] for place in labelled] == [0, 1, 0]
    assert list(row.places) == labelled
    assert row.trained == 3
    assert row.labels[0] == row.labels[-1] == IGNORED
    between = pieces[labelled[1] : labelled[2]]
    assert len(between) > 1  # the word has several tokens, and one label


@pytest.mark.parametrize("family", ["bert", "roberta", "deberta-v2"])
def test_words_in_a_list_are_read_as_in_running_text(folders, family):
    tokenizer, row = encode(folders[family], "we", "saw", "it")
    assert row.input_ids == tokenizer("we saw it")["input_ids"]


def test_a_word_without_a_token_is_kept_and_outside(folders):
    _, row = encode(folders["bert"], "we", "", "\u200b", "saw")
    assert [place is None for place in row.places] == [False, True, True, False]
    logits = np.zeros((len(row.input_ids), 3))
    logits[:, 1] = 1
    assert _token_head.HEAD.decode(logits, row, NAMES) == ("B-PLACE", "O", "O", "B-PLACE")


def test_an_entity_goes_on_over_a_word_without_a_token(folders):
    _, row = encode(folders["bert"], "we", "", "saw", "", "it")
    logits = np.zeros((len(row.input_ids), 3))
    for word, label in ((0, 1), (2, 2), (4, 0)):
        logits[row.places[word], label] = 1
    assert _token_head.HEAD.decode(logits, row, NAMES) == ("B-PLACE", "I-PLACE", "I-PLACE", "O", "O")


def test_a_long_sentence_is_cut_and_counted_and_its_truth_stays(folders):
    words = ("we", "saw") * 10
    tokenizer, row = encode(folders["bert"], *words, tags=("B-PLACE", "O") * 10, limit=12)
    assert (len(row.input_ids), row.lost, row.trained) == (12, 10, 10)
    assert tokenizer.convert_ids_to_tokens(row.input_ids)[-1] == "[SEP]"
    said = _token_head.HEAD.decode(np.eye(3)[[1] * 12], row, NAMES)
    assert said == ("B-PLACE",) * 10 + ("O",) * 10
    counts = _token_head.HEAD.count([Tagged(words, ("B-PLACE", "O") * 10)], [said], NAMES)
    assert counts.sums[0].tolist() == [10, 20, 5, 10, 10]  # right, words; found, predicted, true


def test_a_text_is_cut_and_counted(folders):
    tokenizer = _sequence_head.HEAD.load_tokenizer(folders["bert"])
    labels = Labels(("a", "b"), SINGLE)
    short, long = _sequence_head.HEAD.encode(
        tokenizer, [Labelled("we saw", ("b",)), Labelled("we " * 30, ("a",))], labels, 10
    )
    assert (short.labels, short.lost, len(short.input_ids)) == (1, 0, 4)
    assert (long.labels, long.lost, len(long.input_ids)) == (0, 22, 10)
    assert tokenizer.convert_ids_to_tokens(long.input_ids)[-1] == "[SEP]"


def test_labels_the_model_does_not_know_carry_no_loss(folders):
    tokenizer = _sequence_head.HEAD.load_tokenizer(folders["bert"])
    row = _sequence_head.HEAD.encode(tokenizer, [Labelled("we", ("new",))], Labels(("a",), SINGLE), 10)[0]
    assert (row.labels, row.trained) == (IGNORED, 0)


def test_several_labels_are_those_likelier_than_not(folders):
    tokenizer = _sequence_head.HEAD.load_tokenizer(folders["bert"])
    labels = Labels(("a", "b", "c"), MULTI)
    row = _sequence_head.HEAD.encode(tokenizer, [Labelled("we", ("a", "c"))], labels, 10)[0]
    assert row.labels == [1.0, 0.0, 1.0]
    assert _sequence_head.HEAD.decode(np.array([0.1, -3.0, 2.0]), row, labels) == ("a", "c")
    assert _sequence_head.HEAD.decode(np.array([-0.1, -3.0, -2.0]), row, labels) == ()


def test_the_proof_shows_which_tokens_carry_a_label(folders):
    rows = [Tagged(("we", "saw", "towns"), ("O", "O", "B-PLACE"))]
    _, record, proof = encoders.prepare(TAGS, folders["bert"], rows)
    lines = [line.split() for line in proof.splitlines()]
    assert ["town", "B-PLACE"] in lines
    assert ["##s", "·"] in lines
    assert (record.rows, record.trained_tokens, record.tokens, record.eos_rows) == (1, 3, 6, None)


def test_rows_that_carry_no_loss_are_dropped_with_the_reason(folders):
    plan = tiny.encoder_plan("classification", "single-label")
    rows = [*tiny.opinions(40), Labelled("\u200b", ("praise",))]
    done, record, _ = encoders.prepare(plan, folders["bert"], rows)
    assert (record.rows, len(done.train)) == (40, 40)
    assert record.dropped == {"the model's tokenizer finds nothing to read in the text": 1}


def test_cut_rows_are_counted_in_the_record(folders):
    plan = tiny.encoder_plan("classification", "single-label", max_tokens=8)
    rows = [*tiny.opinions(40), Labelled("we saw " * 10, ("praise",))]
    _, record, _ = encoders.prepare(plan, folders["bert"], rows)
    assert record.truncated >= 1
    assert record.lost_tokens >= 14
    assert record.lengths.max == 22
