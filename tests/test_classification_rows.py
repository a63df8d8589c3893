"""Rows of classification data: which are used, how their labels are read, and what is noted of the others."""

import ast
import json
from functools import partial

import pyarrow as pa
import pytest
import records as made
from task_rows import TEXTS, notes_of, read_twice, refusal, rows_of

from tunekit_hub.labelled import Labelled
from tunekit_hub.tasks import TASKS, _labels

TASK = TASKS["classification"]
both, refused = partial(read_twice, TASK), partial(refusal, TASK)


def labels_of(examples):
    return [row.labels for row in examples.rows]


def test_texts_and_labels_are_trimmed_and_kept_as_they_are():
    _, examined, examples = both({"text": [f" {text}\n" for text in TEXTS], "label": [" ham", "spam "] * 4})
    assert examples.rows[0] == Labelled(TEXTS[0], ("ham",))
    assert examined.labels == {"ham": 4, "spam": 4}
    assert examined.counts == {"labels": 2}
    assert examined.tokens[0] == 13
    assert TASK.stratum(examples.rows[0]) == "ham"


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        ([0, 1] * 4, ["0", "1"]),
        (["1", "5"] * 4, ["1", "5"]),
        ([True, False] * 4, ["true", "false"]),
        (["True", "False"] * 4, ["True", "False"]),
        ([1.0, 2.0] * 4, ["1", "2"]),
        (["1.0", "2.0"] * 4, ["1", "2"]),
        ([0.5, 1.5] * 4, ["0.5", "1.5"]),
        (pa.array(["a", "b"] * 4).dictionary_encode(), ["a", "b"]),
    ],
)
def test_numbers_and_truth_values_are_labels_as_text(labels, read):
    _, _, examples = both({"text": TEXTS, "label": labels})
    assert labels_of(examples)[:2] == [(one,) for one in read]


def test_rows_without_text_or_label_are_left_out_and_noted():
    texts = [*TEXTS, "", None, "  ", "no label", "none here"]
    labels = ["a", "b"] * 4 + ["a", "b", "a", None, " "]
    _, examined, examples = both({"text": texts, "label": labels})
    assert notes_of(examples) == {"empty-text": (3, (9, 10, 11)), "empty-label": (2, (12, 13))}
    assert [note.message for note in examples.notes] == [
        "3 rows not used: they have no text",
        "2 rows not used: they have no label",
    ]
    assert sum(examined.labels.values()) == 8


def test_labels_that_are_rare_or_alike_are_noted_and_not_merged():
    labels = ["Ham", "ham", "spam", "spam", "ham", "odd one", "odd-one", "spam"]
    _, examined, examples = both({"text": TEXTS, "label": labels})
    assert len(examined.labels) == 5
    found = notes_of(examples)
    assert found["rare-labels"] == (3, (1, 6, 7))
    alike = [note.message for note in examples.notes if note.code == "similar-labels"]
    assert alike == [
        "labels `Ham`, `ham` differ in case or spacing only; they count as different labels",
        "labels `odd one`, `odd-one` differ in case or spacing only; they count as different labels",
    ]


def test_one_label_tells_nothing_apart():
    assert refused({"text": TEXTS, "label": ["spam"] * 8}).message == (
        "all 8 rows have the label `spam`; nothing to tell apart"
    )
    assert "the only row has" in refused({"text": TEXTS[:1], "label": ["a"]}).message


def test_a_test_file_may_have_one_label():
    match = TASK.detect(rows_of({"text": TEXTS, "label": ["a", "b"] * 4}), {})
    assert TASK.examine(rows_of({"text": TEXTS[:1], "label": ["a"]}), match).labels == {"a": 1}


def test_nothing_left():
    error = refused({"text": ["", "", "x y z"], "label": ["a", "b", ""]}, text="text", label="label")
    assert "2 rows not used: they have no text (lines 1 and 2); 1 row not used: it has no label (line 3)" in (
        error.message
    )
    assert "`--column text=NAME`" in error.hint


@pytest.mark.parametrize(
    ("values", "separator"),
    [
        (["python|pandas", "python|numpy", "pandas", "numpy"], "|"),
        (["a;b", "b;c", "a", "c"], ";"),
        (["red, green", "green, blue", "blue", "red"], ","),
        (["Games, Toys", "Home, Garden", "Books", "Music"], None),
        (["Games, Toys", "Games", "Books", "Music"], None),
        (["Toys, Games", "Home, Garden", "Patio, Lawn", "Sports, Outdoors"], None),
        (["a/b", "b/c", "a", "c"], None),
        (["spam", "ham"], None),
    ],
)
def test_what_separates_labels(values, separator):
    assert _labels.find_separator(values) == separator


def test_separated_labels():
    tags = ["python|pandas", "python| numpy", "pandas", "go", "go|", "numpy", "python|python", "numpy|pandas"]
    match, examined, examples = both({"text": TEXTS, "tags": tags})
    assert (match.shape, match.details) == ("multi-label", {"separator": "|"})
    assert labels_of(examples)[:2] == [("python", "pandas"), ("python", "numpy")]
    assert labels_of(examples)[4:7] == [("go",), ("numpy",), ("python",)]
    assert examined.labels == {"numpy": 3, "pandas": 3, "python": 3, "go": 2}
    assert examined.counts == {"labels": 4, "rows_with_several_labels": 3, "rows_without_a_label": 0}
    assert "4 labels, several of them separated by `|`" in match.why


