"""Which task some data is for, and which column plays which role: the shapes that public datasets have."""

import json

import pyarrow as pa
import pytest
from samples import REAL_DATA
from task_rows import TEXTS, rows_of

from tunekit_hub import data
from tunekit_hub.errors import DataError
from tunekit_hub.profiles.recognition import candidates, recognise


def detect(table, task=None, **columns):
    found, match = recognise(rows_of(table), candidates(task), columns)
    return found.name, match


def features(**names):
    """The schema metadata that the `datasets` library writes: the names of numbers."""
    told = {
        column: {"feature": {"names": list(of), "_type": "ClassLabel"}, "_type": "List"}
        for column, of in names.items()
    }
    return {b"huggingface": json.dumps({"info": {"features": told}}).encode()}


CONLL = {
    "id": ["0", "1"],
    "tokens": [["EU", "rejects", "German", "call"], ["Peter", "Blackburn", "left", "early"]],
    "pos_tags": [[22, 42, 16, 21], [22, 22, 38, 30]],
    "chunk_tags": [[11, 21, 11, 12], [11, 12, 21, 3]],
    "ner_tags": [[3, 0, 7, 0], [1, 2, 0, 0]],
}
TURNS = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


@pytest.mark.parametrize(
    ("table", "columns", "shape"),
    [
        ({"text": TEXTS, "label": [0, 1] * 4}, {"text": "text", "label": "label"}, "single-label"),
        ({"text": TEXTS, "label": [0, 1, 2, 3] * 2}, {"text": "text", "label": "label"}, "single-label"),
        (
            {"text": TEXTS, "labels": [[2], [14], [3, 10], [27], [2, 3], [14], [], [27]], "id": list("abcdefgh")},
            {"text": "text", "label": "labels"},
            "multi-label",
        ),
        (
            {"label": [1, 0] * 4, "title": [text[:12] for text in TEXTS], "content": TEXTS},
            {"text": "content", "label": "label"},
            "single-label",
        ),
        ({"text": TEXTS, "category": ["PlayMusic", "BookRestaurant"] * 4}, {"label": "category"}, "single-label"),
        (
            {
                "Title": [text[:12] for text in TEXTS],
                "Body": TEXTS,
                "Tags": ["python|pandas", "python|numpy", "pandas", "java", "java|spring", "numpy", "go", "go"],
                "CreationDate": ["2024-01-01"] * 8,
                "Score": [str(i) for i in range(8)],
            },
            {"text": "Body", "label": "Tags"},
            "multi-label",
        ),
        (
            {"tweet": TEXTS, "sentiment": ["pos", "neg"] * 4},
            {"text": "tweet", "label": "sentiment"},
            "single-label",
        ),
        ({"column_1": ["ham", "spam"] * 4, "column_2": TEXTS}, {"text": "column_2", "label": "column_1"}, None),
        ({"stars": [1, 5] * 4, "review_text": TEXTS, "user": list("aabbccdd")}, {"text": "review_text"}, None),
        (
            {"v1": ["ham", "spam"] * 4, "v2": TEXTS, "Unnamed: 2": [None] * 8},
            {"text": "v2", "label": "v1"},
            "single-label",
        ),
        (
            {"text": TEXTS, "label": [0, 1] * 4, "label_text": ["negative", "positive"] * 4},
            {"text": "text", "label": "label_text"},
            "single-label",
        ),
        (
            {
                "id": [f"{i:016x}" for i in range(8)],
                "comment_text": TEXTS,
                "toxic": ["0", "1"] * 4,
                "insult": ["0", "0", "0", "1"] * 2,
                "threat": ["0"] * 7 + ["1"],
            },
            {"text": "comment_text", "label:toxic": "toxic", "label:insult": "insult", "label:threat": "threat"},
            "multi-label",
        ),
        (
            {
                "id": [f"{i:032x}" for i in range(8)],
                "seen": [f"2024-03-0{i + 1} 10:00" for i in range(8)],
                "source": [f"https://example.org/{i}" for i in range(8)],
                "words": [str(i * 7) for i in range(8)],
                "Rezension": TEXTS,
                "Urteil": ["gut", "schlecht"] * 4,
            },
            {"text": "Rezension", "label": "Urteil"},
            "single-label",
        ),
        (
            {"word": list("abcdefgh"), "sentence": TEXTS, "label": ["0", "1"] * 4},
            {"text": "sentence", "label": "label"},
            "single-label",
        ),
        (
            {  # no header: target, id, date, query, user, text
                "column_1": ["0", "4"] * 4,
                "column_2": [str(1467810369 + i) for i in range(8)],
                "column_3": [f"Mon Apr 06 22:19:4{i} PDT 2009" for i in range(8)],
                "column_4": ["NO_QUERY"] * 8,
                "column_5": [f"user_{i}" for i in range(8)],
                "column_6": TEXTS,
            },
            {"text": "column_6", "label": "column_1"},
            "single-label",
        ),
        (
            {
                "tweet_id": [str(570306133677760513 + i) for i in range(8)],
                "airline_sentiment": ["positive", "negative"] * 4,
                "airline_sentiment_confidence": ["1.0", "0.3486", "0.6837", "1.0"] * 2,
                "negativereason": ["", "Late Flight"] * 4,
                "airline": ["Virgin", "Delta"] * 4,
                "name": [f"user{i}" for i in range(8)],
                "text": TEXTS,
            },
            {"text": "text", "label": "airline_sentiment"},
            "single-label",
        ),
        ({"text": TEXTS, "options": [["a", "b"]] * 8, "accept": [["a"], ["b"]] * 4}, {"label": "accept"}, None),
        ({"text": TEXTS, "spam": [True, False] * 4}, {"text": "text", "label": "spam"}, "single-label"),
        (
            {"sentence": TEXTS, "label": [0, 1] * 4, "idx": list(range(8))},
            {"text": "sentence", "label": "label"},
            "single-label",
        ),
    ],
)
def test_shapes_of_classification(table, columns, shape):
    task, match = detect(table)
    assert task == "classification"
    assert columns.items() <= match.columns.items()
    assert shape in (None, match.shape)
    for name in match.columns.values():
        assert f"`{name}`" in match.why


