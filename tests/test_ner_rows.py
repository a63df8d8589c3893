"""Tagged sentences: schemes, spans and numbers to IOB2; which rows are used, and what is noted of the others."""

import ast
import json
import random
from functools import partial

import pyarrow as pa
import pytest
import records as made
from samples import REAL_DATA
from task_rows import notes_of, read_twice, refusal, rows_of

from tunekit_hub.errors import DataError
from tunekit_hub.labelled import Tagged
from tunekit_hub.scores.entities import entities
from tunekit_hub.tasks import TASKS, _tag_rows

TASK = TASKS["ner"]
refused = partial(refusal, TASK)


def both(table, **columns):
    """What the profile counts and what is trained on, of the same rows: entities too."""
    match, examined, examples = read_twice(TASK, table, **columns)
    if match.shape != "part-of-speech tags":
        found = [[entity.type for entity in entities(row.tags)] for row in examples.rows]
        assert examined.labels == {
            name: sum(types.count(name) for types in found)
            for name in sorted(
                {name for types in found for name in types},
                key=lambda name: (-sum(types.count(name) for types in found), name),
            )
        }
        assert examined.counts["sentences_without_entities"] == sum(not types for types in found)
        assert examined.counts["entities"] == sum(map(len, found))
    assert examined.counts["tokens"] == sum(len(row.tokens) for row in examples.rows)
    return match, examined, examples


def iob2(tags):
    """The same entities, each begun with `B-` and gone on with `I-`."""
    written = ["O"] * len(tags)
    for entity in entities(tags):
        written[entity.first] = f"B-{entity.type}"
        written[entity.first + 1 : entity.last + 1] = [f"I-{entity.type}"] * (entity.last - entity.first)
    return tuple(written)


def tagged(*sentences):
    """A table of sentences given as `word/tag word/tag`."""
    pairs = [[part.rpartition("/")[::2] for part in sentence.split()] for sentence in sentences]
    return {
        "tokens": [[word for word, _ in pair] for pair in pairs],
        "tags": [[tag for _, tag in pair] for pair in pairs],
    }


IN_WORDS = ["Ada", "Lovelace", "met", "Charles", "in", "New", "York", "City", "Friday"]
IN_IOB2 = ["B-PER", "I-PER", "O", "B-PER", "O", "B-LOC", "I-LOC", "I-LOC", "B-DAY"]


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB2", IN_IOB2),
        ("IOB1", ["I-PER", "I-PER", "O", "I-PER", "O", "I-LOC", "I-LOC", "I-LOC", "I-DAY"]),
        ("IO", ["I-PER", "I-PER", "O", "I-PER", "O", "I-LOC", "I-LOC", "I-LOC", "I-DAY"]),
        ("types", ["PER", "PER", "O", "PER", "O", "LOC", "LOC", "LOC", "DAY"]),
        ("BIOES", ["B-PER", "E-PER", "O", "S-PER", "O", "B-LOC", "I-LOC", "E-LOC", "S-DAY"]),
        ("BILOU", ["B-PER", "L-PER", "O", "U-PER", "O", "B-LOC", "I-LOC", "L-LOC", "U-DAY"]),
        ("BMES", ["B-PER", "E-PER", "O", "S-PER", "O", "B-LOC", "M-LOC", "E-LOC", "S-DAY"]),
        ("IOB2", [tag.replace("-", "_") for tag in IN_IOB2]),
        ("IOB2", [tag.replace("O", "o") if tag == "O" else tag for tag in IN_IOB2]),
    ],
)
def test_every_scheme_becomes_iob2(scheme, tags):
    # Neighbours of one type tell IOB1 from IO; the many words outside are as in real text.
    more = (["I-PER", "B-PER"], ["B-PER", "B-PER"]) if scheme == "IOB1" else ()
    table = {
        "tokens": [IN_WORDS, ["and", "so", "on", "it", "went", "."], *([["Ann", "Bo"]] if more else [])],
        "tags": [tags, ["O"] * 6, *more[:1]],
    }
    match, _, examples = both(table)
    assert match.details["scheme"] == scheme
    assert match.shape == f"{scheme} tags"
    assert examples.rows[0] == Tagged(tuple(IN_WORDS), tuple(IN_IOB2))
    if more:
        assert examples.rows[2].tags == ("B-PER", "B-PER")
    assert not [note for note in examples.notes if note.code != "rare-labels"]


