"""What carries loss: the answers and their end-of-turn token, for any template."""

from __future__ import annotations

import random

import families
import pytest
import records as made
import tiny

from tunekit_hub import render, supervision
from tunekit_hub.errors import SupervisionError
from tunekit_hub.supervision import IGNORED
from tunekit_hub.supervision.answer_spans import REWRITTEN
from tunekit_hub.supervision.chat_templates import FOLDED, stops
from tunekit_hub.tasks import _chat_evaluation


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


def test_of_a_chat_whose_template_rewrites_earlier_turns_the_last_answer_is_trained():
    tokenizer = tiny.tokenizer("forgetful")
    done = supervision.supervise(tokenizer, [turns("a", "b", "c", "d"), turns("a", "b")], 999)
    assert done.adapted == {REWRITTEN: 1}
    assert trained_text(tokenizer, turns("a", "b", "c", "d")) == ["d<|im_end|>"]


def test_a_prompt_that_is_written_otherwise_once_it_is_answered_is_not_trained_on():
    tokenizer = tiny.tokenizer("chatml")
    tokenizer.chat_template = tokenizer.chat_template.replace("assistant\n{% endif", "assistant\n<hm>{% endif")
    done = supervision.supervise(tokenizer, [turns("a", "b")], 999)
    assert done.dropped == {"the chat template writes the prompt otherwise once its answer is there": 1}


def test_truncated_and_dropped_rows_are_counted():
    tokenizer = tiny.tokenizer("zephyr")
    long_answer, long_question = turns("q", "a" * 300), turns("q" * 300, "a")
    done = supervision.supervise(tokenizer, [long_answer, long_question, turns("q", "a")], 100)
    record = supervision.summary(done)
    assert (record.rows, record.truncated) == (2, 1)
    assert record.dropped == {"no answer within the first 100 tokens": 1}
    assert record.lost_tokens > 200
    assert record.eos_rows == 1  # the cut answer does not end with its end-of-turn token


def test_a_row_the_template_refuses_in_any_form_is_counted_with_the_reason():
    tokenizer = tiny.tokenizer("inst")
    tokenizer.chat_template = tokenizer.chat_template.replace("{{ bos_token }}", "{{ messages[2].content }}")
    done = supervision.supervise(tokenizer, [turns("a", "b")], 999)
    assert next(iter(done.dropped)).startswith("the chat template refuses it: ")


def test_a_template_that_says_something_else_of_each_row_does_not_fill_the_record():
    tokenizer = tiny.tokenizer("inst")
    tokenizer.chat_template = "{{ raise_exception(messages[0].content * 100) }}"
    done = supervision.supervise(tokenizer, [turns(f"q{i}", "a") for i in range(50)], 999)
    assert len(done.dropped) == 11
    assert done.dropped["the chat template refuses it"] == 40
    assert max(map(len, done.dropped)) < 160


@pytest.mark.parametrize("template", ["inst", "chatml"])
def test_what_was_adapted_is_in_the_record_and_on_its_page(template):
    tokenizer = tiny.tokenizer(template)
    record = supervision.summary(supervision.supervise(tokenizer, [turns("a", "b", system="Be kind.")], 999))
    assert record.adapted == ({FOLDED: 1} if template == "inst" else {})
    page = " ".join(render.text(record, width=100).split())
    assert (f"adapted 1 row: {FOLDED}" in page) == (template == "inst")


def test_a_model_without_a_chat_template_is_said_so_at_once():
    tokenizer = tiny.tokenizer()
    tokenizer.chat_template = None
    with pytest.raises(SupervisionError, match="has no chat template"):
        supervision.supervise(tokenizer, [turns("a", "b")], 999)


@pytest.mark.parametrize(("share", "passes"), [(0.05, False), (0.2, True), (0.0, False), (1.0, True)])
def test_how_many_rows_may_be_dropped_is_the_users_to_say(share, passes):
    rows = [turns("q" * 300, "a"), *[turns(f"q{i}", "a") for i in range(5)]]
    record = supervision.summary(supervision.supervise(tiny.tokenizer(), rows, 100))
    if passes:
        supervision.prove(record, share)
        return
    with pytest.raises(SupervisionError, match=f"1 of 6 rows .* and {100 * share:g} % may be") as caught:
        supervision.prove(record, share)
    assert "--set max_tokens=…" in caught.value.hint
    assert caught.value.hint.endswith("`--max-dropped 17%`")


@pytest.mark.parametrize(
    ("reason", "fix"),
    [
        ("no answer within the first 64 tokens", "--set max_tokens=…"),
        ("the chat template refuses it: roles must alternate", "--model …"),
        ("no answer comes after a prompt", "mend these rows"),
    ],
)
def test_the_hint_fits_the_reason(reason, fix):
    record = supervision.summary(supervision.supervise(tiny.tokenizer(), [turns("a", "b")], 100))
    with pytest.raises(SupervisionError) as caught:
        supervision.prove(record.but(dropped={reason: 3, "another": 1}))
    assert fix in caught.value.hint


def test_an_answer_must_end_where_the_models_generation_stops(tmp_path):
    """The template's end of turn may be another token than the EOS; then the generation config has to know it."""
    tokenizer, rows = tiny.tokenizer(), [turns("a", "b")]
    tokenizer.eos_token = "<|endoftext|>"
    unknown = supervision.supervise(tokenizer, rows, 99, stops(tokenizer, tmp_path))
    with pytest.raises(SupervisionError, match="end-of-turn token is never trained"):
        supervision.prove(supervision.summary(unknown))
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [0, 2]}')
    known = supervision.supervise(tokenizer, rows, 99, stops(tokenizer, tmp_path))
    supervision.prove(supervision.summary(known))


def test_rows_that_are_all_cut_are_not_the_templates_fault():
    record = supervision.summary(supervision.supervise(tiny.tokenizer("zephyr"), [turns("q", "a" * 300)], 100))
    with pytest.raises(SupervisionError, match="never trained") as caught:
        supervision.prove(record)
    assert "max_tokens" in caught.value.hint


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
    assert supervision.proof(tokenizer, done) == (
        f"{supervision.LEGEND}<|user|>\nHi<|im_end|>\n<|assistant|>\n⟦Hello!<|im_end|>⟧\n"
    )


def test_evaluation_asks_what_training_taught():
    """The prompt before the last answer, with a system turn that has moved and answers that were joined."""
    tokenizer = tiny.tokenizer("inst")
    tokenizer.chat_template = families.FAMILIES["mistral"].template
    said = turns("Hi", "Hello!", "Bye", "Bye.", system="Be kind.")
    chats = [said, [*said, {"role": "assistant", "content": "Come again."}], turns("q" * 2000, "a")]
    rows, prompts, shown = _chat_evaluation._held_out(tokenizer, chats, made.make_plan(max_tokens=999))
    assert len(rows) == len(prompts) == 2
    answers = ("Bye.", "Bye.\n\nCome again.")
    for (ids, labels), prompt, chat, answer in zip(rows, prompts, shown, answers, strict=True):
        assert tokenizer.decode(ids) == f"{prompt}{answer}<|im_end|>"
        asked = len(tokenizer(prompt, add_special_tokens=False)["input_ids"])
        assert labels[asked - 1] == IGNORED
        assert labels[asked:] == ids[asked:]
        assert chat[0]["content"] == "Be kind.\n\nHi"
        assert chat[-1]["content"] == answer
