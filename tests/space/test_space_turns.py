"""Answers that come late: what a visitor has done since stays, and a run's page shows that run alone."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tunekit_hub import runs
from tunekit_hub.errors import DataError, RunError

PAGE = "a-page-of-adas"
SKIPPED = {"__type__": "update"}


@pytest.fixture
def space(pages, monkeypatch):
    """The modules of the pages over a service of ours; the caller is always the same page of the same visitor."""
    session, here = pages("session"), SimpleNamespace(meanwhile=lambda: None)
    me = session.Caller(runs.Visitor("ada"), "hf_ada", PAGE)
    monkeypatch.setattr(session, "caller", lambda request: me)
    monkeypatch.setattr(session, "service", lambda: here.service)
    monkeypatch.setattr(session, "words", lambda me: "")
    here.service, here.me, here.pages = SimpleNamespace(), me, pages
    here.turns = pages("turns").OF_PAGES
    return here


def test_a_turn_is_late_once_there_is_a_newer_one(pages):
    turns = pages("turns").Turns(most=2)
    first, others = turns.take("a", "data"), turns.take("b", "data")
    assert turns.is_last("a", "data", first)
    turns.take("a", "data", "second")
    assert not turns.is_last("a", "data", first)
    assert turns.is_last("b", "data", others)
    assert turns.what("a", "data") == "second"
    turns.take("c", "data")
    assert turns.what("b", "data") is None  # forgotten, the oldest first
    assert turns.is_last("b", "data", others)
    turns.take("", "data", "from no page")
    assert turns.what("", "data") is None


def choosing(space, monkeypatch, meanwhile):
    """The page of data, whose reading of `slow` takes as long as `meanwhile`."""
    data = space.pages("data")

    def read(me, source, *wishes):
        if source == "slow":
            meanwhile(data)
        return f"profile of {source}", "on"

    monkeypatch.setattr(data, "_profile", read)
    return data


def test_the_last_choice_is_shown_and_not_the_slowest(space, monkeypatch):
    seen = []
    data = choosing(space, monkeypatch, lambda data: seen.append(data._name(None, "quick", "", "", "")))
    assert data._name(None, "slow", "", "", "") == (SKIPPED,) * 4
    assert seen == [("quick", "", "profile of quick", "on")]


def test_a_choice_that_fails_leaves_the_one_before_it(space, monkeypatch):
    data = choosing(space, monkeypatch, None)
    data._name(None, "first", "", "", "")
    monkeypatch.setattr(data, "_profile", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        data._name(None, "broken", "", "", "")
    assert space.turns.what(PAGE, "data") == "first"
    data = choosing(space, monkeypatch, None)
    assert data._again(None, "first", "ner", "", "")[0] == "first"


def test_a_first_choice_that_fails_is_none(space, monkeypatch):
    data = choosing(space, monkeypatch, None)
    space.service.keep = lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        data._keep(None, "x.csv", "", "", "")
    assert not data.has_chosen(space.me)


def test_a_file_that_is_overtaken_is_not_shown(space, monkeypatch, tmp_path):
    data = choosing(space, monkeypatch, None)
    space.service.keep = lambda *_: (data._name(None, "quick", "", "", ""), SimpleNamespace(handle="upload-1"))[1]
    assert data._keep(None, str(tmp_path / "x.csv"), "", "", "") == (SKIPPED,) * 5


def test_a_refresh_does_not_bring_back_what_was_chosen_before_it(space, monkeypatch):
    data = choosing(space, monkeypatch, lambda data: data._name(None, "quick", "", "", ""))
    assert data.restored(None, "slow") == (SKIPPED,) * 3
    opening = space.pages("opening")
    assert opening._arrive(None, "", "slow", "") == (SKIPPED, SKIPPED)
    assert opening._arrive(None, "a-run", "", "") == (SKIPPED, SKIPPED)
    assert data.restored(None, "other") == (SKIPPED,) * 3


def test_a_refresh_brings_back_what_there_was(space, monkeypatch):
    data = choosing(space, monkeypatch, None)
    opening = space.pages("opening")
    assert opening._arrive(None, "", "quick", "") == (SKIPPED, "quick")
    assert data.restored(None, "quick") == ("quick", "profile of quick", "on")
    assert opening._arrive(None, "a-run", "quick", "") == ("a-run", SKIPPED)


def test_the_task_of_data_that_were_overtaken_is_not_asked(space, monkeypatch):
    data = choosing(space, monkeypatch, None)
    data._name(None, "quick", "", "", "")
    assert data._again(None, "before", "ner", "", "") == (SKIPPED,) * 4
    assert data._again(None, "quick", "ner", "", "")[0] == "quick"


def test_what_is_found_for_other_data_is_not_shown(space, monkeypatch):
    data, model = choosing(space, monkeypatch, None), space.pages("model")
    monkeypatch.setattr(space.pages("told_model"), "show", lambda *_: "the ladder")
    found = SimpleNamespace(selection=True)
    space.service.select = lambda *_: found
    assert model._find(None, "before")[0] == "the ladder"
    space.service.select = lambda *_: (data._name(None, "quick", "", "", ""), found)[1]
    assert model._find(None, "before") == (SKIPPED,) * 3


def test_a_plan_goes_with_the_wishes_it_was_made_for(space, monkeypatch):
    model, asked = space.pages("model"), ("rows", "chat", "", "", "a bot", "research")
    other = (*asked[:-1], "commercial")
    monkeypatch.setattr(space.pages("told_model"), "show", lambda *_: "the ladder")
    monkeypatch.setattr(space.pages("told_plan"), "show", lambda _: "the plan")
    space.service.select = lambda *_: SimpleNamespace(selection=True)
    space.service.plan = lambda *_: SimpleNamespace(fit="fits")
    assert model._changed(None, *asked) == (SKIPPED, SKIPPED)  # nothing was found yet
    assert model._find(None, *asked)[0] == "the ladder"
    assert model._changed(None, *asked) == (SKIPPED, SKIPPED)  # as they were
    told, onward = model._changed(None, *other)
    assert model.CHANGED in told
    assert not onward.interactive
    assert model._changed(None, *asked) == (SKIPPED, SKIPPED)  # it is said already
    space.service.plan = lambda *_: (model._changed(None, *other), SimpleNamespace(fit="fits"))[1]
    model._find(None, *asked)
    assert model._plan(None, *asked) == (SKIPPED, SKIPPED)  # the wishes changed while it was made


def test_answers_about_another_run_are_not_shown(space):
    of_run = space.pages("handlers").of_run
    look, tell = of_run(lambda me, run: (run, "stands")), of_run(lambda me, run: run)
    assert look(None, "first") == ("first", "stands")
    space.turns.take(PAGE, "run", "second")
    assert look(None, "first") == (SKIPPED, SKIPPED)
    assert tell(None, "first") == SKIPPED
    assert look(None, "second") == ("second", "stands")
    assert of_run(lambda me, run: None)(None, "first") is None


def test_a_run_that_cannot_be_seen_any_more_is_told_once(space):
    train = space.pages("train")

    def gone(*_):
        raise RunError("there is no such run of yours", "look at your list")

    space.service.state = gone
    told = train._tick(None, "a-run", train.UNSEEN)
    assert len(told) == train.WIDTH
    assert "there is no such run of yours" in told[0]
    assert told[6].active is False


def test_a_sign_in_that_has_run_out_is_told(space, monkeypatch):
    train, session = space.pages("train"), space.pages("session")
    guest = session.Caller(runs.Visitor("f" * 20, "guest"), None, PAGE)
    monkeypatch.setattr(session, "caller", lambda request: guest)

    def gone(*_):
        raise RunError("there is no such run of yours", "look at your list")

    space.service.state, space.service.settings = gone, runs.Settings()
    assert "your sign-in has run out" in train._tick(None, "a-run", train.UNSEEN)[0]


def test_deleting_another_run_leaves_the_page_as_it_is(space, monkeypatch):
    opening = space.pages("opening")
    monkeypatch.setattr(opening.my_runs, "delete", lambda me, run: f"without {run}")
    event = SimpleNamespace(_data={"action": "delete", "value": "other"})
    shown, *rest = opening._clicked(None, event, "mine")
    assert shown == "without other"
    assert rest == [SKIPPED] * opening._width()


def test_deleting_the_run_on_the_page_empties_it(space, monkeypatch):
    opening, train = space.pages("opening"), space.pages("train")
    monkeypatch.setattr(opening.my_runs, "delete", lambda me, run: f"without {run}")
    event = SimpleNamespace(_data={"action": "delete", "value": "mine"})
    _, tabs, run, *rest = opening._clicked(None, event, "mine")
    assert (tabs, run, len(rest)) == (SKIPPED, "", opening._width() - 2)
    assert train.NO_RUN in "".join(one for one in rest if isinstance(one, str))
    assert space.turns.what(PAGE, "run") == ""


def test_data_without_a_license_can_be_accepted_on_the_page(space):
    model = space.pages("model")

    def refuse(*_):
        raise DataError("declares no license", "read it; if you may use it, add `--accept-license ada/rows`")

    space.service.select = refuse
    ladder, _, onward = model._find(None, "ada/rows")
    assert 'data-action="accept" data-value="ada/rows"' in ladder
    assert "press “Accept its terms”" in ladder
    assert onward.interactive is False
    event = SimpleNamespace(_data={"action": "accept", "value": "ada/rows"})
    assert model._instead(None, event, "", "a/b") == ("", "a/b, ada/rows")
