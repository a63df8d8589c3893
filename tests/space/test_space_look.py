"""The HTML of the pages: safe whatever the data hold, readable without colour, in the page's own words."""

from __future__ import annotations

import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import records as made

from tunekit_hub import figures, replies
from tunekit_hub.runfile import Failure

SPACES = str(Path(__file__).parent.parent.parent / "spaces")
EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>"\'&'


@pytest.fixture
def pages(monkeypatch):
    """`pages("look")`: one of the modules."""
    monkeypatch.syspath_prepend(SPACES)
    import importlib

    yield lambda name: importlib.import_module(f"pages.{name}")
    for name in [name for name in sys.modules if name == "pages" or name.startswith("pages.")]:
        del sys.modules[name]


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
    checked(pages("data").show(profile))
    selection = made.make_selection(
        made.make_recommendation(profile, reasoning=EVIL, description=EVIL), model=EVIL
    )
    evil = [
        verdict.but(model=EVIL, findings=tuple(f.but(message=EVIL, fix=EVIL) for f in verdict.findings))
        for verdict in selection.verdicts
    ]
    from tunekit_hub.facts import Options

    checked(pages("model").show_chosen(selection.but(verdicts=tuple(evil)), Options(source="x", model="y")))
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
    "raise the budget: --max-time 12m": "raise the time limit to 12m",
    "cut rows to 256: `--set max_tokens=256`": "cut rows to 256 (Longest row, under More about the model)",
    "a larger machine: `--hardware t4-small` ($0.40)": "a larger machine: `t4-small` under Hardware ($0.40)",
    "say which: `--column text=body`": "say which: `text=body` under Columns",
    "sign in with `hf auth login`": "sign in with `hf auth login`",
}


@pytest.mark.parametrize(("hint", "said"), HINTS.items())
def test_hints_name_the_controls_of_the_page(hint, said, pages):
    assert pages("controls").named(hint) == said


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
