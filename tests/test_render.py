"""Pages a person reads: aligned, at most 100 columns, whole without colour, deaf to what data would command."""

import json
import re

import pytest
import records as made
from run_folder import make_run_folder

from tunekit_hub import render
from tunekit_hub.errors import RunError
from tunekit_hub.facts import Finding
from tunekit_hub.records import Note
from tunekit_hub.render.during import curve
from tunekit_hub.render.layout import cells, wrap

RECORDS = {
    "profile": made.make_profile,
    "recommendation": made.make_recommendation,
    "selection": made.make_selection,
    "verdicts": made.make_verdicts,
    "plan": made.make_plan,
    "rehearsal": made.make_rehearsal,
    "supervision": made.make_supervision,
    "training": made.make_training,
    "evaluation": made.make_evaluation,
    "publication": made.make_publication,
}


@pytest.mark.parametrize("make", RECORDS.values(), ids=RECORDS)
@pytest.mark.parametrize("width", [60, 100])
def test_no_line_is_wider_than_asked(make, width):
    page = render.text(make(), width=width)
    assert page.endswith("\n")
    assert max(map(cells, page.splitlines())) <= width


@pytest.mark.parametrize("make", RECORDS.values(), ids=RECORDS)
def test_colour_adds_nothing_but_bold_and_dim(make):
    colored = render.text(make(), color=True, width=100)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[012]m", "", colored) == render.text(make(), color=False, width=100)


def test_selection_shows_every_model_every_finding_and_marks_the_chosen_one():
    selection = made.make_selection()
    page = render.text(selection, width=100)
    words = " ".join(page.split())
    for verdict in selection.verdicts:
        assert verdict.model in page
        for finding in verdict.findings:
            assert finding.message in words
            assert finding.fix in words
    assert page.count("turned down") == 4
    assert f"{made.BASE}: chosen" in page
    assert re.search(r"✗ block +access +gated, and this token has no access", page)
    assert re.search(r"✓ pass +files ", page)


def test_selection_says_which_models_were_never_asked():
    found = made.make_verdicts()[4:]
    page = render.text(made.make_selection(verdicts=found), width=100)
    assert "not asked: meta-llama/Llama-2-7b-chat-hf" in page


def test_every_status_has_a_symbol_and_a_word():
    findings = tuple(
        Finding(check=f"c{n}", status=status, message="m")
        for n, status in enumerate(("pass", "warn", "block", "unknown"))
    )
    page = render.text((made.make_verdicts()[0].but(findings=findings),), width=100)
    for marked in ("✓ pass", "! warn", "✗ block", "? unknown"):
        assert marked in page


def test_plan_gives_the_reason_beside_each_setting():
    page = render.text(made.make_plan(), width=100)
    assert re.search(r"precision +bf16 +this CPU has bf16 units", page)
    assert re.search(r"activations +900 MB", page)
    assert re.search(r"sum +1\.9 GB", page)
    assert "4 min 10 s" in page
    full = render.text(made.make_plan(method="full", lora_rank=None, lora_alpha=None), width=100)
    assert "lora rank" not in full


def test_profile_names_lines_and_says_when_not_all_rows_are_used():
    note = Note(code="empty", message="no answer", count=40, lines=(3, 9))
    page = render.text(made.make_profile(max_rows=100, notes=(note,)), width=100)
    assert "240, of which 100 are used" in page
    assert "40 × no answer (lines 3, 9 and 38 more)" in page


def test_evaluation_says_in_words_whether_it_helped():
    worse = made.make_evaluation(helped=False, verdict="Fine-tuning did not help.")
    page = render.text(worse, width=100)
    assert "! Fine-tuning did not help." in page
    assert "2.41 (2.2 to 2.62)" in page
    assert "8 of 8" in page


def test_publication_says_when_nothing_changed():
    assert "nothing had changed" in render.text(made.make_publication(changed=False), width=100)


def test_answers_stand_side_by_side(tmp_path):
    page = render.answers(make_run_folder(tmp_path / "run") / "answers.jsonl", width=80)
    assert max(map(cells, page.splitlines())) <= 80
    rows = [line.split("│") for line in page.splitlines() if "│" in line]
    assert len({cells(left) for left, _ in rows}) == 1
    assert any("Lamps" in left or "lamp" in left for left, _ in rows)
    assert any("30 days" in right for _, right in rows)


def test_answers_in_wide_characters_keep_their_columns(tmp_path):
    path = tmp_path / "answers.jsonl"
    answer = {"prompt": "包裹在哪里", "untuned": "我不知道" * 20, "tuned": "", "reference": ""}
    path.write_text(json.dumps(answer) + "\n", encoding="utf-8")
    page = render.answers(path, width=60)
    assert max(map(cells, page.splitlines())) <= 60
    assert "(nothing)" in page


def test_answers_that_cannot_be_read_are_an_error_with_the_way_out(tmp_path):
    with pytest.raises(RunError) as caught:
        render.answers(tmp_path / "answers.jsonl")
    assert "tunekit-hub evaluate" in caught.value.hint


def test_data_cannot_command_the_terminal():
    evil = "\x1b]0;owned\x07\x1b[31mred\x9b2J\rover"
    profile = made.make_profile(why=evil, shape=evil)
    page = render.text(profile, width=100)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", page)
    page = render.text((made.make_verdicts()[0].but(model=evil),), width=100)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", page)


def test_wrap_breaks_words_only_when_they_are_longer_than_a_line():
    assert wrap("one two three", 8) == ["one two", "three"]
    assert wrap("x" * 20, 8) == ["x" * 8, "x" * 8, "x" * 4]
    assert wrap("a\n\nb", 8) == ["a", "", "b"]


def test_curve_falls_with_the_loss():
    assert curve([3.0, 2.0, 1.0])[0] > curve([3.0, 2.0, 1.0])[-1]
    assert curve([1.0]) == "▁"
    assert len(curve([float(n) for n in range(300)])) == 40
