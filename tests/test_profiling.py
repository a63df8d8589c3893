"""What a profile says of the data: counts, lengths, languages, domain, duplicates, secrets."""

import csv
import json
from types import SimpleNamespace

import pytest
from samples import ENGLISH, REAL_DATA

from tunekit_hub.errors import DataError, RunError, UsageError
from tunekit_hub.examples import load_examples
from tunekit_hub.profiles.recognition import recognise
from tunekit_hub.profiles.sensitive import find_sensitive
from tunekit_hub.profiling import profile
from tunekit_hub.tasks import Match


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
    "bank-accounts": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "NL91 ABNA 0417 1643 00"],
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
        "DE88 3704 0044 0532 0130 00 fails the check, XX82 WEST 1234 5698 7654 32 is of no country",
        "version 10.0.19041.1, port 8080, ISBN 978-3-16-148410-0, order 123-4567890-1234567",
    ],
)
def test_ordinary_numbers_are_no_secrets(text):
    assert find_sensitive([text], [1]) == {}


def test_examples_are_the_profiled_rows(write):
    path = write([qa(f"Question {i}?", f"Answer {i}.") for i in range(10)] + [qa("")])
    examples = load_examples(profile(path, max_rows=5)).train
    assert [row[1]["content"] for row in examples.rows] == [f"Answer {i}." for i in range(0, 10, 2)]
    assert list(examples.lines) == [1, 3, 5, 7, 9]
    assert len(load_examples(profile(path)).train.rows) == 10


def test_examples_of_mapped_columns(write):
    path = write([{"Frage": "Hi", "Antwort": "Hello", "question": "no"}])
    result = profile(path, columns={"question": "Frage", "answer": "Antwort"})
    assert load_examples(result).train.rows[0][0] == {"role": "user", "content": "Hi"}


def test_changed_data_is_refused(write):
    path = write([qa("One?")])
    result = profile(path)
    write([qa("Two?")])
    with pytest.raises(RunError, match="has changed since it was profiled"):
        load_examples(result)
    path.unlink()
    with pytest.raises(DataError, match="does not exist"):
        load_examples(result)


SUBJECTS = [
    "my parcel",
    "the invoice",
    "a refund",
    "this lamp",
    "my account",
    "your opening hours",
    "the blue chair",
]


