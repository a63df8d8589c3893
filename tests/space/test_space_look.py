"""The HTML of the pages: safe whatever the data hold, readable without colour, in the page's own words."""

from __future__ import annotations

import ast
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import records as made

from tunekit_hub import figures, replies
from tunekit_hub.runfile import Failure

PACKAGE = Path(__file__).parent.parent.parent / "tunekit_hub"
EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>"\'&'


class Tags(HTMLParser):
    """Which tags there are, and which attributes begin with `on`; that every one is closed again."""

    def __init__(self, text: str):
        super().__init__()
        self.tags, self.events, self.open = set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.events += [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("img", "br", "circle", "line", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("circle", "line", "polyline"):
            assert self.open.pop() == tag

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag) if tag in self.open[-1:] else None


def checked(text: str) -> str:
    found = Tags(text)
    assert not found.open
    assert not found.events
    assert not {"script", "iframe", "object"} & found.tags
    return text


def state(**changes):
    from tunekit_hub.runs import RunState

    fields = {
        "id": "ab" * 8,
        "title": EVIL,
        "status": "failed",
        "stage": "training",
        "place": None,
        "created": 0.0,
        "started": 1.0,
        "ended": 3.0,
        "error": Failure(code="x", message=EVIL, hint=EVIL),
        "note": EVIL,
        "source": EVIL,
        "task": None,
        "model": EVIL,
        "gain": EVIL,
        "published": None,
        "progress": None,
        "can": frozenset({"resume", "delete"}),
    }
    return RunState(**(fields | changes))


def test_nothing_that_comes_from_outside_becomes_html(pages, tmp_path):
    profile = made.make_profile(
        labels={EVIL: 3, "b": 1},
        why=EVIL,
        domain_words=(EVIL,),
        columns={EVIL: EVIL},
        found=(figures.Column(name=EVIL, role=None, kind="text", empty=0, distinct=2),),
        notes=(figures.Note(code="x", message=EVIL, count=1),),
    )
    checked(pages("told_data").show(profile))
    selection = made.make_selection(
        made.make_recommendation(profile, reasoning=EVIL, description=EVIL), model=EVIL
    )
    evil = [
        verdict.but(model=EVIL, findings=tuple(f.but(message=EVIL, fix=EVIL) for f in verdict.findings))
        for verdict in selection.verdicts
    ]
    from tunekit_hub.facts import Options

    checked(pages("told_model").show_chosen(selection.but(verdicts=tuple(evil)), Options(source="x", model="y")))
    checked(pages("told_plan").show(made.make_plan(selection, advice=EVIL)))
    told_run, results = pages("told_run"), pages("told_results")
    checked(told_run.status(state()))
    checked(told_run.log([{"event": "note", "message": EVIL, "time": 1.0}]))
    checked(pages("my_runs").show((state(), state(status="done"))))
    checked(results.scores(made.make_evaluation(verdict=EVIL)))
    checked(results.training(made.make_training(stopped_early=EVIL), EVIL))
    (tmp_path / "m.jsonl").write_text(json.dumps({EVIL: EVIL, "confidence": 0.5}) + "\n")
    checked(results.mistakes(tmp_path / "m.jsonl"))
    (tmp_path / "c.csv").write_text('"t",a,b\na,1,2\nb,0,4\n')
    (tmp_path / "c.png").write_bytes(b"png")
    assert "Confused most" in checked(results.confusion(tmp_path / "c.png", tmp_path / "c.csv"))
    marks = (replies.Marked(0, 4, EVIL, 0.9),)
    for reply in (
        replies.Reply(EVIL),
        replies.Reply(scores=((EVIL, 1.0),), chosen=(EVIL,)),
        replies.Reply(marks=marks),
    ):
        checked(results.reply(EVIL, reply))


def test_the_curve_can_be_read_aloud_and_keeps_its_size(pages):
    draw = pages("curve").draw
    losses = [(step, 3 - step / 50) for step in range(1, 101)]
    empty, full = checked(draw(())), checked(draw(losses, [(50, 2.2)], 200))
    size = 'viewBox="0 0 640 260" role="img"'
    assert size in empty
    assert size in full
    assert "no step has been logged yet" in empty
    assert (
        'aria-label="Training loss 2.980 at step 1, 1.000 at step 100; validation loss 2.200 at step 50"' in full
    )


def test_a_status_is_a_word_and_a_symbol_not_a_colour(pages):
    look = pages("look")
    shown = look.badge("block", "license")
    assert '<b aria-hidden="true">✗</b>' in shown
    assert '<span class="tk-hidden">block: </span>license' in shown


HINTS = {
    "read x; if you may use it, add `--accept-license a/b`": "read x; if you may use it, press “Accept its terms”",
    "choose another model with `--model`": "choose another model under Model",
    "take one that was tuned to chat: `--model …`": "take one that was tuned to chat, under Model",
    "try another one: `--model …`": "try another one",
    "raise the budget: --max-time 12m": "raise the time limit to 12m",
    "set --max-time to choose a faster model": "set a time limit to choose a faster model",
    "a run with a larger `--max-time`": "a run with a larger time limit",
    "cut rows to 256: `--set max_tokens=256`": "cut rows to 256 (Longest row, under More about the model)",
    "a larger machine: `--hardware t4-small` ($0.40)": "a larger machine: `t4-small` under Hardware ($0.40)",
    "say which: `--column text=body`": "say which: `text=body` under Columns",
    "choose one with `--column text=a`": "choose one: `text=a` under Columns",
    "name other columns with `--column text=A` and `--column label=B`": (
        "name other columns: `text=A` and `label=B` under Columns"
    ),
    "name its license: `--dataset-license ID`; or": "name its license under License of the data; or",
    "publish with `--public`, or with `--weights adapter`": (
        "publish with Private switched off, or with “Adapter only” under Weights"
    ),
    "publish without `--public`": "publish with Private switched on",
    "leave `--weights` out": "choose “As the plan says” under Weights",
    "train without them: `--max-dropped 3`": "train without them: `--max-dropped 3`",  # there is no control
    "sign in with `hf auth login`": "sign in with `hf auth login`",
}


@pytest.mark.parametrize(("hint", "said"), HINTS.items())
def test_hints_name_the_controls_of_the_page(hint, said, pages):
    assert pages("controls").named(hint) == said


# Flags that have a control; what only the terminal says is not looked at.
CONTROLLED = "accept-license|task|column|model|hardware|use|max-time|set max_tokens|public|weights|dataset-license"
TERMINAL = {"cli", "localhub", "card", "render"}


def said_by_the_package() -> list[str]:
    """Every text in its code that names such a flag, whatever it is filled in with."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        if TERMINAL & set(path.parts) or path.name in ("demo.py", "launch.py"):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        filled = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        parts = {id(part) for node in filled for part in node.values}
        texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in parts]
        told = [
            "".join(
                str(getattr(part, "value", "X")) if isinstance(part, ast.Constant) else "X" for part in node.values
            )
            for node in filled
        ]
        told += [str(node.value) for node in texts if isinstance(node.value, str) and "\n" not in node.value]
        found += [text for text in told if re.search(rf"`--({CONTROLLED})\b", text)]
    return found


def test_no_hint_of_the_package_names_a_flag_that_has_a_control(pages):
    hints = said_by_the_package()
    assert len(hints) > 30
    left = [hint for hint in hints if re.search(rf"--({CONTROLLED})\b", pages("controls").named(hint))]
    assert left == ["as `--accept-license` takes it"] or not left


def test_controls_are_called_as_they_are_on_the_page(pages):
    labels = {words for words, _ in pages("publish").FORMS}
    told = "".join(control for _, control in pages("controls")._CONTROLS)
    assert set(re.findall("“([^”]+)” under Weights", told)) == labels


def test_rows_that_were_adapted_are_told(pages):
    training = made.make_training()
    adapted = training.supervision.but(adapted={"the system prompt goes before the first question": 12})
    shown = pages("told_results").training(training.but(supervision=adapted), "")
    assert "12 rows: the system prompt goes before the first question" in shown
    assert "adapted" not in pages("told_results").training(training, "")


def test_on_a_space_one_signs_in_with_a_button(pages, monkeypatch):
    monkeypatch.setenv("SYSTEM", "spaces")
    said = pages("controls").named("ask for access at https://x, then sign in with `hf auth login`")
    assert said == "ask for access at https://x, then sign in with the button on top"


def test_addresses_become_links_and_only_those(pages):
    look = pages("look")
    assert 'href="https://hf.co/a"' in look.prose("ask at https://hf.co/a, soon")
    assert "href" not in look.prose("javascript:alert(1)")
    assert "href" not in look.link("javascript:alert(1)")


def test_options_of_the_controls_come_back_as_their_values(pages):
    form = pages("form")
    values = ("owner/set", "ner", "text=body", "mit", "find x", "research", "24GB", "a/b", 30, 256, "a/b, c/d")
    assert form.values(form.options(*values)) == values
    plain = form.options("example-chat", form.FOUND, "", "", "", "commercial", form.HERE, "", None, None, "")
    assert plain == type(plain)(source="example-chat")
