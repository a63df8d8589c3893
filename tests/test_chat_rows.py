"""Conversations that cannot be trained on, or not as they are; and what is counted of the others."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tunekit_hub import data
from tunekit_hub.errors import DataError
from tunekit_hub.tasks import TASKS, _chat_rows

TASK = TASKS["instruction_tuning"]
SINGLE = ({"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"})
WITH_SYSTEM = ({"role": "system", "content": "Be kind"}, *SINGLE)


def turns(*pairs, keys=("role", "content")):
    return [dict(zip(keys, pair, strict=True)) for pair in pairs]


USER, ANSWER = ("user", "Hi"), ("assistant", "Hello")


GOOD = {"messages": turns(USER, ANSWER)}


@pytest.mark.parametrize(
    ("bad", "code", "words"),
    [
        ([], "empty-conversation", "the conversation is empty"),
        (None, "empty-conversation", "the conversation is empty"),
        (turns(("user", ""), ("assistant", " ")), "empty-conversation", "the conversation is empty"),
        (turns(("user", "Hi")), "no-assistant-turn", "no turn is the assistant's"),
        (turns(("user", "Hi"), ("assistant", " \n")), "empty-assistant-turn", "an assistant turn is empty"),
        (turns(("user", "Hi"), ("assistant", None)), "empty-assistant-turn", "an assistant turn is empty"),
        (turns(("user", ""), ("assistant", "Hello")), "empty-user-turn", "a user turn is empty"),
        (turns(("robot", "Hi"), ("assistant", "Hello")), "unknown-role", "unknown role (`robot`)"),
        (turns((None, "Hi"), ("assistant", "Hello")), "unknown-role", "unknown role (`none`)"),
        (turns(USER, ("assistant", ""), ("tool", "4"), ANSWER), "tool-calls", "tool calls are not supported"),
        ([*turns(USER), {"role": "assistant", "tool_calls": [{"id": "1"}]}], "tool-calls", "tool calls are not"),
    ],
)
def test_unusable_rows_are_left_out_and_noted(load, bad, code, words):
    _, examples = load([GOOD, {"messages": bad}, GOOD, {"messages": bad}])
    assert examples.rows == [SINGLE, SINGLE]
    assert list(examples.lines) == [1, 3]
    (note,) = examples.notes
    assert (note.code, note.count, note.lines) == (code, 2, (2, 4))
    assert note.message.startswith("2 rows not used: ")
    assert words in note.message


@pytest.mark.parametrize(
    ("answers", "read"),
    [
        ([42, -1], ["42", "-1"]),
        ([42, None, 6.5], ["42", "6.5"]),
        ([True, False], ["true", "false"]),
        (["42", 42], ["42", "42"]),
        ([12345678901234567], ["12345678901234567"]),
    ],
)
def test_numbers_and_truth_values_are_answers(load, answers, read):
    _, examples = load([{"question": "6 * 7?", "answer": answer} for answer in answers])
    assert [row[1]["content"] for row in examples.rows] == read


def test_content_that_is_not_text(load):
    with pytest.raises(DataError, match="the content of a turn is not text"):
        load([{"question": "6 * 7?", "answer": {"value": 42}}])
    parts = [{"type": "text", "text": "Hi"}]
    with pytest.raises(DataError, match="the content of a turn is not text"):
        load([{"messages": [{"role": "user", "content": parts}, {"role": "assistant", "content": parts}]}])


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ({}, "empty-conversation"),
        ("{}", "empty-conversation"),
        ([{}], "not-a-conversation"),
        ("[{}]", "not-a-conversation"),
        ("[1]", "not-a-conversation"),
        ({"role": "user"}, "not-a-conversation"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_objects_where_turns_should_be(load, bad, code, first):
    text = json.dumps(GOOD["messages"])
    for good in ({"messages": text}, GOOD) if isinstance(bad, str) else (GOOD,):
        match, examples = load([{"messages": bad}, good] if first else [good, {"messages": bad}])
        assert match.shape == "messages"
        assert examples.rows == [SINGLE]
        assert [(note.code, note.lines) for note in examples.notes] == [(code, (1 if first else 2,))]


def test_a_column_of_messages_that_is_empty_throughout(load):
    for empty in ({}, "{}", "[]", [], ""):
        with pytest.raises(DataError, match=r"none of the 2 rows .* the conversation is empty"):
            load([{"messages": empty, "id": 1}, {"messages": empty, "id": 2}])
    assert load([{"messages": [], "question": "Hi", "answer": "Hello"}])[0].shape == "question/answer"


def test_turns_after_the_last_answer_are_cut_and_noted(load):
    _, examples = load([GOOD, {"messages": turns(USER, ANSWER, ("user", "Bye"), ("user", "?"))}])
    assert examples.rows == [SINGLE, SINGLE]
    assert [(note.code, note.lines) for note in examples.notes] == [("trailing-turns", (2,))]


def test_turns_that_do_not_alternate_are_kept_and_noted(load):
    odd = [turns(USER, USER, ANSWER), turns(ANSWER, USER, ANSWER), turns(USER, ("system", "Be kind"), ANSWER)]
    _, examples = load([GOOD, *({"messages": row} for row in odd)])
    assert len(examples.rows) == 4
    assert [(note.code, note.lines) for note in examples.notes] == [("turn-order", (2, 3, 4))]


def test_an_empty_system_turn_is_no_system_turn(load):
    assert load([{"messages": turns(("system", " "), USER, ANSWER)}])[1].rows == [SINGLE]


def test_notes_name_at_most_twenty_lines(load):
    _, examples = load([GOOD] + [{"messages": []}] * 30)
    assert examples.notes[0].count == 30
    assert examples.notes[0].lines == tuple(range(2, 22))


def test_nothing_left_names_reasons_lines_and_the_fix(load):
    rows = [{"messages": turns(("customer", "Hi"), ("agent", "Hello"))}] * 7 + [{"messages": turns(USER)}]
    with pytest.raises(DataError) as caught:
        load(rows)
    error = caught.value
    assert "none of the 8 rows" in error.message
    assert "a turn has an unknown role (`customer`, `agent`) (lines 1, 2, 3, 4, 5 and 2 more)" in error.message
    assert "no turn is the assistant's (line 8)" in error.message
    for role in ("system", "user", "human", "assistant", "gpt", "chatgpt", "bot"):
        assert f"`{role}`" in error.hint


def examine(load_rows, rows):
    table = load_rows(rows)
    return TASK.examine(table, TASK.detect(table, {}))


@pytest.fixture
def table(tmp_path):
    def write(rows):
        path = tmp_path / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return data.read(path)

    return write


def test_what_is_counted_is_what_is_trained_on(table, monkeypatch):
    monkeypatch.setattr(_chat_rows, "_BATCH", 2)
    long = turns(USER, ANSWER, USER, ANSWER)
    system = turns(("system", "Be kind"), USER, ANSWER)
    rows = table([{"messages": one} for one in (turns(USER, ANSWER), [], system, [], [], long, turns(USER))])
    match = TASK.detect(rows, {})
    examined, examples = TASK.examine(rows, match), TASK.parse(rows, match)
    assert examined.counts == {
        "conversations": 3,
        "single_turn": 2,
        "multi_turn": 1,
        "with_system": 1,
        "user_turns": 4,
        "assistant_turns": 4,
    }
    assert examined.texts.to_pylist() == [TASK.text(row) for row in examples.rows]
    assert examined.lines.tolist() == list(examples.lines) == [1, 3, 6]
    assert list(examined.notes) == list(examples.notes)
    assert examined.notes[0].lines == (2, 4, 5)
    assert TASK.parse(replace(rows, lines=np.array(rows.lines)), match).notes == examples.notes


def test_nothing_left_is_an_error_of_the_profile_too(table):
    with pytest.raises(DataError, match="the conversation is empty"):
        examine(table, [{"question": "", "answer": ""}])


@pytest.mark.parametrize(
    ("content", "tokens"),
    [("word" * 100, 100), ("漢" * 150, 100), ("2024" * 25, 100), ("д" * 200, 100)],
)
def test_token_estimate_follows_the_script(table, content, tokens):
    assert examine(table, [{"question": content, "answer": content}]).tokens.tolist() == [2 * tokens + 8]
