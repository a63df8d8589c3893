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