@pytest.mark.parametrize(
    ("table", "columns", "scheme"),
    [
        (CONLL, {"tokens": "tokens", "tags": "ner_tags"}, "IOB2"),
        (
            {
                "tokens": [["R.H.", "Saunders"], ["in", "Paris"]],
                "ner_tags": [["B-PER", "I-PER"], ["O", "B-LOC"]],
                "langs": [["en", "en"], ["en", "en"]],
                "spans": [["PER: R.H. Saunders"], ["LOC: Paris"]],
            },
            {"tokens": "tokens", "tags": "ner_tags"},
            "IOB2",
        ),
        (
            {
                "tokens": [["We", "met", "in", "Rome"], ["Ada", "Byron", "wrote", "it"]],
                "tags": [["O", "O", "O", "S-LOC"], ["B-PER", "E-PER", "O", "O"]],
                "column_2": [["PRP", "VBD", "IN", "NNP"], ["NNP", "NNP", "VBD", "PRP"]],
                "column_3": [["B-NP", "B-VP", "B-PP", "B-NP"], ["B-NP", "I-NP", "B-VP", "B-NP"]],
            },
            {"tokens": "tokens", "tags": "tags"},
            "BIOES",
        ),
        (
            {
                "tokens": [["They", "left"], ["It", "rained"]],
                "lemma": [["they", "leave"], ["it", "rain"]],
                "upos": [["PRON", "VERB"], ["PRON", "VERB"]],
                "xpos": [["PRP", "VBD"], ["PRP", "VBD"]],
                "deprel": [["nsubj", "root"], ["expl", "root"]],
            },
            {"tokens": "tokens", "tags": "upos"},
            "parts of speech",
        ),
        (
            {"sentence": ["we met in Rome", "Ada left"], "word_labels": ["O O O B-geo", "B-per O"]},
            {"tokens": "sentence", "tags": "word_labels"},
            "IOB2",
        ),
        (
            {"tokens": ["['in' 'Rome']", "['Ada' 'left']"], "ner_tags": ["['O' 'B-LOC']", "['B-PER' 'O']"]},
            {"tokens": "tokens", "tags": "ner_tags"},
            "IOB2",
        ),
        (
            {
                "text": ["Ada met Bob", "in Rome"],
                "entities": ['[[0, 3, "PER"], [8, 11, "PER"]]', '[[3, 7, "LOC"]]'],
            },
            {"text": "text", "spans": "entities"},
            "character spans",
        ),
        (
            {"id": [1, 2], "text": ["Ada met Bob", "in Rome"], "label": ['[[0, 3, "PER"]]', "[]"]},
            {"text": "text", "spans": "label"},
            "character spans",
        ),
    ],
)
def test_shapes_of_ner(table, columns, scheme):
    task, match = detect(table)
    assert (task, match.columns, match.details["scheme"]) == ("ner", columns, scheme)


