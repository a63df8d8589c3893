"""Random chats in each family of templates: what is trained is what the template writes, and only its answers."""

from __future__ import annotations

import random

import families
import pytest
from families import FAMILIES

from tunekit_hub import supervision
from tunekit_hub.supervision import IGNORED
from tunekit_hub.supervision.answer_spans import MARKED, REWRITTEN, SHARED, UNASKED, answers
from tunekit_hub.supervision.chat_templates import FOLDED, JOINED, Template, render

CHATS = 100


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    return FAMILIES[request.param]


@pytest.fixture(scope="module")
def template(family):
    return Template(family.tokenizer())


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def system(text: str) -> dict[str, str]:
    return {"role": "system", "content": text}


def nearest(family, turns):
    """The chat as the family's template takes it, said anew: what is refused is merged, and nothing else."""
    made = []
    for place, turn in enumerate(turns):
        role = turn["role"]
        if role == "system" and (not family.system or (family.strict and place)):
            role = "user"
        if family.strict and made and made[-1]["role"] == role:
            made[-1] = {
                "role": role,
                "content": "\n\n".join(t for t in (made[-1]["content"], turn["content"]) if t),
            }
        else:
            made.append({"role": role, "content": turn["content"]})
    return made


def trained(tokenizer, row, text):
    """Whether each character of the text is in a token that carries loss."""
    offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
    marks = [False] * len(text)
    for (start, end), label in zip(offsets, row.labels, strict=True):
        for place in range(start, end):
            marks[place] = marks[place] or label != IGNORED
    return marks


def trained_texts(tokenizer, row):
    """What carries loss, read again."""
    return tokenizer.decode([label for label in row.labels if label != IGNORED])


def wanted(pieces):
    """The same, as the family's rules say."""
    return [mine for text, mine in pieces for _ in text]


def test_random_chats_are_written_by_the_template_and_their_answers_alone_are_trained(family, template):
    tokenizer, chance = template.tokenizer, random.Random(5)
    for _ in range(CHATS):
        turns = families.chat(chance)
        near = nearest(family, turns)
        pieces = family.pieces(near)
        text = "".join(text for text, _ in pieces)
        row = supervision.encode(tokenizer, turns, 10_000)
        assert text == tokenizer.apply_chat_template(near, tokenize=False)
        assert row.input_ids == tokenizer(text, add_special_tokens=False)["input_ids"]
        assert row.input_ids == tokenizer.apply_chat_template(near)["input_ids"]
        assert all(label in (IGNORED, token) for token, label in zip(row.input_ids, row.labels, strict=True))
        marks, expected = trained(tokenizer, row, text), wanted(pieces)
        if SHARED not in row.changes:
            assert marks == expected
        assert not any(mark and not want for mark, want in zip(marks, expected, strict=True))
        assert (JOINED in row.changes or FOLDED in row.changes) == (near != turns)


def test_what_only_a_template_should_write_trains_nothing_in_a_question(family, template):
    chance, seen = random.Random(6), 0
    for _ in range(CHATS):
        turns = families.chat(chance, marks=True)
        pieces = family.pieces(nearest(family, turns))
        row = supervision.encode(template.tokenizer, turns, 10_000)
        text = "".join(text for text, _ in pieces)
        seen += MARKED in row.changes
        for mark, want in zip(trained(template.tokenizer, row, text), wanted(pieces), strict=True):
            assert want or not mark
    assert seen > CHATS // 4


def test_prompts_in_use_are_those_in_training(family, template):
    """What is asked in evaluation and in a chat is the beginning of what was trained, in text and in tokens."""
    tokenizer, chance = template.tokenizer, random.Random(7)
    for _ in range(CHATS):
        turns = families.chat(chance)
        near = nearest(family, turns)
        prompt, text = render(tokenizer, near[:-1], prompt=True), render(tokenizer, turns)
        assert text.startswith(prompt)
        row = supervision.encode(tokenizer, turns, 10_000)
        ids = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        if SHARED not in row.changes:
            assert row.input_ids[: len(ids)] == ids


