"""Instruction data in every form it comes in, and the rows that cannot be trained on."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tunekit_hub import data
from tunekit_hub.errors import DataError
from tunekit_hub.profiling import profile
from tunekit_hub.tasks import TASKS

TASK = TASKS["instruction_tuning"]
SINGLE = ({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"})
WITH_SYSTEM = ({"role": "system", "content": "Be kind"}, *SINGLE)


def parse(rows):
    match = TASK.detect(rows, {})
    assert match is not None
    return TASK.parse(rows, match)


def turns(*pairs, keys=("role", "content")):
    return [dict(zip(keys, pair, strict=True)) for pair in pairs]


USER, ANSWER = ("user", "Hi"), ("assistant", "Hello")


@pytest.mark.parametrize(
    ("row", "shape", "expected"),
    [
        ({"messages": turns(USER, ANSWER)}, "messages", SINGLE),
        ({"messages": turns(USER, ANSWER), "system": "Be kind"}, "messages", WITH_SYSTEM),
        ({"conversation": turns(("system", "Be kind"), USER, ANSWER)}, "messages", WITH_SYSTEM),
        ({"conversations": turns(USER, ANSWER)}, "messages", SINGLE),
        ({"conversations": turns(("human", "Hi"), ("gpt", "Hello"), keys=("from", "value"))}, "ShareGPT", SINGLE),
        (
            {"conversations": turns(("user", "Hi"), ("chatgpt", "Hello"), keys=("from", "value"))},
            "ShareGPT",
            SINGLE,
        ),
        (
            {
                "conversations": turns(
                    ("system", "Be kind"), ("Human", "Hi"), ("bot", "Hello"), keys=("from", "value")
                )
            },
            "ShareGPT",
            WITH_SYSTEM,
        ),
        ({"messages": json.dumps(turns(USER, ANSWER))}, "messages", SINGLE),
        (
            {"conversations": json.dumps(turns(("human", "Hi"), ("gpt", "Hello"), keys=("from", "value")))},
            "ShareGPT",
            SINGLE,
        ),
        ({"instruction": "Hi", "output": "Hello"}, "Alpaca", SINGLE),
        ({"instruction": "Hi", "input": "", "output": "Hello", "system": "Be kind"}, "Alpaca", WITH_SYSTEM),
        ({"instruction": "Hi", "context": None, "response": "Hello"}, "Alpaca", SINGLE),
        ({"prompt": " Hi\n", "completion": "\tHello "}, "prompt/completion", SINGLE),
        ({"Prompt": "Hi", "Response": "Hello"}, "prompt/completion", SINGLE),
        ({"prompt": turns(USER), "completion": turns(ANSWER)}, "prompt/completion", SINGLE),
        ({"question": "Hi", "answer": "Hello", "id": 7}, "question/answer", SINGLE),
        ({"system_prompt": "Be kind", "question": "Hi", "response": "Hello"}, "question/answer", WITH_SYSTEM),
    ],
)
def test_every_form_becomes_the_same_conversation(load, row, shape, expected):
    match, examples = load([row])
    assert match.shape == shape
    assert examples.rows == [expected]
    assert not examples.notes


def test_alpaca_input_follows_the_instruction_after_a_blank_line(load):
    _, examples = load([{"instruction": "Add.", "input": "2 and 2", "output": "4"}])
    assert examples.rows[0][0] == {"role": "user", "content": "Add.\n\n2 and 2"}


def test_messages_as_json_text_in_csv(tmp_path):
    path = tmp_path / "rows.csv"
    text = json.dumps(turns(USER, ANSWER)).replace('"', '""')
    path.write_text(f'id,messages\n1,"{text}"\n2,"not json"\n')
    examples = parse(data.read(path))
    assert examples.rows == [SINGLE]
    assert [(note.code, note.lines) for note in examples.notes] == [("not-a-conversation", (3,))]


def test_parquet_messages(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist([{"messages": turns(USER, ANSWER)}] * 3), path)
    assert parse(data.read(path)).rows == [SINGLE] * 3


def test_the_first_form_in_order_wins(load):
    both = {
        "question": "no",
        "answer": "no",
        "prompt": "no",
        "completion": "no",
        "instruction": "Hi",
        "output": "Hello",
    }
    assert load([both])[0].shape == "Alpaca"
    assert load([both | {"messages": turns(USER, ANSWER)}])[0].shape == "messages"
    assert load([both], {"question": "question"})[0].shape == "question/answer"


def test_a_conversation_column_of_something_else_is_passed_over(load):
    row = {"conversation": 17, "question": "Hi", "answer": "Hello"}
    assert load([row])[0].shape == "question/answer"
    assert load([row | {"conversation": "c-17"}])[0].shape == "question/answer"


def test_mapped_columns(load):
    row = {"Frage": "Hi", "Antwort": "Hello", "Rolle": "Be kind"}
    assert load([row])[0] is None
    match, examples = load([row], {"question": "Frage", "answer": "Antwort"})
    assert match.columns == {"question": "Frage", "answer": "Antwort"}
    assert examples.rows == [SINGLE]
    assert load([row], {"question": "Frage", "answer": "Antwort", "system": "Rolle"})[1].rows == [WITH_SYSTEM]
    assert load([row], {"instruction": "Frage", "output": "Antwort"})[0].shape == "Alpaca"
    assert load([{"chat": turns(USER, ANSWER)}], {"messages": "chat"})[1].rows == [SINGLE]


def test_half_a_mapping_is_completed_from_the_names(load):
    match, _ = load([{"question": "Hi", "Antwort": "Hello"}], {"answer": "Antwort"})
    assert match.columns == {"question": "question", "answer": "Antwort"}
    assert load([{"question": "Hi", "Antwort": "Hello"}], {"label": "Antwort"})[0] is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("User: Hi\nAssistant: Hello", SINGLE),
        ("\n\nHuman: Hi\n\nAssistant: Hello", SINGLE),
        ("human: Hi\r\nAI: Hello\r\n", SINGLE),
        ("**User:** Hi\n\n**Assistant:** Hello", SINGLE),
        ("<user>: Hi\n<bot>: Hello", SINGLE),
        ("System: Be kind\nUser: Hi\nAssistant: Hello", WITH_SYSTEM),
        ("### Human: Hi### Assistant: Hello", SINGLE),
        ("### Instruction:\nHi\n\n### Response:\nHello", SINGLE),
        ("Be kind\n\n### Instruction:\nHi\n\n### Response:\nHello", WITH_SYSTEM),
    ],
)
@pytest.mark.parametrize("column", ["text", "dialogue", "conversation", "chat", "column_1"])
def test_plain_dialogues(load, text, expected, column):
    match, examples = load([{"id": 7, column: text}])
    assert (match.shape, match.columns) == ("plain dialogues", {"dialogue": column})
    assert examples.rows == [expected]


def test_turns_of_plain_dialogues_may_have_several_lines(load):
    text = "User: Write a list:\n- one: two\n\nand stop\nAssistant: Mine:\n\n1. User stories\n"
    text += "User: Thanks\nAssistant: Bye"
    match, examples = load([{"text": text}])
    assert [turn["content"] for turn in examples.rows[0]] == [
        "Write a list:\n- one: two\n\nand stop",
        "Mine:\n\n1. User stories",
        "Thanks",
        "Bye",
    ]
    assert match.why == "column `text` holds dialogues, marked `User:`, `Assistant:`"


def test_alpaca_headings_with_an_input(load):
    text = "### Instruction:\nAdd.\n\n### Input:\n2 and 2\n\n### Response:\n4"
    assert load([{"text": text}])[1].rows[0][0]["content"] == "Add.\n\n2 and 2"


def test_rows_among_plain_dialogues_that_are_none(load):
    good = {"text": "User: Hi\nAssistant: Hello"}
    _, examples = load(
        [good, {"text": "Once upon a time"}, *[good] * 6, {"text": " "}, {"text": "User: Hi"}, good]
    )
    assert len(examples.rows) == 8
    assert [(note.code, note.lines) for note in examples.notes] == [
        ("not-a-dialogue", (2, 10)),
        ("empty-conversation", (9,)),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Note: Hi\nTo: you",
        "Assistant: Hello",
        "User: Hi",
        "He said: User: Hi\nAssistant: Hello",
        "Assistant: a\nUser: b",
    ],
)
def test_texts_that_are_no_dialogues(load, text):
    assert load([{"text": text}])[0] is None


def test_unknown_columns_are_answered_with_the_accepted_forms(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("Frage,Antwort\na,b\n")
    with pytest.raises(DataError) as caught:
        profile(path)
    assert "has the columns `Frage`, `Antwort`, which fit no task" in caught.value.message
    for name in (
        "messages",
        "conversations",
        "instruction",
        "output",
        "prompt",
        "completion",
        "question",
        "answer",
    ):
        assert f"`{name}`" in caught.value.message
    assert "--column ROLE=NAME" in caught.value.hint
    assert profile(path, columns={"question": "Frage", "answer": "Antwort"}).num_rows == 1


def test_a_mapped_column_that_is_not_there(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("Frage,Antwort\na,b\n")
    with pytest.raises(DataError) as caught:
        profile(path, columns={"question": "Frage", "answer": "Antwrot"})
    assert "has no column `Antwrot`" in caught.value.message
    assert "`Frage`, `Antwort`" in caught.value.hint