@pytest.mark.parametrize(
    ("table", "shape"),
    [
        ({"instruction": TEXTS, "input": [""] * 8, "output": TEXTS, "text": TEXTS}, "Alpaca"),
        ({"instruction": TEXTS, "context": [""] * 8, "response": TEXTS, "category": ["qa", "chat"] * 4}, "Alpaca"),
        ({"messages": [TURNS] * 2, "source": ["a", "a"], "lang": ["en", "de"]}, "messages"),
        ({"question": TEXTS, "answer": ["yes", "no"] * 4}, "question/answer"),
        (
            {"messages": [TURNS] * 4, "langs": [["en"]] * 4, "topics": [["a"], ["b"]] * 2, "uses": [["x"]] * 4},
            "messages",
        ),
        (
            {"messages": [TURNS] * 4, "who": [["ada", "bob"], ["cy", "di"]] * 2, "how": [["a", "b"]] * 4},
            "messages",
        ),
        ({"text": ["Human: Hi\nAssistant: Hello", "Human: And?\nAssistant: Well."]}, "plain dialogues"),
        (
            {"text": ["### Human: Hi### Assistant: Hello", "### Human: And?### Assistant: Well."]},
            "plain dialogues",
        ),
    ],
)
def test_shapes_of_chats(table, shape):
    task, match = detect(table)
    assert (task, match.shape) == ("instruction_tuning", shape)


def test_a_named_task_reads_what_it_can_of_the_data_of_another():
    table = {"instruction": TEXTS, "context": [""] * 8, "response": ["ok"] * 8, "category": ["qa", "chat"] * 4}
    _, match = detect(table, task="classification")
    assert match.columns == {"text": "instruction", "label": "category"}
    labelled = {"text": ["User: Hi\nAssistant: Hello", "User: Bye\nAssistant: Bye"] * 4, "label": ["a", "b"] * 4}
    assert detect(labelled)[0] == "classification"
    assert detect(labelled, dialogue="text")[0] == "instruction_tuning"


def test_the_reason_names_what_was_left_aside():
    _, match = detect({"label": [1, 0] * 4, "title": [text[:12] for text in TEXTS], "content": TEXTS})
    assert (
        match.why == "column `label` holds 2 values that repeat; column `content` holds text (`title` left aside)"
    )
    _, match = detect(CONLL)
    assert "column `ner_tags` holds IOB2 tags of the words in `tokens`" in match.why
    assert "`pos_tags`: parts of speech" in match.why


def test_names_in_the_file_are_used_for_numbers():
    table = pa.table({"text": TEXTS, "label": [0, 1] * 4})
    told = {b"huggingface": json.dumps({"info": {"features": {"label": {"names": ["bad", "good"]}}}}).encode()}
    task, match = recognise(rows_of(table.replace_schema_metadata(told)), candidates(None), {})
    assert set(task.examine(rows_of(table), match).labels) == {"bad", "good"}
    names = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC", "B-MISC", "I-MISC"]
    table = pa.table(CONLL).replace_schema_metadata(features(ner_tags=names))
    task, match = recognise(rows_of(table), candidates(None), {})
    assert task.examine(rows_of(table), match).labels == {"MISC": 1, "ORG": 1, "PER": 1}


