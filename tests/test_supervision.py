"""What carries loss: the answers and their end-of-turn token, for any template."""

from __future__ import annotations

import random

import pytest
import tiny

from tunekit_hub import supervision
from tunekit_hub.errors import SupervisionError
from tunekit_hub.supervision import IGNORED


def turns(*contents: str, system: str | None = None) -> list[dict[str, str]]:
    roles = ("user", "assistant")
    said = [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)]
    return [{"role": "system", "content": system}, *said] if system else said


def trained_text(tokenizer, chat) -> list[str]:
    row = supervision.encode(tokenizer, chat, 10_000)
    runs, current = [], []
    for token, label in zip([*row.input_ids, 0], [*row.labels, IGNORED], strict=True):
        if label != IGNORED:
            assert label == token
            current.append(token)
        elif current:
            runs.append(tokenizer.decode(current))
            current = []
    return runs


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("chatml", ["Hello!<|im_end|>", "Bye 2024.<|im_end|>"]),
        ("zephyr", ["Hello!<|im_end|>", "Bye 2024.<|im_end|>"]),
        ("inst", [" Hello!<|im_end|>", " Bye 2024.<|im_end|>"]),
    ],
)
def test_the_answers_and_their_end_are_trained_and_nothing_else(template, expected):
    assert trained_text(tiny.tokenizer(template), turns("Hi", "Hello!", "Bye", "Bye 2024.")) == expected


@pytest.mark.parametrize("template", ["chatml", "zephyr"])
def test_any_text_in_any_turn_leaves_the_spans_exact(template):
    tokenizer, chance = tiny.tokenizer(template), random.Random(7)
    pieces = ["assistant", "user", "é", "日本語", "\n", " ", "<b>", "🌱", "[/INST]", "x" * 40, "a b", "{{ }}"]
    for _ in range(50):
        said = ["".join(chance.choices(pieces, k=chance.randint(1, 6))) for _ in range(2 * chance.randint(1, 3))]
        system = chance.choice([None, "Be brief."])
        answers = [text + tokenizer.eos_token for text in said[1::2]]
        assert trained_text(tokenizer, turns(*said, system=system)) == answers


def test_the_rendered_text_is_the_templates_own():
    tokenizer, chat = tiny.tokenizer(), turns("Hi", "Hello!", "Bye", "Bye.")
    row = supervision.encode(tokenizer, chat, 10_000)
    assert tokenizer.decode(row.input_ids) == tokenizer.apply_chat_template(chat, tokenize=False)


def test_a_template_that_rewrites_earlier_turns_is_not_trained_on():
    done = supervision.supervise(tiny.tokenizer("forgetful"), [turns("a", "b", "c", "d"), turns("a", "b")], 999)
    assert len(done.rows) == 1
    assert list(done.dropped) == ["the chat template renders earlier turns differently once later ones follow"]


def test_truncated_and_dropped_rows_are_counted():
    tokenizer = tiny.tokenizer("zephyr")
    long_answer, long_question = turns("q", "a" * 300), turns("q" * 300, "a")
    done = supervision.supervise(tokenizer, [long_answer, long_question, turns("q", "a")], 100)
    record = supervision.summary(done)
    assert (record.rows, record.truncated) == (2, 1)
    assert record.dropped == {"no answer within the first 100 tokens": 1}
    assert record.lost_tokens > 200
    assert record.eos_rows == 1  # the cut answer does not end with its end-of-turn token


def test_a_row_the_template_refuses_is_counted_with_the_reason():
    done = supervision.supervise(tiny.tokenizer("inst"), [turns("a", "b", system="Be kind.")], 999)
    assert "only user and assistant" in next(iter(done.dropped))


@pytest.mark.parametrize(
    ("template", "rows", "limit", "words"),
    [
        ("chatml", [turns("q" * 300, "a")], 100, "no token carries loss"),
        ("chatml", [turns("q" * 300, "a"), *[turns(f"q{i}", "a") for i in range(5)]], 100, "1 of 6 rows"),
        ("no-eos", [turns("q", "a")], 100, "never trained"),
    ],
)
def test_rows_that_would_not_teach_stop_the_run(template, rows, limit, words):
    tokenizer = tiny.tokenizer(template)
    with pytest.raises(SupervisionError, match=words):
        supervision.prove(supervision.summary(supervision.supervise(tokenizer, rows, limit)))


def test_the_proof_marks_what_is_trained():
    tokenizer = tiny.tokenizer("zephyr")
    done = supervision.supervise(tokenizer, [turns("Hi", "Hello!")], 999)
    assert supervision.proof(tokenizer, done) == "<|user|>\nHi<|im_end|>\n<|assistant|>\n⟦Hello!<|im_end|>⟧\n"