def test_conversion_is_that_of_the_scorer_whatever_the_tags(monkeypatch):
    monkeypatch.setattr(_tag_rows, "_BATCH", 37)
    chance = random.Random(3)
    kinds = [f"{prefix}-{kind}" for prefix in "BIES" for kind in ("A", "B")]
    tags = [["O"] * 4 + chance.choices(["O", *kinds], k=chance.randint(1, 9)) for _ in range(300)]
    _, _, examples = both({"tokens": [[f"w{i}" for i in range(len(one))] for one in tags], "tags": tags})
    assert [row.tags for row in examples.rows] == [iob2(one) for one in tags]


def test_sentences_and_entities_are_counted():
    table = tagged("Ada/B-PER left/O", "it/O rained/O", "in/O New/B-LOC York/I-LOC", "to/O Rome/B-LOC Ada/B-PER")
    _, examined, examples = both(table)
    assert examined.counts == {"sentences": 4, "tokens": 10, "entities": 4, "sentences_without_entities": 1}
    assert examined.labels == {"LOC": 2, "PER": 2}
    assert [TASK.stratum(row) for row in examples.rows] == ["PER", "", "LOC", "LOC PER"]
    assert len(set(examined.keys.tolist())) == 4
    assert not examples.notes


def test_equal_tags_have_equal_keys():
    _, examined, _ = both(tagged("Ada/B-PER left/O", "left/O Ada/B-PER", "Bob/B-PER came/O", "it/O rained/O"))
    keys = examined.keys.tolist()
    assert keys[0] == keys[2]
    assert len(set(keys)) == 3


def test_rows_that_cannot_be_used_are_left_out_and_noted():
    table = {
        "tokens": [["in", "Rome"]] * 12 + [["Rome"], [], None, ["a", "b"], ["a", "b"], ["", "\u200b"]],
        "tags": [["O", "B-LOC"]] * 12 + [["O", "B-LOC"], [], ["O"], ["O", None], ["B-LOC", "LOC!"], ["O", "O"]],
    }
    _, _, examples = both(table)
    assert len(examples.rows) == 12
    assert notes_of(examples) == {"empty": (3, (14, 15, 18)), "lengths": (1, (13,)), "unknown-tags": (2, (16, 17))}
    messages = {note.code: note.message for note in examples.notes}
    assert messages["lengths"] == "1 row not used: it has another number of words than of tags"
    assert messages["unknown-tags"] == "2 rows not used: their tags are none of the scheme (`(none)`, `LOC!`)"


def test_words_of_nothing_go_with_their_tags():
    table = {
        "tokens": [["in", "\u200b", "New", "", "York", " "], ["\ufeff", "Rome", " it "]],
        "tags": [["O", "B-LOC", "I-LOC", "I-LOC", "I-LOC", "O"], ["O", "B-LOC", "O"]],
    }
    _, _, examples = both(table)
    assert examples.rows == [
        Tagged(("in", "New", "York"), ("O", "B-LOC", "I-LOC")),
        Tagged(("Rome", "it"), ("B-LOC", "O")),
    ]
    assert notes_of(examples)["empty-words"] == (2, (1, 2))


def test_entities_that_begin_without_a_beginning_are_noted():
    _, _, examples = both(tagged(*["in/O Rome/B-LOC now/O"] * 5, "in/O Rome/I-LOC now/O"))
    assert examples.rows[5].tags == ("O", "B-LOC", "O")
    assert notes_of(examples) == {"odd-tags": (1, (6,))}


def test_a_type_that_occurs_once_is_noted():
    _, _, examples = both(tagged("Ada/B-PER left/O", "Bob/B-PER met/O Rome/B-LOC"))
    (note,) = examples.notes
    assert (note.code, note.count) == ("rare-labels", 1)
    assert "entity type `LOC` occurs once" in note.message


def test_no_entity_at_all():
    error = refused(tagged("it/O rained/O", "and/O stopped/O"))
    assert "no sentence of `made.jsonl` has an entity" in error.message
    assert "`--column tags=NAME`" in error.hint