@pytest.mark.parametrize(
    ("table", "message", "hint"),
    [
        (
            {"text": TEXTS, "sentiment": ["a", "b"] * 4, "topic": ["x", "x", "y", "y"] * 2},
            "the label could be any of the columns `sentiment`, `topic`",
            "`--column label=sentiment`",
        ),
        (
            {"Einleitung": TEXTS, "Schluss": TEXTS[::-1], "label": ["a", "b"] * 4},
            "the text to classify could be any of the columns `Einleitung`, `Schluss`",
            "`--column text=Einleitung`",
        ),
        (
            {"premise": TEXTS, "hypothesis": TEXTS[::-1], "label": [0, 1] * 4},
            "columns `premise`, `hypothesis` are two texts in each row",
            "`--column text=premise`",
        ),
        (
            {"text": TEXTS * 3, "label": [f"{i / 7:.3f}" for i in range(24)]},
            "holds 24 different numbers: a quantity",
            "`--column label=NAME`",
        ),
        (
            {"text": TEXTS * 3, "score": [i / 7 for i in range(24)]},
            "column `score` of `made.jsonl` holds 24 different numbers: a quantity",
            "`--column label=NAME`",
        ),
        (
            {"text": TEXTS * 3, "label": [f"case {i} of the {text}" for i, text in enumerate(TEXTS * 3)]},
            "24 different values in 24 rows; labels are few, short, and repeat",
            "`--column label=NAME`",
        ),
        ({"Frage": TEXTS, "Antwort": TEXTS[::-1]}, "which fit no task", "--column ROLE=NAME"),
        ({"text": TEXTS}, "which fit no task", "--column ROLE=NAME"),
    ],
)
def test_what_is_not_clear_is_asked(table, message, hint):
    with pytest.raises(DataError) as caught:
        detect(table)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_a_mapped_column_that_holds_something_else():
    with pytest.raises(DataError, match="different values in 24 rows; labels are few"):
        detect({"text": TEXTS * 3, "note": [f"remark {i}" for i in range(24)]}, label="note")
    with pytest.raises(DataError, match="holds no spans of a text"):
        detect({"text": TEXTS, "note": ["a"] * 8}, spans="note")
    with pytest.raises(DataError, match="holds no text but list"):
        detect({"words": [["a"]] * 8, "label": ["a", "b"] * 4}, text="words", label="label")
    with pytest.raises(DataError, match="holds more than 0 and 1"):
        detect({"text": TEXTS, "n": list(range(8))}, **{"text": "text", "label:n": "n"})


@pytest.mark.skipif(not REAL_DATA.exists(), reason="the real data are not on this machine")
@pytest.mark.parametrize(
    ("name", "task", "columns", "rows"),
    [
        ("banking77/train.csv", "classification", {"text": "text", "label": "category"}, 10_003),
        ("sms_spam/sms.tsv", "classification", {"text": "column_2", "label": "column_1"}, 5_574),
        ("ncbi_disease/train.tsv", "ner", {"tokens": "tokens", "tags": "tags"}, 5_424),
        ("ncbi_disease/test.tsv", "ner", {"tokens": "tokens", "tags": "tags"}, 940),
        ("wnut17/wnut17train.conll", "ner", {"tokens": "tokens", "tags": "tags"}, 3_394),
        ("wnut17/emerging.test.annotated", "ner", {"tokens": "tokens", "tags": "tags"}, 1_287),
        ("gsm8k/test.jsonl", "instruction_tuning", {"question": "question", "answer": "answer"}, 1_319),
    ],
)
def test_real_data_needs_no_flag(name, task, columns, rows):
    read = data.read(REAL_DATA / name)
    found, match = recognise(read, candidates(None), {})
    assert (found.name, match.columns) == (task, columns)
    examined = found.examine(read, match)
    assert len(examined.texts) == len(found.parse(read, match).rows) == rows