def tickets(path, rows=70, labels=("open", "billing")):
    """A CSV of questions, each with a label."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for n in range(rows):
            writer.writerow([f"Question {n} about {SUBJECTS[n % 7]}, please answer soon", labels[n % len(labels)]])
    return path


def test_profile_of_labelled_texts(tmp_path):
    result = profile(tickets(tmp_path / "tickets.csv", labels=("open", "open", "billing")))
    assert (result.task, result.shape, result.num_rows) == ("classification", "single-label", 70)
    assert result.labels == {"open": 47, "billing": 23}
    assert [(c.name, c.role, c.kind, c.empty, c.distinct) for c in result.found] == [
        ("text", "text", "text", 0, 70),
        ("label", "label", "text", 0, 2),
    ]
    assert profile(tmp_path / "tickets.csv", columns={"label": "label"}).task == "classification"


def test_equal_texts_with_different_labels_are_told_apart_from_plain_repeats(tmp_path):
    path = tickets(tmp_path / "tickets.csv")
    first = "Question 0 about my parcel, please answer soon"
    with path.open("a", encoding="utf-8") as file:
        file.write(f'"{first.upper()}",open\n"{first}",billing\n')
    result = profile(path)
    assert note(result, "duplicates").lines == (72, 73)
    conflicts = note(result, "label-conflicts")
    assert (conflicts.count, conflicts.lines) == (1, (73,))


def test_rows_of_the_test_file_that_are_in_the_data_too_are_counted(tmp_path):
    train = tickets(tmp_path / "train.csv")
    words = "How long does it take until a parcel that I have sent back has arrived and the money is on my account"
    with train.open("a", encoding="utf-8") as file:
        file.write(f"{words},open\n")
    test = tmp_path / "test.csv"
    with test.open("w", encoding="utf-8") as file:
        file.write("text,label\n")
        file.write('"question 1 about THE INVOICE,  please answer soon",billing\n')
        file.write("Something else entirely that nobody has asked before,open\n")
        file.write(f"{words} again,open\nWhere can I read your terms and conditions,legal\n")
    result = profile(train, test_file=str(test))
    assert (result.test_rows, result.test.source) == (4, str(test))
    assert (note(result, "leakage").count, note(result, "leakage").lines) == (1, (2,))
    assert note(result, "near-leakage").lines == (4,)
    assert "`legal`" in note(result, "unseen-labels").message
    assert result.num_rows == 71


def test_examples_of_the_test_file_are_read_again_too(tmp_path):
    test = tickets(tmp_path / "test.csv", rows=60)
    loaded = load_examples(profile(tickets(tmp_path / "train.csv"), test_file=str(test)))
    assert (len(loaded.train.rows), len(loaded.test.rows)) == (70, 60)


def test_a_test_file_needs_the_columns_of_the_data(tmp_path):
    test = tmp_path / "test.csv"
    test.write_text("sentence,label\nHow do you do today,open\nWhere is it now,billing\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"the test file .* has no column `text`"):
        profile(tickets(tmp_path / "train.csv"), test_file=str(test))


def test_a_question_beside_an_answer_is_a_chat_unless_the_user_says_otherwise(tmp_path):
    path = tmp_path / "pairs.jsonl"
    rows = [{"prompt": f"Is {n} {SUBJECTS[n % 7]} here?", "completion": ("yes", "no")[n % 2]} for n in range(60)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = profile(path)
    assert result.task == "instruction_tuning"
    chosen = profile(path, task="classification", columns={"text": "prompt", "label": "completion"})
    assert chosen.task == "classification"
    assert profile(path, columns={"text": "prompt", "label": "completion"}).task == "classification"


def test_a_task_that_others_could_share_says_so():
    class Rows:
        class table:
            column_names = ["a", "b"]

    def task(name, match):
        return SimpleNamespace(name=name, detect=lambda rows, columns: match, accepts="")

    first, second = Match("x", {"t": "a"}, "looks like x"), Match("y", {"t": "b"}, "looks like y")
    found, match = recognise(Rows, [task("one", None), task("two", first), task("three", second)], {})
    assert (found.name, match.columns) == ("two", {"t": "a"})
    assert "looks like x; `three` could use them too (looks like y)" in match.why
    assert "`--task three`" in match.why


def test_an_ambiguity_of_one_task_is_raised_only_if_no_other_task_fits():
    class Rows:
        class table:
            column_names = ["a"]

    def ambiguous(rows, columns):
        raise DataError("could be any", "say which")

    unsure = SimpleNamespace(name="one", detect=ambiguous, accepts="")
    sure = SimpleNamespace(name="two", detect=lambda rows, columns: Match("x", {}, "sure"), accepts="")
    assert recognise(Rows, [unsure, sure], {})[0] is sure
    with pytest.raises(DataError, match="could be any"):
        recognise(Rows, [unsure], {})


GSM8K = REAL_DATA / "gsm8k" / "train.jsonl"


@pytest.mark.skipif(not GSM8K.exists(), reason="gsm8k is not on this machine")
def test_school_mathematics_is_english_of_no_domain():
    result = profile(GSM8K)
    assert result.num_rows == 7473
    assert result.languages == ("en",)
    assert result.domain is None
    assert result.notes == ()
    assert result.tokens.p95 < 512


@pytest.mark.skipif(not (REAL_DATA / "sms_spam").exists(), reason="sms_spam is not on this machine")
def test_short_messages_are_english_of_no_domain():
    result = profile(REAL_DATA / "sms_spam" / "sms.tsv")
    assert (result.task, result.num_rows, result.languages, result.domain) == (
        "classification",
        5574,
        ("en",),
        None,
    )
    assert result.labels == {"ham": 4827, "spam": 747}
    assert note(result, "duplicates").count > 400


@pytest.mark.skipif(not (REAL_DATA / "wnut17").exists(), reason="wnut17 is not on this machine")
def test_tagged_tweets_are_english_of_no_domain():
    result = profile(REAL_DATA / "wnut17" / "wnut17train.conll")
    assert (result.task, result.num_rows, result.languages, result.domain) == ("ner", 3394, ("en",), None)
    assert len(result.labels) == 6


@pytest.mark.skipif(not (REAL_DATA / "ncbi_disease").exists(), reason="ncbi_disease is not on this machine")
def test_abstracts_are_biomedical_and_the_words_are_told():
    result = profile(REAL_DATA / "ncbi_disease" / "train.tsv")
    assert (result.task, result.domain) == ("ner", "biomedical")
    assert {"gene", "mutation"} <= set(result.domain_words)