def test_entities_is_another_name_of_the_role():
    table = {
        "body": ["Ada met Bob", "in Rome"],
        "marks": ['[[0, 3, "PER"]]', '[[3, 7, "LOC"]]'],
        "spans": ["", ""],
    }
    match, _, _ = both(table, text="body", entities="marks")
    assert match.columns == {"text": "body", "spans": "marks"}


def test_nothing_left():
    table = {"text": ["Ada", "Bob"], "spans": ['[[0, 9, "PER"]]', '[[5, 3, "PER"]]']}
    rows = rows_of(table)
    match = TASK.detect(rows_of({"text": ["Ada"], "spans": ['[[0, 3, "PER"]]']}), {})
    with pytest.raises(DataError, match="a span does not lie within the text") as caught:
        TASK.examine(rows, match)
    assert "(lines 1 and 2)" in caught.value.message


@pytest.mark.parametrize(
    ("tokens", "tags"),
    [
        (pa.array([["in", "Rome"], ["it"]]), pa.array([["O", "B-X"], ["O"]], pa.large_list(pa.large_string()))),
        (["['in', 'Rome']", "['it']"], ["['O', 'B-X']", "['O']"]),
        (['["in", "Rome"]', '["it"]'], ['["O", "B-X"]', '["O"]']),
        (["in Rome", "it"], ["O B-X", "O"]),
        (["['in', 'Rome']", "['it']"], ["O B-X", "O"]),
    ],
)
def test_lists_however_they_are_written(tokens, tags):
    _, _, examples = both(
        {"tokens": tokens, "tags": tags} if isinstance(tokens, pa.Array) else {"a": tokens, "b": tags}
    )
    assert examples.rows[0] == Tagged(("in", "Rome"), ("O", "B-X"))


NUMBERS = [[0, 1, 2, 0, 3], [0, 0, 0, 0, 0], [3, 4, 0, 1, 1], [0, 0, 5, 0, 0]]
FIVE = [list("abcde")] * 4


def test_numbers_that_follow_the_usual_order_are_read_in_pairs():
    match, examined, examples = both({"tokens": FIVE, "ner_tags": NUMBERS})
    assert match.details["scheme"] == "IOB2"
    assert examples.rows[0].tags == ("O", "B-1", "I-1", "O", "B-2")
    assert examples.rows[2].tags == ("B-2", "I-2", "O", "B-1", "B-1")
    assert examined.labels == {"1": 3, "2": 2, "3": 1}
    assert "0 is read as no entity, 1 as the beginning and 2 as the rest" in examples.notes[-1].message


def test_other_numbers_are_types():
    match, _, examples = both({"tokens": FIVE, "tags": [[0, 2, 2, 0, 1], [0] * 5, [0, 0, 0, 3, 4], [0] * 5]})
    assert match.details["scheme"] == "types"
    assert examples.rows[0].tags == ("O", "B-2", "I-2", "O", "B-1")
    assert "any other as its own type" in examples.notes[-1].message


def test_numbers_with_names_in_the_file():
    names = ["B-PER", "I-PER", "O"]
    feature = {"tags": {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "Sequence"}}
    table = pa.table({"tokens": FIVE[:1], "tags": [[2, 0, 1, 2, 9]]})
    told = table.replace_schema_metadata({b"huggingface": json.dumps({"info": {"features": feature}}).encode()})
    match = TASK.detect(rows_of(told), {})
    examples = TASK.parse(rows_of({"tokens": FIVE[:2], "tags": [[2, 0, 1, 2, 2], [2, 0, 1, 2, 9]]}), match)
    assert [row.tags for row in examples.rows] == [("O", "B-PER", "I-PER", "O", "O")]
    assert "(`9?`)" in examples.notes[0].message


def test_parts_of_speech_stand_as_they_are():
    table = tagged("They/PRON left/VERB ./PUNCT", "It/PRON rained/VERB ./PUNCT")
    match, examined, examples = both(table)
    assert match.shape == "part-of-speech tags"
    assert examples.rows[0].tags == ("PRON", "VERB", "PUNCT")
    assert examined.labels == {"PRON": 2, "PUNCT": 2, "VERB": 2}
    assert examined.counts == {"sentences": 2, "tokens": 6}
    assert TASK.stratum(examples.rows[0]) == ""


