"""What a run shows while it goes."""

import io

import records as made
from run_folder import make_run_folder

from tunekit_hub.progress import Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def step(number, steps=50):
    event = {"event": "step", "step": number, "steps": steps, "loss": 2.0 - number / 100}
    return event | {"tokens_per_second": 271.6, "seconds_left": 70}


def test_on_a_terminal_one_line_moves():
    talk = Terminal()
    progress = Progress(io.StringIO(), talk)
    for number in (1, 25, 50):
        progress(step(number))
    progress.close()
    shown = talk.getvalue()
    assert shown.count("\n") == 1
    last = shown.split("\r")[-1]
    assert "█" * 24 in last
    assert "50/50  loss 1.500  272 tokens/s  1 min 10 s left" in last


def test_in_a_log_a_line_stands_for_a_tenth():
    talk = io.StringIO()
    progress = Progress(io.StringIO(), talk)
    for number in range(1, 501):
        progress(step(number, 500))
    lines = talk.getvalue().splitlines()
    assert len(lines) == 11
    assert "\r" not in talk.getvalue()


def test_pages_start_below_the_moving_line():
    both = Terminal()
    progress = Progress(both, both)
    progress(step(3))
    progress({"event": "stage", "stage": "training", "record": made.make_training()})
    assert "left\n\n" in both.getvalue()


def test_evaluation_comes_with_its_answers(tmp_path):
    pages = io.StringIO()
    run_dir = make_run_folder(tmp_path / "run")
    evaluation = made.make_evaluation(made.make_training(run_dir=str(run_dir)))
    Progress(pages, io.StringIO())({"event": "stage", "stage": "evaluation", "record": evaluation})
    assert "Yes, within 30 days." in pages.getvalue()


def test_supervision_shows_the_proof_and_where_the_rest_is():
    pages = io.StringIO()
    proof = "\n".join(f"row {number}" for number in range(60))
    event = {"event": "supervision", "record": made.make_supervision(), "proof": proof}
    Progress(pages, io.StringIO())(event)
    assert "row 0\n" in pages.getvalue()
    assert "36 more lines in supervision.txt" in pages.getvalue()


def test_events_it_does_not_know_are_not_shown():
    pages, talk = io.StringIO(), io.StringIO()
    Progress(pages, talk)({"event": "something new"})
    assert pages.getvalue() + talk.getvalue() == ""
