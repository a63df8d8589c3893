"""Visitors apart: every call, made as somebody else, is answered as if there were nothing."""

from __future__ import annotations

import inspect
import shutil
import time

import pytest
from runs_world import ADA, BOB, GUEST, wait_for

from tunekit_hub import runfile, runs
from tunekit_hub.errors import AccessDenied, DataError, RunError, TunekitError, UsageError

TOKEN = "hf_" + "a" * 34
NOBODYS = "0" * 16
# Every call that names a run, with what else it takes.
OF_RUNS = {
    "state": {},
    "events": {},
    "curve": {},
    "record": {},
    "options": {},
    "answers": {},
    "file": {"name": "loss.png"},
    "cancel": {},
    "resume": {"token": TOKEN},
    "publish": {"publishing": runs.Publishing(push_to="bob/mine"), "token": TOKEN},
    "card_preview": {"repo_id": "bob/mine"},
    "answer": {"text": "hello"},
    "delete": {},
}
# Every call that takes data; `source` is a handle.
OF_DATA = ("profile", "recommend", "select", "plan", "rehearse", "card_draft", "submit")
OTHERS = {
    *("start", "stop", "clear", "examples"),  # nobody's
    *("keep", "uploads", "forget", "adopt", "check", "list", "signed_in"),  # tested by themselves
}


def calls() -> set[str]:
    return {name for name, _ in inspect.getmembers(runs.Service, inspect.isfunction) if not name.startswith("_")}


def test_every_call_is_among_those_tested():
    assert calls() == {*OF_RUNS, *OF_DATA, *OTHERS}


@pytest.mark.parametrize("call", OF_RUNS)
def test_anothers_run_is_as_good_as_not_there(service, submit, call):
    run = submit(service, "done")
    with pytest.raises(RunError) as anothers:
        getattr(service, call)(BOB, run, **OF_RUNS[call])
    with pytest.raises(RunError) as missing:
        getattr(service, call)(BOB, NOBODYS, **OF_RUNS[call])
    assert (anothers.value.message, anothers.value.hint) == (missing.value.message, missing.value.hint)
    assert service.state(ADA, run).status == "queued"


@pytest.mark.parametrize("call", OF_DATA)
def test_anothers_data_are_as_good_as_not_there(service, tickets, call):
    handle = service.keep(ADA, tickets, "tickets.csv").handle
    words = []
    for asked in (handle, "upload-" + "0" * 32):
        for options in (runs.options(source=asked), runs.options(source="example-chat", test_file=asked)):
            with pytest.raises(DataError) as refused:
                getattr(service, call)(BOB, options)
            words.append((refused.value.message, refused.value.hint))
    assert len(set(words)) == 1


def test_check_with_anothers_data(service, tickets):
    handle = service.keep(ADA, tickets, "tickets.csv").handle
    with pytest.raises(DataError, match="no such upload"):
        service.check(BOB, ["distilbert-base-uncased"], runs.options(source=handle))


def test_lists_are_ones_own(service, submit):
    run = submit(service, "done")
    assert [state.id for state in service.list(ADA)] == [run]
    assert len(service.uploads(ADA)) == 1
    assert service.list(BOB) == service.uploads(BOB) == ()


def test_uploads_are_deleted_and_given_away_by_their_owner_only(service, tickets):
    handle = service.keep(GUEST, tickets, "tickets.csv").handle
    with pytest.raises(DataError):
        service.forget(BOB, handle)
    with pytest.raises(DataError):
        service.adopt(ADA, handle, BOB)
    service.adopt(GUEST, handle, ADA)
    assert service.uploads(GUEST) == ()
    assert service.profile(ADA, runs.options(source=handle)).num_rows == 80
    service.forget(ADA, handle)
    with pytest.raises(DataError, match="no such upload"):
        service.profile(ADA, runs.options(source=handle))


def test_nobody_gives_examples_away(service):
    for asked in ("example-chat", "ada/rows"):
        with pytest.raises(DataError):
            service.adopt(ADA, asked, BOB)
        with pytest.raises(DataError):
            service.forget(ADA, asked)