@pytest.mark.parametrize("numbers", [["Sentence: 1", None, "", "Sentence: 2", None, None], [1, 1, 1, 2, 2, 2]])
def test_a_word_in_each_row(numbers):
    table = {
        "Sentence #": numbers,
        "Word": ["in", "New", "York", "Ada", None, "left"],
        "POS": ["IN", "NNP", "NNP", "NNP", ".", "VBD"],
        "Tag": ["O", "B-geo", "I-geo", "B-per", "O", "O"],
    }
    match, _, examples = both(table)
    assert match.columns == {"tokens": "Word", "tags": "Tag", "sentence": "Sentence #"}
    assert examples.rows == [
        Tagged(("in", "New", "York"), ("O", "B-geo", "I-geo")),
        Tagged(("Ada", "left"), ("B-per", "O")),
    ]
    assert list(examples.lines) == [1, 4]
    assert notes_of(examples)["empty-words"] == (1, (4,))
    pos, _, _ = both(table, tags="POS")
    assert pos.shape == "part-of-speech tags"


TEXT = "Ada  Byron-King met Bob's friend in São Paulo."
SPANS = [(0, 15, "PER"), (20, 23, "PER"), (36, 45, "LOC")]
WORDS = ("Ada", "Byron", "-", "King", "met", "Bob", "'", "s", "friend", "in", "São", "Paulo", ".")
TAGS = ("B-PER", "I-PER", "I-PER", "I-PER", "O", "B-PER", "O", "O", "O", "O", "B-LOC", "I-LOC", "O")


def dicts(start, end, label):
    return [{start: a, end: b, label: c} for a, b, c in SPANS]


def label_studio(**changes):
    result = [
        {"from_name": "l", "type": "labels", "value": {"start": a, "end": b, "text": TEXT[a:b], "labels": [c]}}
        for a, b, c in SPANS
    ]
    return [{"id": 1, "was_cancelled": False, "result": result} | changes]


@pytest.mark.parametrize(
    "row",
    [
        {"text": TEXT, "entities": json.dumps(SPANS)},
        {"text": TEXT, "entities": str(SPANS)},
        {"text": TEXT, "entities": json.dumps({"entities": SPANS})},
        {"text": TEXT, "label": json.dumps(SPANS)},
        {"text": TEXT, "labels": json.dumps(SPANS), "id": 3},
        {"text": TEXT, "entities": dicts("start_offset", "end_offset", "label"), "relations": [], "Comments": []},
        {"text": TEXT, "spans": dicts("start", "end", "label"), "answer": "accept", "_input_hash": 12},
        {
            "text": TEXT,
            "tokens": [{"text": "Ada", "start": 0, "end": 3, "id": 0}],
            "spans": [{**one, "token_start": 0, "token_end": 0} for one in dicts("start", "end", "label")],
        },
        {"sentence": TEXT, "spans": str(dicts("start", "end", "type"))},
        {"id": 1, "data": {"text": TEXT, "meta": "x"}, "annotations": label_studio(), "predictions": []},
        {"text": TEXT, "label": [{"start": a, "end": b, "text": "", "labels": [c]} for a, b, c in SPANS]},
        {"data": {"review": TEXT}, "completions": label_studio()},
        {"text": TEXT, "annotations": json.dumps(label_studio(result=[]) and label_studio())},
    ],
)
def test_spans_of_every_tool(row):
    match, _, examples = both(pa.Table.from_pylist([row]))
    assert match.shape == "character spans"
    assert examples.rows == [Tagged(WORDS, TAGS)]


def spans(*rows, **columns):
    texts, found = zip(*rows, strict=True)
    return both({"text": texts, "spans": [json.dumps(one) for one in found], **columns})


GOOD = (TEXT, SPANS)