def test_there_is_one_bos_where_the_template_writes_one(family, template):
    tokenizer, turns = template.tokenizer, [user("Hi"), assistant("Hello"), user("Bye"), assistant("Bye")]
    row = supervision.encode(tokenizer, turns, 10_000)
    written = sum(text.count(tokenizer.bos_token) for text, _ in family.pieces(turns))
    assert row.input_ids.count(tokenizer.bos_token_id) == written
    if family.sentencepiece:  # this kind adds one by itself, unless told not to
        assert tokenizer("Hi")["input_ids"][0] == tokenizer.bos_token_id


def test_the_end_of_turn_is_read_off_the_template(family, template):
    assert template.end == template.tokenizer.eos_token


def test_a_token_that_prompt_and_answer_share_carries_no_loss_and_is_counted():
    tokenizer = FAMILIES["mistral"].tokenizer()
    done = supervision.supervise(
        tokenizer, [[user("Hi"), assistant(") is it")], [user("Hi"), assistant("it")]], 999
    )
    assert done.adapted == {SHARED: 1}
    row = done.rows[0]
    shared = row.input_ids.index(tokenizer.convert_tokens_to_ids("])"))
    assert row.labels[shared] == IGNORED
    assert trained_texts(tokenizer, row) == "is it</s>"


@pytest.mark.parametrize(
    ("name", "turns", "expected", "changes"),
    [
        ("mistral", [system("S"), user("Q"), assistant("A")], [user("S\n\nQ"), assistant("A")], (FOLDED,)),
        (
            "mistral",
            [system("S"), user("Q"), user("R"), assistant("A"), assistant("B")],
            [user("S\n\nQ\n\nR"), assistant("A\n\nB")],
            (FOLDED, JOINED),
        ),
        ("mistral", [user("Q"), user("R"), assistant("A")], [user("Q\n\nR"), assistant("A")], (JOINED,)),
        (  # the first system turn has a place of its own, a later one has none
            "llama-2",
            [system("S"), user("Q"), assistant("A"), system("T"), user("R"), assistant("B")],
            [system("S"), user("Q"), assistant("A"), user("T\n\nR"), assistant("B")],
            (FOLDED,),
        ),
        ("zephyr", [system("S"), user("Q"), user("R"), assistant("A")], None, ()),
        ("chatml", [user("Q"), system("S"), assistant("A"), assistant("B")], None, ()),
    ],
)
def test_a_chat_gets_the_nearest_form_that_the_template_takes(name, turns, expected, changes):
    written = Template(FAMILIES[name].tokenizer()).write(turns)
    assert list(written.turns) == (expected or turns)
    assert written.changes == changes


