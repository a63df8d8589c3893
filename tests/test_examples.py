"""Our own example data: what `examples/README.md` says of it holds, and nothing in it is a real person's."""

from __future__ import annotations

import csv
import re
from collections import Counter
from itertools import combinations
from pathlib import Path

import pyarrow as pa
import pytest

from tunekit_hub import profiling, recommendation
from tunekit_hub.demo import DEMOS
from tunekit_hub.profiles.sensitive import find_sensitive

EXAMPLES = Path(__file__).parent.parent / "examples"
README = (EXAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tickets() -> list[tuple[str, str]]:
    with DEMOS["classification"].path.open(encoding="utf-8", newline="") as file:
        return [(row["message"], row["topic"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def reports() -> list[list[tuple[str, str]]]:
    """Sentences of (token, tag)."""
    sentences = DEMOS["ner"].path.read_text(encoding="utf-8").strip().split("\n\n")
    return [[tuple(line.split("\t")) for line in sentence.split("\n")] for sentence in sentences]


def words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.lower()))


def test_the_readme_counts_and_names_right(tickets, reports):
    topics = Counter(topic for _, topic in tickets)
    kinds = {tag[2:] for sentence in reports for _, tag in sentence if tag != "O"}
    assert f"| {len(tickets)} messages" in README
    assert f"{min(topics.values())} to {max(topics.values())} of a topic" in README
    assert re.search(r"^The topics: (.*)\.$", README, re.M)[1] == ", ".join(f"`{name}`" for name in sorted(topics))
    assert f"| {len(reports)} sentences" in README
    assert set(re.findall(r"^- `(\w+)`:", README, re.M)) == kinds


def test_no_two_rows_say_the_same(tickets, reports):
    texts = [message for message, _ in tickets]
    for rows in (texts, [" ".join(token for token, _ in sentence) for sentence in reports]):
        assert max(len(a & b) / len(a | b) for a, b in combinations(map(words, rows), 2)) < 0.8
        assert len({row.lower() for row in rows}) == len(rows)


def test_every_tag_sequence_is_legal(reports):
    for sentence in reports:
        for (_, before), (token, tag) in zip([("", "O"), *sentence], sentence, strict=False):
            assert token.strip() == token != ""
            assert tag == "O" or re.fullmatch(r"[BI]-(MACHINE|PART|CODE|PLACE)", tag)
            assert not tag.startswith("I-") or before[2:] == tag[2:], sentence


def entities(sentence: list[tuple[str, str]]) -> set[tuple[str, ...]]:
    spans: list[list[str]] = []
    for token, tag in sentence:
        if tag.startswith("B-"):
            spans.append([])
        if tag != "O":
            spans[-1].append(token.lower())
    return {tuple(span) for span in spans}


def test_a_list_of_the_entities_would_not_do(reports):
    held_out = reports[::5]
    rest = [sentence for i, sentence in enumerate(reports) if i % 5]
    known = set().union(*map(entities, rest))
    asked = [entity for sentence in held_out for entity in entities(sentence)]
    assert 0.5 < sum(entity not in known for entity in asked) / len(asked) < 0.8
    single = {entity[0] for entity in known if len(entity) == 1}
    outside = {token.lower() for sentence in reports for token, tag in sentence if tag == "O"}
    assert {"belt", "heron"} <= single & outside
    assert len(single & outside) >= 10


def test_nothing_in_it_looks_like_a_secret_or_a_person(tickets, reports):
    texts = [message for message, _ in tickets] + [" ".join(token for token, _ in s) for s in reports]
    found = find_sensitive(pa.chunked_array([pa.array(texts, pa.large_string())]), range(len(texts)))
    assert list(found) == []


@pytest.mark.parametrize(
    ("kind", "task", "first"),
    [
        ("chat", "instruction_tuning", "meta-llama/Llama-2-7b-chat-hf"),
        ("classification", "classification", "distilbert-base-uncased"),
        ("ner", "ner", "distilbert-base-cased"),
    ],
)
def test_task_and_model_follow_from_the_rows(kind, task, first):
    demo = DEMOS[kind]
    profile = profiling.profile(demo.path)
    assert (profile.task, profile.languages) == (task, ("en",))
    picked = recommendation.recommend(profile, demo.description)
    assert picked.model == first
    assert picked.ladder[-1] == demo.weights