def test_annotations_that_nobody_made():
    rows = [
        {"data": {"text": TEXT}, "annotations": label_studio()},
        {"data": {"text": TEXT}, "annotations": label_studio(was_cancelled=True)},
        {"data": {"text": TEXT}, "annotations": label_studio(was_cancelled=True) + label_studio(id=2)},
        {"data": {"text": "Nothing here"}, "annotations": label_studio(result=[])},
        {"data": {"text": TEXT}, "annotations": []},
    ]
    _, _, examples = both(pa.Table.from_pylist(rows))
    assert len(examples.rows) == 3
    assert notes_of(examples) == {"cancelled": (1, (2,)), "not-annotated": (1, (5,))}


def test_rejected_rows_of_prodigy():
    _, _, examples = spans(GOOD, GOOD, GOOD, answer=["accept", "reject", "ignore"])
    assert notes_of(examples) == {"rejected": (2, (2, 3)), "rare-labels": (1, ())}


def test_overlapping_spans_keep_the_longest():
    _, _, examples = spans(
        GOOD,
        ("New York City Hall", [[0, 8, "LOC"], [0, 18, "ORG"], [9, 18, "PER"]]),
        ("New York", [[0, 8, "LOC"], [0, 8, "LOC"]]),
    )
    assert examples.rows[1].tags == ("B-ORG", "I-ORG", "I-ORG", "I-ORG")
    assert examples.rows[2].tags == ("B-LOC", "I-LOC")
    assert notes_of(examples)["overlapping-spans"] == (1, (2,))


def test_spans_with_spaces_are_trimmed_and_those_out_of_range_refused():
    _, _, examples = spans(
        GOOD,
        ("in Rome now", [[2, 8, "LOC"]]),
        ("in Rome", [[3, 8, "LOC"]]),
        ("in Rome", [[7, 3, "LOC"]]),
        ("in Rome", [[-4, 7, "LOC"]]),
        ("in Rome", [[2, 3, "LOC"]]),
        ("in Rome", [[3, "x", "LOC"]]),
        ("", []),
    )
    assert [row.tags for row in examples.rows[1:]] == [("O", "B-LOC", "O"), ("O", "O")]
    assert notes_of(examples) == {
        "spans-out-of-range": (3, (3, 4, 5)),
        "unreadable-spans": (1, (7,)),
        "empty": (1, (8,)),
        "trimmed-spans": (2, (2, 6)),
    }


@pytest.mark.parametrize(
    ("text", "span", "words"),
    [
        ("theUSArmy", (3, 5), ("the", "US", "Army")),
        ("U.S.-based", (0, 4), ("U", ".", "S", ".", "-", "based")),
        ("東京に行く", (0, 2), ("東", "京", "に", "行", "く")),
        ("नई दिल्ली में", (0, 9), ("नई", "दिल्ली", "में")),
        ("a\u200bb Rome", (4, 8), ("a", "b", "Rome")),
        ("mail a_b@c.org", (5, 14), ("mail", "a_b", "@", "c", ".", "org")),
    ],
)
def test_words_are_cut_where_entities_are(text, span, words):
    _, _, examples = spans(GOOD, (text, [[*span, "X"]]))
    row = examples.rows[1]
    assert row.tokens == words
    assert "".join(w for w, t in zip(row.tokens, row.tags, strict=True) if t != "O") == text[slice(*span)].replace(
        " ", ""
    )


def test_snippet_is_python_that_loads_the_published_repo():
    for shape, group in (("IOB2 tags", "entity_group"), ("part-of-speech tags", "entity")):
        profile = made.make_profile(task="ner", shape=shape)
        plan = made.make_plan(made.make_selection(made.make_recommendation(profile)))
        snippet = TASK.snippet(plan, "ada/names")
        ast.parse(snippet)
        assert 'pipeline("token-classification", model="ada/names"' in snippet
        assert f'found["{group}"]' in snippet
        assert ('aggregation_strategy="first"' in snippet) == (group == "entity_group")


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the real data are not on this machine")
def test_entities_of_real_data():
    from tunekit_hub import data

    for name, expected in (
        ("wnut17/wnut17train.conll", 1975),
        ("wnut17/emerging.dev.conll", 836),
        ("wnut17/emerging.test.annotated", 1079),
        ("ncbi_disease/test.tsv", 960),
    ):
        rows = data.read(REAL_DATA / name)
        examined = TASK.examine(rows, TASK.detect(rows, {}))
        assert examined.counts["entities"] == sum(examined.labels.values()) == expected
        assert examined.notes == []