def test_a_guest_is_no_user_of_the_same_name(service, submit):
    run = submit(service, "done")
    for other in (runs.Visitor("ada", "guest"), runs.Visitor("ada", "local"), runs.Visitor("ada", id="42")):
        with pytest.raises(RunError, match="no such run"):
            service.state(other, run)
    renamed = runs.Visitor("countess", id="ada")
    assert service.state(renamed, run).id == run


@pytest.mark.parametrize("name", ["", "a b", "../ada", "a\n", "a" * 300])
def test_no_visitor_without_a_plain_name(name):
    with pytest.raises(UsageError):
        runs.Visitor(name)


def test_guests_look_and_do_not_train(service, tickets):
    handle = service.keep(GUEST, tickets, "tickets.csv").handle
    options = runs.options(source=handle)
    assert service.recommend(GUEST, options).model == "distilbert-base-uncased"
    with pytest.raises(AccessDenied, match="signed in"):
        service.submit(GUEST, options)
    with pytest.raises(AccessDenied, match="without signing in"):
        service.submit(ADA, options.but(push_to="ada/tickets"))


def test_one_answer_for_the_same_rows_does_not_tell_of_the_others_file(service, tickets, tmp_path):
    """Profiles are remembered by content; names and places are each visitor's own."""
    copy = tmp_path / "mine.csv"
    shutil.copy(tickets, copy)
    first = service.profile(ADA, runs.options(source=service.keep(ADA, tickets, "secret plans.csv").handle))
    second = service.profile(BOB, runs.options(source=service.keep(BOB, copy, "mine.csv").handle))
    assert (first.data.source, second.data.source) == ("secret_plans.csv", "mine.csv")
    assert first.but(data=second.data) == second


def test_no_path_of_this_machine_is_told(service, submit, tickets, tmp_path):
    run = submit(service, "done")
    handle = service.keep(ADA, tickets, "tickets.csv").handle
    options = runs.options(source=handle, columns={"label": "nothing"})
    with pytest.raises(TunekitError) as refused:
        service.profile(ADA, options)
    told = [
        refused.value,
        service.state(ADA, run),
        service.record(ADA, run),
        service.select(ADA, runs.options(source=handle)),
    ]
    assert str(tmp_path) not in " ".join(map(repr, told))


def test_only_listed_files_of_a_run_are_given(service, submit):
    run = submit(service, "done")
    folder = service._root / "runs" / run
    (folder / "loss.png").write_bytes(b"picture")
    assert service.file(ADA, run, "loss.png").read_bytes() == b"picture"
    for name in (
        "run.json",
        "worker.log",
        "../../service.sqlite",
        str(folder / "run.json"),
        "model",
        "",
        "nothing",
    ):
        with pytest.raises(RunError, match="no such file"):
            service.file(ADA, run, name)


def test_deleting_a_run_takes_all_of_it(working, submit):
    run = submit(working, "done")
    wait_for(working, run, "done")
    working.delete(ADA, run)
    assert not (working._root / "runs" / run).exists()
    with pytest.raises(RunError, match="no such run"):
        working.state(ADA, run)


def test_a_run_at_work_is_not_deleted(working, submit):
    run = submit(working, "sleep")
    wait_for(working, run, "running")
    with pytest.raises(RunError, match="waits or works"):
        working.delete(ADA, run)


def test_what_is_old_goes_and_what_is_needed_stays(service, submit, tickets):
    old, waits = submit(service, "done"), submit(service, "done")
    unused = service.keep(ADA, tickets, "unused.csv")
    long_ago = time.time() - 100 * 86_400
    service._store.move(old, status="done", ended=long_ago)
    with service._store._transaction() as data:
        data.execute("update uploads set used = ?", (long_ago,))
    folder = service._root / "runs"
    (folder / "stray").mkdir()  # as one looks that is just being made
    service.clear()
    assert [state.id for state in service.list(ADA)] == [waits]
    assert [path.name for path in folder.iterdir() if path.name != "stray"] == [waits]
    assert [one.handle for one in service.uploads(ADA)] == [service.options(ADA, waits).source]
    assert unused.handle not in {one.handle for one in service.uploads(ADA)}
    assert runfile.load(folder / waits).status == "running"
