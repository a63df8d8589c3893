"""The page of a profile, and what it says the data means."""

import re

import pytest
import records as made

from tunekit_hub import registry, render
from tunekit_hub.profiles import meaning
from tunekit_hub.records import Column, Lengths, Note
from tunekit_hub.render.layout import cells

THRESHOLD = 512  # of the registry's Longformer rule


def labelled(**changes):
    """5,600 labelled texts."""
    fields = {
        "task": "classification",
        "why": "column `label` holds 2 values that repeat; column `text` holds text",
        "shape": "single-label",
        "columns": {"text": "text", "label": "label"},
        "found": (
            Column(name="text", role="text", kind="text", empty=0, distinct=5500),
            Column(name="label", role="label", kind="text", empty=0, distinct=2),
            Column(name="date", role=None, kind="text", empty=12, distinct=300),
        ),
        "num_rows": 5600,
        "labels": {"ham": 3000, "spam": 2600},
        "counts": {"labels": 2},
        "notes": (),
    }
    return made.make_profile(**(fields | changes))


def page(profile, width=100):
    return render.text(profile, width=width)


def said(profile):
    return " ".join(meaning.explain(profile))


def test_columns_stand_in_a_table():
    text = page(labelled())
    assert re.search(r"text +text +text +0 +5,500", text)
    assert re.search(r"date +text +12 +300", text)


def test_labels_have_a_count_a_share_and_a_bar():
    text = page(labelled(labels={"ham": 4480, "spam": 1120}))
    rows = {line.split()[0]: line for line in text.splitlines() if "▇" in line}
    assert "80.0 %" in rows["ham"]
    assert rows["ham"].count("▇") == 4 * rows["spam"].count("▇")


def test_of_many_labels_the_rare_ones_are_folded():
    labels = {f"label {n}": 200 - n for n in range(77)}
    text = page(labelled(labels=labels))
    assert text.count("▇ ") + text.count("▇\n") == 12
    assert "65 more, 124 to 188 each" in text


def test_several_labels_a_row_have_shares_of_the_rows():
    profile = labelled(labels={"a": 5600, "b": 2800}, counts={"labels": 2, "rows_with_several_labels": 2800})
    assert re.search(r"b +2,800 +50\.0 %", page(profile))


def test_the_words_that_gave_the_domain_away_are_told():
    text = page(labelled(domain="biomedical", domain_words=("gene", "protein")))
    assert "biomedical (gene, protein)" in text
    assert "emilyalsentzer/Bio_ClinicalBERT" in text


def test_notes_are_grouped_and_name_lines():
    codes = ("empty-text", "duplicates", "leakage", "test-empty-text", "phone-numbers")
    notes = tuple(Note(code=code, message=f"3 rows {code}", count=3, lines=(4, 7, 9)) for code in codes)
    text = page(labelled(notes=notes))
    order = ["Rows to look at", "Repeated rows", "Test file", "Secrets and personal data", "What this means"]
    places = [text.index(title) for title in order]
    assert places == sorted(places)
    assert "! 3 rows empty-text (lines 4, 7 and 9)" in text
    assert text.index("test-empty-text") < text.index("phone-numbers")


@pytest.mark.parametrize("width", [60, 80, 100])
def test_wide_characters_and_long_names_stay_within_the_page(width):
    labels = {"退款请求" * 12: 3000, "運送状況の問い合わせ": 2000, "a" * 90: 600, "\x1b[31mred\nline": 10}
    found = (Column(name="列" * 40, role="text", kind="text", empty=0, distinct=5500),) * 2
    note = Note(code="empty-text", message="長い" * 60, count=30, lines=tuple(range(1_000_000, 1_000_020)))
    text = page(labelled(labels=labels, found=found, notes=(note,), why="理由" * 50), width)
    assert max(map(cells, text.splitlines())) <= width
    assert "\x1b" not in text


def test_uneven_labels_mean_weights_and_macro_f1():
    sentence = "`ham` is 12 times as frequent as `spam`: rare labels weigh more in training, and macro F1"
    assert sentence in said(labelled(labels={"ham": 5160, "spam": 430}))
    assert "as frequent" not in said(labelled())


def test_labels_of_few_rows_are_counted():
    assert "1 label has fewer than 20 examples" in said(labelled(labels={"a": 3000, "b": 2590, "c": 10}))


@pytest.mark.parametrize(("rows", "wide"), [(100, "±5.9"), (400, "±2.9"), (8, "±21 ")])
def test_the_number_of_test_rows_tells_how_sure_a_score_will_be(rows, wide):
    assert f"about {wide}" in said(labelled(test_rows=rows))


def test_rules_that_hold_are_told_and_no_later_one():
    text = said(labelled(languages=("en", "de"), domain="clinical"))
    assert "Text in `de`, which is beyond `en`: the rules take `xlm-roberta-base`" in text
    assert "ClinicalBERT" not in text


def test_long_texts_mean_a_model_that_reads_them():
    text = said(labelled(tokens=Lengths(p50=300, p95=THRESHOLD + 1, max=900, total=10**6)))
    assert "`allenai/longformer-base-4096`" in text
    near = said(labelled(tokens=Lengths(p50=300, p95=THRESHOLD, max=900, total=10**6)))
    assert "Lengths are near the 512 tokens above which the rules take `allenai/longformer-base-4096`" in near
    assert "near" not in said(labelled(tokens=Lengths(p50=30, p95=90, max=900, total=10**6)))


@pytest.mark.parametrize(
    ("rows", "model", "other"),
    [
        (990, "distilbert-base-uncased", "from 1,000 rows on it would be `bert-base-uncased`"),
        (1000, "bert-base-uncased", "below 1,000 rows it would be `distilbert-base-uncased`"),
        (3000, "bert-base-uncased", ""),
        (50_000, "microsoft/deberta-v3-base", ""),
    ],
)
def test_the_number_of_rows_and_the_threshold_it_is_near(rows, model, other):
    text = said(labelled(num_rows=rows))
    assert f"{rows:,} rows: by number the rules take `{model}`" in text
    assert other in text
    assert ("it would be" in text) == bool(other)


def test_what_is_said_of_rows_follows_the_registry(monkeypatch):
    loaded = registry.load()
    rules = loaded.tasks["classification"]
    changed = [rule.but(when=rule.when.but(rows_below=rule.when.rows_below and 77)) for rule in rules.rules]
    tasks = {**loaded.tasks, "classification": rules.but(rules=tuple(changed))}
    monkeypatch.setattr(registry, "load", lambda: loaded.but(tasks=tasks))
    assert "from 77 rows on" in said(labelled(num_rows=76))


def test_notes_say_what_follows_from_them():
    def noted(*codes, **changes):
        return said(labelled(notes=tuple(Note(code=c, message="m", count=1) for c in codes), **changes))

    assert "one side of the split" in noted("duplicates")
    assert "one side of the split" not in noted("duplicates", test=made.make_profile().data, test_rows=9)
    assert "not trained on" in noted("leakage")
    assert "before you publish" in noted("email-addresses")
    assert "cap the score" in noted("label-conflicts")
    assert "before you publish" not in noted()


def test_chats_of_several_turns():
    assert "40 % of the conversations have several answers" in said(made.make_profile())