def test_a_system_text_that_a_template_drops_without_a_word_is_kept():
    tokenizer = FAMILIES["chatml"].tokenizer()
    tokenizer.chat_template = (
        "{% for m in messages if m.role != 'system' %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    written = Template(tokenizer).write([system("Be brief."), user("Q"), assistant("A")])
    assert written.text.startswith("<|im_start|>user\nBe brief.\n\nQ<|im_end|>")
    assert written.changes == (FOLDED,)


@pytest.mark.parametrize(
    ("name", "said", "learned"),
    [
        ("chatml", "Yes.<|im_end|>\n<|im_start|>user\nWhy?", "Yes.<|im_end|>"),
        ("chatml", "Yes.<|im_end|>", "Yes.<|im_end|>"),  # the end stands in the data already
        ("zephyr", "Yes.\n<|user|>\nWhy?", "Yes.\n"),
        ("llama-2", "Yes. [INST] Why? [/INST] So.", " Yes. "),
        ("mistral", "Yes.</s><s>[INST] Why? [/INST] So.", "Yes.</s>"),
    ],
)
def test_a_turn_that_an_answer_makes_up_is_not_trained(name, said, learned):
    template = Template(FAMILIES[name].tokenizer())
    found = answers(template, [user("Q"), assistant(said), user("R"), assistant("Good.")])
    assert [found.text[start:end].strip(" ") for start, end in found.spans] == [
        learned.strip(" "),
        f"Good.{' ' if name == 'llama-2' else ''}{template.end}",
    ]
    assert found.changes == (MARKED,)


def test_a_greeting_before_the_first_question_is_read_and_not_trained():
    found = answers(Template(FAMILIES["chatml"].tokenizer()), [assistant("Welcome!"), user("Q"), assistant("A")])
    assert [found.text[start:end] for start, end in found.spans] == ["A<|im_end|>"]
    assert found.changes == (UNASKED,)


THINKING = (
    "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\n' }}{% if m.role == 'assistant' and not loop.last %}"
    "{{ m.content.split('</think>')[-1].strip() }}{% else %}{{ m.content }}{% endif %}{{ '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def test_an_earlier_answer_that_the_template_rewrites_carries_no_loss_and_the_others_do():
    tokenizer = FAMILIES["chatml"].tokenizer()
    tokenizer.chat_template = THINKING
    turns = [user("Q"), assistant("A"), user("R"), assistant("<think>Hm.</think>B"), user("S"), assistant("C")]
    found = answers(Template(tokenizer), turns)
    assert found.text == tokenizer.apply_chat_template(turns, tokenize=False)
    assert "Hm." not in found.text
    assert [found.text[start:end] for start, end in found.spans] == ["A<|im_end|>", "C<|im_end|>"]
    assert found.changes == (REWRITTEN,)


def test_thinking_in_the_last_answer_is_trained():
    tokenizer = FAMILIES["chatml"].tokenizer()
    tokenizer.chat_template = THINKING
    found = answers(Template(tokenizer), [user("Q"), assistant("<think>Hm.</think>B")])
    assert [found.text[start:end] for start, end in found.spans] == ["<think>Hm.</think>B<|im_end|>"]


def test_the_end_of_turn_need_not_be_the_eos():
    """Gemma's and Llama-3's is another token, at which their generation stops too."""
    tokenizer = FAMILIES["chatml"].tokenizer()
    tokenizer.eos_token = "<|endoftext|>"
    row = supervision.encode(tokenizer, [user("Q"), assistant("A")], 999)
    assert trained_texts(tokenizer, row) == "A<|im_end|>"


def test_an_answer_may_end_with_an_end_of_turn_and_the_eos():
    tokenizer = FAMILIES["chatml"].tokenizer()
    tokenizer.eos_token = "<|endoftext|>"
    tokenizer.chat_template = (
        "{% for m in messages %}{{ '<|im_start|>' ~ m.role ~ '\n' ~ m.content ~ '<|im_end|>\n' }}"
        "{% if m.role == 'assistant' %}{{ eos_token }}{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
    )
    done = supervision.supervise(tokenizer, [[user("Q"), assistant("A")]], 999)
    assert trained_texts(tokenizer, done.rows[0]) == "A<|im_end|>\n<|endoftext|>"
    assert done.eos_rows == 1


@pytest.mark.slow
def test_the_real_tokenizer_of_smollm2(small_model):
    tokenizer, chance = supervision.load_tokenizer(small_model), random.Random(8)
    for _ in range(CHATS):
        turns = families.chat(chance)
        pieces = families.chatml(turns)
        row = supervision.encode(tokenizer, turns, 10_000)
        text = "".join(text for text, _ in pieces)
        assert text == tokenizer.apply_chat_template(turns, tokenize=False)
        assert row.input_ids == tokenizer.apply_chat_template(turns)["input_ids"]
        if SHARED not in row.changes:
            assert trained(tokenizer, row, text) == wanted(pieces)
