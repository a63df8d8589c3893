from __future__ import annotations

import pytest
from records import make_profile

from tunekit_hub.errors import UsageError
from tunekit_hub.recommendation import get_model_recommendation, recommend
from tunekit_hub.records import Lengths

XLMR, CLINICAL, BIO = "xlm-roberta-base", "emilyalsentzer/Bio_ClinicalBERT", "dmis-lab/biobert-base-cased-v1.1"
LONG, DEBERTA = "allenai/longformer-base-4096", "microsoft/deberta-v3-base"
TINY, LLAMA = "TinyLlama/TinyLlama-1.1B-Chat-v1.0", "meta-llama/Llama-2-7b-chat-hf"

# task, rows, description, stats → model
CASES = [
    # classification: by size, at both sides of each boundary
    ("classification", 0, "", {}, "distilbert-base-uncased"),
    ("classification", 999, "", {}, "distilbert-base-uncased"),
    ("classification", 1000, "", {}, "bert-base-uncased"),
    ("classification", 4999, "", {}, "bert-base-uncased"),
    ("classification", 5000, "", {}, "roberta-base"),
    ("classification", 9999, "", {}, "roberta-base"),
    ("classification", 10000, "", {}, DEBERTA),
    ("classification", 10**7, "", {}, DEBERTA),
    # … the wish for speed counts below 2,000 rows only
    ("classification", 1999, "a fast spam filter", {}, "distilbert-base-uncased"),
    ("classification", 2000, "a fast spam filter", {}, "bert-base-uncased"),
    ("classification", 50000, "efficient", {}, DEBERTA),
    ("classification", 3000, "the best accuracy", {}, "bert-base-uncased"),
    # … long texts
    ("classification", 500, "", {"p95_tokens": 512}, "distilbert-base-uncased"),
    ("classification", 500, "", {"p95_tokens": 513}, LONG),
    ("classification", 500, "fast", {"p95_tokens": 4000}, LONG),
    # … domain before length, language before all
    ("classification", 500, "", {"domain": "clinical", "p95_tokens": 900}, CLINICAL),
    ("classification", 50000, "", {"domain": "biomedical"}, CLINICAL),
    ("classification", 500, "", {"domain": None}, "distilbert-base-uncased"),
    ("classification", 500, "", {"languages": ["de"], "domain": "clinical", "p95_tokens": 900}, XLMR),
    ("classification", 500, "", {"languages": ["en", "fr"]}, XLMR),
    ("classification", 500, "", {"languages": ["en"]}, "distilbert-base-uncased"),
    ("classification", 500, "", {"languages": ["EN-gb", "en_US"]}, "distilbert-base-uncased"),
    ("classification", 500, "", {"languages": []}, "distilbert-base-uncased"),
    # ner
    ("ner", 999, "", {}, "distilbert-base-cased"),
    ("ner", 1000, "", {}, "bert-base-cased"),
    ("ner", 1999, "quick", {}, "distilbert-base-cased"),
    ("ner", 2000, "quick", {}, "bert-base-cased"),
    ("ner", 4999, "", {}, "bert-base-cased"),
    ("ner", 5000, "", {}, "roberta-base"),
    ("ner", 10**6, "", {}, "roberta-base"),
    ("ner", 100, "", {"domain": "clinical"}, CLINICAL),
    ("ner", 100000, "fast", {"domain": "biomedical"}, BIO),
    ("ner", 100, "", {"languages": ["es"], "domain": "biomedical"}, XLMR),
    ("ner", 100, "", {"p95_tokens": 2000}, "distilbert-base-cased"),
    # instruction tuning
    ("instruction_tuning", 0, "", {}, TINY),
    ("instruction_tuning", 4999, "", {}, TINY),
    ("instruction_tuning", 5000, "", {}, LLAMA),
    ("instruction_tuning", 10, "production chatbot", {}, LLAMA),
    ("instruction_tuning", 10, "fast", {}, TINY),
    ("instruction_tuning", 10, "", {"languages": ["de"], "domain": "clinical", "p95_tokens": 900}, TINY),
]


@pytest.mark.parametrize(("task", "rows", "description", "stats", "model"), CASES)
def test_every_branch_and_boundary(task, rows, description, stats, model):
    found = get_model_recommendation(task, rows, description, stats)
    assert found["model"] == model
    assert found["method"] == ("qlora" if task == "instruction_tuning" else "full")
    assert found["reasoning"]
    assert set(found) == {"model", "method", "reasoning"}


@pytest.mark.parametrize("stats", [None, {}, {"languages": None, "p95_tokens": None, "domain": None}, {"rows": 3}])
def test_stats_may_be_missing_or_empty(stats):
    assert get_model_recommendation("classification", 500, "", stats)["model"] == "distilbert-base-uncased"


@pytest.mark.parametrize(
    "text",
    ["fast", "FASTER answers", "Quickly!", "must be speedy", "high-speed", "efficiently", "the fastest one"],
)
def test_wishes_for_speed_are_heard(text):
    assert get_model_recommendation("ner", 1500, text, {})["model"] == "distilbert-base-cased"


@pytest.mark.parametrize("text", ["breakfast orders", "inefficient claims", "steadfast", "godspeed", "", None])
def test_words_inside_other_words_are_no_wish_for_speed(text):
    assert get_model_recommendation("ner", 1500, text, {})["model"] == "bert-base-cased"


@pytest.mark.parametrize(
    "text", ["Accurate", "the BEST", "quality first", "for production", "accurately", "best-in-class"]
)
def test_wishes_for_quality_are_heard(text):
    assert get_model_recommendation("instruction_tuning", 10, text, {})["model"] == LLAMA


@pytest.mark.parametrize("text", ["asbestos claims", "inaccurate answers", "overproduction", "equality law"])
def test_words_inside_other_words_are_no_wish_for_quality(text):
    assert get_model_recommendation("instruction_tuning", 10, text, {})["model"] == TINY


@pytest.mark.parametrize("task", ["summarization", "", "Classification", None])
def test_an_unknown_task_is_a_value_error_that_names_the_known_ones(task):
    with pytest.raises(ValueError, match="unknown task") as caught:
        get_model_recommendation(task, 10, "", {})
    assert isinstance(caught.value, UsageError)
    assert "`instruction_tuning`" in caught.value.hint


def test_a_wish_is_the_reason_where_it_decided():
    wished = get_model_recommendation("instruction_tuning", 10, "best", {})["reasoning"]
    counted = get_model_recommendation("instruction_tuning", 9000, "", {})["reasoning"]
    assert "quality" in wished
    assert "5,000 rows" in counted


def test_a_profile_gets_the_same_answer_and_the_ladder_behind_it():
    profile = make_profile(num_rows=6000)
    found = recommend(profile, "support chatbot")
    assert (found.model, found.method) == (LLAMA, "qlora")
    assert found.ladder[0] == "mistralai/Mistral-7B-Instruct-v0.2"
    assert found.ladder[-1] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert found.profile == profile


@pytest.mark.parametrize(
    ("changes", "model"),
    [
        ({"languages": ("en", "de")}, XLMR),
        ({"domain": "clinical"}, CLINICAL),
        ({"tokens": Lengths(p50=100, p95=513, max=600, total=9000)}, LONG),
        # The file counts, not the part of it that `--max-rows` leaves.
        ({"num_rows": 12000, "max_rows": 100}, DEBERTA),
        ({}, "distilbert-base-uncased"),
    ],
)
def test_what_the_profile_counted_decides(changes, model):
    assert recommend(make_profile(task="classification", **changes)).model == model
