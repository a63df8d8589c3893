"""What a profile says of the data: counts, lengths, languages, domain, duplicates, secrets."""

import json
import time

import pytest
from samples import ENGLISH, REAL_DATA

from tunekit_hub.errors import DataError, RunError, UsageError
from tunekit_hub.examples import load_examples
from tunekit_hub.profiling import profile
from tunekit_hub.sensitive import find_sensitive


@pytest.fixture
def write(tmp_path):
    def write(rows, name="rows.jsonl"):
        path = tmp_path / name
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return path

    return write


def qa(question, answer="It is done."):
    return {"question": question, "answer": answer}


def note(result, code):
    return next((note for note in result.notes if note.code == code), None)


def test_profile_of_chats(write):
    rows = [qa(ENGLISH[i], ENGLISH[i + 1]) for i in range(5)] + [qa("", "x")]
    path = write(rows)
    result = profile(path, max_rows=3)
    assert (result.task, result.shape, result.num_rows, result.used_rows) == (
        "instruction_tuning",
        "question/answer",
        5,
        3,
    )
    assert result.data.source == str(path)
    assert result.columns == {"question": "question", "answer": "answer"}
    assert result.languages == ("en",)
    assert result.domain is None
    assert result.counts["single_turn"] == 5
    tokens = result.tokens
    assert tokens.estimated
    assert 20 < tokens.p50 <= tokens.p95 <= tokens.max < 80
    assert tokens.total == pytest.approx(5 * tokens.p50, rel=0.3)
    assert [(n.code, n.lines) for n in result.notes] == [("empty-user-turn", (6,))]


def test_lengths_of_one_row(write):
    tokens = profile(write([qa("Hi")])).tokens
    assert tokens.p50 == tokens.p95 == tokens.max == tokens.total > 0


def test_unknown_task_lists_the_tasks(write):
    with pytest.raises(UsageError) as caught:
        profile(write([qa("Hi")]), task="poetry")
    assert "`poetry`" in caught.value.message
    assert "`instruction_tuning`" in caught.value.hint
    assert profile(write([qa("Hi")]), task="instruction_tuning").num_rows == 1


def test_max_rows_must_be_positive(write):
    with pytest.raises(UsageError, match="`max_rows` is 0"):
        profile(write([qa("Hi")]), max_rows=0)


def test_duplicates_are_found_whatever_their_case_and_spacing(write):
    rows = [qa("Where is it?"), qa("Who?"), qa("where  IS it? "), qa("Where is it?", "Gone."), qa("Who?")]
    duplicates = note(profile(write(rows)), "duplicates")
    assert (duplicates.count, duplicates.lines) == (2, (3, 5))
    assert note(profile(write(rows[:2])), "duplicates") is None


SECRETS = {
    "email-addresses": ["jane.doe+shop@mail.example.org"],
    "phone-numbers": [
        "+49 30 9018 20",
        "(555) 010-9999",
        "555-010-9999",
        "030 1234567",
        "08452810075",
        "+4915112345678",
    ],
    "card-numbers": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "api-keys": [
        "hf_" + "aBcDeFgHiJ" * 3 + "kLmN",
        "sk-" + "proj-0123456789abcdefABCDEF",
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "0123456789" * 3 + "abcdef",
        "-----BEGIN RSA PRIVATE KEY-----",
    ],
}


@pytest.mark.parametrize(
    ("code", "value"), [(code, value) for code, values in SECRETS.items() for value in values]
)
def test_secrets_are_counted_with_lines_and_never_shown(write, code, value):
    result = profile(write([qa("Nothing here"), qa(f"Write to {value}, please."), qa("Nor here", "No.")]))
    assert {n.code: (n.count, n.lines) for n in result.notes} == {code: (1, (2,))}
    assert value not in repr(result)
    assert value not in result.model_dump_json()


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112 fails the check digit, 0000 0000 0000 0000 is not one",
        "On 2024-01-15 at 12:30:45 we sold 1,234,567 of 7654321 for $12,345.67",
        "x = 5 +12 345 and 3.14159265358979 and 1234567890123",
        "digits are 0123456789, the hash is 5f4dcc3b5aa765d61d8327deb882cf99",
        "install @types/node@18.2.1, or mail me at home; ask-me-anything sk-short hf_token",
        "version 10.0.19041.1, port 8080, ISBN 978-3-16-148410-0, order 123-4567890-1234567",
    ],
)
def test_ordinary_numbers_are_no_secrets(text):
    assert find_sensitive([text], [1]) == {}


def test_examples_are_the_profiled_rows(write):
    path = write([qa(f"Question {i}?", f"Answer {i}.") for i in range(10)] + [qa("")])
    examples = load_examples(profile(path, max_rows=5))
    assert [row[1]["content"] for row in examples.rows] == [f"Answer {i}." for i in range(0, 10, 2)]
    assert list(examples.lines) == [1, 3, 5, 7, 9]
    assert len(load_examples(profile(path)).rows) == 10


def test_examples_of_mapped_columns(write):
    path = write([{"Frage": "Hi", "Antwort": "Hello", "question": "no"}])
    result = profile(path, columns={"question": "Frage", "answer": "Antwort"})
    assert load_examples(result).rows[0][0] == {"role": "user", "content": "Hi"}


def test_changed_data_is_refused(write):
    path = write([qa("One?")])
    result = profile(path)
    write([qa("Two?")])
    with pytest.raises(RunError, match="has changed since it was profiled"):
        load_examples(result)
    path.unlink()
    with pytest.raises(DataError, match="does not exist"):
        load_examples(result)


GSM8K = REAL_DATA / "gsm8k" / "train.jsonl"


@pytest.mark.skipif(not GSM8K.exists(), reason="gsm8k is not on this machine")
def test_school_mathematics_is_english_of_no_domain_and_fast():
    start = time.perf_counter()
    result = profile(GSM8K)
    assert time.perf_counter() - start < 5
    assert result.num_rows == 7473
    assert result.languages == ("en",)
    assert result.domain is None
    assert result.notes == ()
    assert result.tokens.p95 < 512
