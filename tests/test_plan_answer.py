"""What a plan answers for a machine that is not this one: on the command line, and when it is to be trained."""

from __future__ import annotations

import json

import pytest
import records as made
from ready_stages import READY, fail

from tunekit_hub import errors, pipeline, training
from tunekit_hub.cli import main
from tunekit_hub.facts import Finding
from tunekit_hub.hardware import named as named_hardware
from tunekit_hub.hardware import peak


@pytest.fixture
def stages(monkeypatch, tmp_path):
    """Ready records instead of work; change an entry to make a stage answer otherwise."""
    monkeypatch.chdir(tmp_path)
    for name, stage in READY.items():
        monkeypatch.setitem(pipeline.STAGES, name, stage)
    return pipeline.STAGES


def too_large():
    size = Finding(
        check="size", status="block", message="does not fit here: needs 16.3 GB", fix="a larger machine"
    )
    verdict = made.make_verdicts()[0].but(findings=(size,))
    return errors.NoUsableModel("none can be used", "a larger machine", (verdict,))


def test_no_is_an_answer_with_exit_1(stages, capsys):
    no = {"fit": "no", "advice": "plan for a larger machine: `--hardware t4-small`"}
    stages["plan"] = lambda at: made.make_plan(at.run.selection, **no)
    assert main(["plan", "x.jsonl", "--hardware", "8GB"]) == 1
    out = capsys.readouterr().out
    assert "NO: 1.9 GB of 8.6 GB" in out
    assert "cheapest change" in out and "t4-small" in out


def test_a_plan_that_fits_exits_0_and_says_for_which_machine(stages, capsys):
    t4 = made.make_request(hardware=named_hardware.named("t4-small"))
    stages["plan"] = lambda at: made.make_plan(at.run.selection.but(request=t4), cost=0.25)
    assert main(["plan", "x.jsonl", "--hardware", "t4-small"]) == 0
    out = capsys.readouterr().out
    assert "FITS" in out
    assert "`t4-small`, not this one" in out
    assert "$0.25 at $0.40 an hour, the price on 20" in out


def test_no_model_small_enough_is_an_answer_for_a_named_machine(stages, capsys):
    stages["selection"] = fail(too_large())
    assert main(["plan", "x.jsonl", "--hardware", "8GB"]) == 1
    assert "NO: `meta-llama/Llama-2-7b-chat-hf` does not fit here" in capsys.readouterr().out
    assert main(["plan", "x.jsonl", "--hardware", "8GB", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["fit"] == "no"


def test_for_this_machine_it_stays_an_error(stages, capsys):
    stages["selection"] = fail(too_large())
    assert main(["plan", "x.jsonl"]) == 3
    assert "error: none can be used" in capsys.readouterr().err


def test_a_gate_is_no_question_of_size(stages):
    blocked = errors.NoUsableModel("none can be used", "ask for access", made.make_verdicts()[:4])
    stages["selection"] = fail(blocked)
    assert main(["plan", "x.jsonl", "--hardware", "8GB"]) == 3


def test_an_unknown_machine_is_a_usage_error_before_any_work(stages, capsys):
    stages["profile"] = fail(AssertionError("work was done"))
    assert main(["plan", "x.jsonl", "--hardware", "t5-huge"]) == 2
    assert "no machine is called `t5-huge`" in capsys.readouterr().err


def test_a_run_for_other_hardware_is_refused_before_any_work(stages, capsys):
    stages["profile"] = fail(AssertionError("work was done"))
    assert main(["run", "x.jsonl", "--hardware", "h200"]) == 1
    assert "for other hardware, `h200`" in capsys.readouterr().err


def test_a_plan_for_other_hardware_is_not_trained(tmp_path):
    request = made.make_request(hardware=named_hardware.named("h200"))
    plan = made.make_plan(made.make_selection(request=request))
    with pytest.raises(errors.PlanError, match="for other hardware, `h200`"):
        training.train(plan, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_peak_is_counted_from_a_moment_on():
    """A peak before that moment is none of the training's."""
    before = bytearray(200 << 20)
    before[:: 1 << 12] = b"x" * len(before[:: 1 << 12])
    high = peak.peak_memory()
    del before
    peak.restart()
    assert peak.resident() <= peak.peak_memory() <= high