def test_a_name_with_a_comma_is_one_label():
    match, _, examples = both({"text": TEXTS, "category": ["Games, Toys", "Home, Garden"] * 4})
    assert match.shape == "single-label"
    assert labels_of(examples)[0] == ("Games, Toys",)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([["a", "b"], ["b"], [], ["a"], ["b", "a"], None, ["a", None, ""], ["c", "a"]]),
        pa.array([["a", "b"], ["b"], [], ["a"], ["b", "a"], None, ["a"], ["c", "a"]], pa.large_list(pa.string())),
        pa.array(['["a", "b"]', '["b"]', "[]", '["a"]', '["b", "a"]', None, '["a"]', '["c", "a"]']),
        pa.array(["['a', 'b']", "['b']", "[]", "['a']", "['b' 'a']", None, "['a']", "['c', 'a']"]),
    ],
)
def test_lists_of_labels_may_be_empty(column):
    match, examined, examples = both({"text": TEXTS, "labels": column})
    assert match.shape == "multi-label"
    assert labels_of(examples) == [("a", "b"), ("b",), (), ("a",), ("b", "a"), ("a",), ("c", "a")]
    assert notes_of(examples) == {"empty-label": (1, (6,)), "rare-labels": (1, (8,))}
    assert examined.labels == {"a": 5, "b": 3, "c": 1}
    assert examined.keys[0] == examined.keys[4] != examined.keys[1]
    assert TASK.stratum(examples.rows[0]) == TASK.stratum(examples.rows[4])


def test_lists_of_one_label_each_are_single_label():
    match, _, _ = both({"text": TEXTS, "label": [["a"], ["b"]] * 4})
    assert match.shape == "single-label"
    left = TASK.parse(rows_of({"text": TEXTS[:3], "label": [["a", "b"], ["b"], ["a"]]}), match)
    assert labels_of(left) == [("b",), ("a",)]
    assert "several labels where the others have one" in left.notes[0].message


def test_one_column_per_label():
    table = {
        "comment": TEXTS,
        "toxic": ["1", "0"] * 4,
        "insult": ["1"] + ["0"] * 7,
        "threat": ["0"] * 6 + ["", "1"],
    }
    match, examined, examples = both(table)
    assert match.columns["label:toxic"] == "toxic"
    assert labels_of(examples) == [("toxic", "insult"), (), ("toxic",), (), ("toxic",), (), ("threat",)]
    assert notes_of(examples)["empty-label"] == (1, (7,))
    assert examined.counts["rows_without_a_label"] == 3
    chosen, _, examples = both(table, **{"label:rude": "toxic", "label:insult": "insult"})
    assert labels_of(examples)[0] == ("rude", "insult")
    assert both(table, label="toxic")[0].shape == chosen.shape.replace("multi", "single")


def test_what_annotators_rejected_is_left_out():
    table = {"text": TEXTS, "label": ["a", "b"] * 4, "answer": ["accept"] * 6 + ["reject", "ignore"]}
    _, _, examples = both(table, label="label")
    assert notes_of(examples) == {"rejected": (2, (7, 8))}


def test_numbers_in_a_test_file_read_as_in_the_training_file():
    rows = rows_of({"text": TEXTS, "label": [1.0, 2.0] * 4})
    match = TASK.detect(rows, {})
    assert labels_of(TASK.parse(rows_of({"text": TEXTS, "label": [1, 2] * 4}), match))[:2] == [("1",), ("2",)]


def test_minus_one_is_no_label_where_numbers_have_names():
    table = pa.table({"text": TEXTS, "label": [0, 1, 0, 1, 0, 1, -1, -1]})
    told = {b"huggingface": json.dumps({"info": {"features": {"label": {"names": ["bad", "good"]}}}}).encode()}
    _, examined, examples = both(table.replace_schema_metadata(told))
    assert examined.labels == {"bad": 3, "good": 3}
    assert notes_of(examples) == {"empty-label": (2, (7, 8))}
    assert both(table)[1].labels == {"0": 3, "1": 3, "-1": 2}


def test_columns_in_several_chunks():
    part = {"text": TEXTS, "label": ["a", "b"] * 4}
    table = pa.concat_tables([pa.table(part), pa.table(part).slice(3, 4), pa.table(part).slice(0, 0)])
    _, examined, examples = both(table)
    assert [row.text for row in examples.rows] == TEXTS + TEXTS[3:7]
    assert examined.labels == {"a": 6, "b": 6}


@pytest.mark.parametrize("shape", ["single-label", "multi-label"])
def test_snippet_is_python_that_loads_the_published_repo(shape):
    profile = made.make_profile(task="classification", shape=shape)
    plan = made.make_plan(made.make_selection(made.make_recommendation(profile)))
    snippet = TASK.snippet(plan, "ada/intents")
    ast.parse(snippet)
    assert 'pipeline("text-classification", model="ada/intents"' in snippet
    assert ("top_k=None" in snippet) == (shape == "multi-label")
