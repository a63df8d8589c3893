"""The commands of the line: exit codes, error words, JSON shapes, and what goes to stdout and what to stderr.

The stages are replaced by ones that hand back ready records; the commands, the pipeline and run.json are real.
"""

import json
import signal
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import pytest
import records as made
from ready_stages import READY, fail, nothing_usable

from tunekit_hub import errors, pipeline, runfile
from tunekit_hub.cli import main
from tunekit_hub.facts import Options, Publishing


@pytest.fixture(autouse=True)
def restore_sigterm():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def stages(monkeypatch, tmp_path):
    """Ready records instead of work; change an entry to make a stage fail."""
    monkeypatch.chdir(tmp_path)
    for name, stage in READY.items():
        monkeypatch.setitem(pipeline.STAGES, name, stage)
    monkeypatch.setattr(pipeline.publication, "rehearse", lambda *_, **__: made.make_rehearsal())
    return pipeline.STAGES


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.DataError("line 3 is not JSON", "fix it"), 1),
        (errors.HubUnreachable("no answer", "fix it"), 1),
        (errors.UsageError("makes no sense", "fix it"), 2),
        (PermissionError(13, "Permission denied", "runs"), 1),
        (nothing_usable(), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(error, code, stages, capsys, monkeypatch):
    monkeypatch.delenv("HF_DEBUG", raising=False)
    stages["profile"] = fail(error)
    assert main(["run", "x.jsonl"]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    if code != 130:
        assert "error: " in err
        assert "\n\nhint: " in err


def test_debug_shows_the_traceback(stages, capsys, monkeypatch):
    monkeypatch.setenv("HF_DEBUG", "1")
    stages["profile"] = fail(errors.DataError("line 3 is not JSON", "fix it"))
    assert main(["profile", "x.jsonl"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_run_shows_every_stage_on_stdout_and_keeps_the_run(stages, capsys):
    asked = ["--description", "production support chatbot", "--push-to", "ada/tutor", "--out", "runs/x"]
    assert main(["run", "chats.jsonl", *asked]) == 0
    out, err = capsys.readouterr()
    titles = ("Profile", "Recommendation", "Selection", "Plan", "Publish rehearsal", "Training", "Evaluation")
    places = [out.index(f"\n{title}\n") for title in (*titles, "Publication")]
    assert places == sorted(places)
    assert "training …" in err
    assert runfile.load("runs/x").status == "done"


def test_run_passes_everything_that_was_asked(stages, monkeypatch):
    installed = ModuleType("trackio")
    installed.__spec__ = ModuleSpec("trackio", None)
    monkeypatch.setitem(sys.modules, "trackio", installed)
    Path("accelerate.yaml").write_text("num_processes: 2\n")
    asked = """--task instruction_tuning --column prompt=q --column completion=a --max-rows 9 --seed 7
    --use research --model a/b --max-time 1h30m --accept-license a/b --push-to ada/t --public --set epochs=2
    --description D
    --test-file t.csv --label-column l --dataset-license mit --explore --checkpoint-every 1m --processes 2
    --accelerate-config accelerate.yaml --report-to trackio --weights merged --overwrite --revision next
    --max-dropped 12.5% --tag v1 --tag best --collection C --on-mismatch delete"""
    assert main(["run", "q.csv", *asked.split()]) == 0
    options = runfile.load("runs/t").options
    wanted = {
        "source": "q.csv",
        "description": "D",
        "task": "instruction_tuning",
        "columns": {"prompt": "q", "completion": "a", "label": "l"},
        "test_file": "t.csv",
        "max_rows": 9,
        "seed": 7,
        "use": "research",
        "model": "a/b",
        "accepted_licenses": ("a/b",),
        "dataset_license": "mit",
        "explore": True,
        "max_time": 5400.0,
        "settings": {"epochs": 2},
        "push_to": "ada/t",
        "private": False,
        "weights": "merged",
        "overwrite": True,
        "push_revision": "next",
        "pull_request": False,  # a pull request goes to `main`, and has no tags
        "tags": ("v1", "best"),
        "collection": "C",
        "on_mismatch": "delete",
        "checkpoint_every": 60.0,
        "processes": 2,
        "accelerate_config": str(Path("accelerate.yaml").resolve()),
        "report_to": "trackio",
        "max_dropped": 0.125,
        "hardware": None,  # another machine is planned for, not trained on
    }
    assert options.model_dump() == wanted


def test_a_run_can_propose_its_model(stages):
    assert main(["run", "q.csv", "--push-to", "ada/t", "--pr"]) == 0
    assert runfile.load("runs/t").options.pull_request


@pytest.mark.parametrize("wrong", ["--pr --revision next", "--pr --tag v1", "--tag a..b", "--revision refs/x"])
def test_wishes_that_cannot_be_are_refused_at_once(wrong, stages, capsys):
    assert main(["run", "q.csv", "--push-to", "ada/t", *wrong.split()]) == 2
    assert not Path("runs/t").exists()


def test_options_left_out_take_the_records_defaults(stages, capsys):
    assert main(["run", "q.csv"]) == 0
    assert runfile.load("runs/q").options == Options(source="q.csv")


def test_run_json_is_json_alone_on_stdout(stages, capsys):
    assert main(["run", "chats.jsonl", "--json"]) == 0
    out, err = capsys.readouterr()
    printed = json.loads(out)
    assert (printed["run"], printed["status"]) == ("runs/chats", "done")
    assert printed["plan"]["batch_size"] == 4
    assert "selection" not in printed["plan"]
    assert "tunekit-hub publish runs/chats" in err


def test_recommend_json(stages, capsys):
    assert main(["recommend", "chats.jsonl", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == ["profile", "recommendation", "selection"]
    first = {key: printed["profile"][key] for key in ("task", "num_rows", "languages", "p95_tokens", "domain")}
    assert first == {
        "task": "instruction_tuning",
        "num_rows": 240,
        "languages": ["en"],
        "p95_tokens": 390,
        "domain": None,
    }
    assert {"model", "method", "reasoning"} <= set(printed["recommendation"])
    chosen = printed["selection"]
    assert set(chosen) == {"model", "method", "repo_id", "revision", "license", "verdicts"}
    assert [verdict["usable"] for verdict in chosen["verdicts"]] == [False] * 4 + [True]
    assert set(chosen["verdicts"][0]) == {"model", "usable", "findings"}
    assert set(chosen["verdicts"][0]["findings"][0]) == {"check", "status", "message", "fix"}


def test_recommend_json_with_nothing_usable_still_prints_and_exits_3(stages, capsys):
    stages["selection"] = fail(nothing_usable())
    assert main(["recommend", "chats.jsonl", "--json"]) == 3
    out, err = capsys.readouterr()
    printed = json.loads(out)
    assert printed["selection"] is None
    assert printed["recommendation"]["model"] == "meta-llama/Llama-2-7b-chat-hf"
    assert len(printed["verdicts"]) == 4
    assert "error: none of 4 models can be used" in err


def test_recommend_with_nothing_usable_shows_why(stages, capsys):
    stages["selection"] = fail(nothing_usable())
    assert main(["recommend", "chats.jsonl"]) == 3
    out, err = capsys.readouterr()
    assert "Recommendation" in out
    assert "gated, and this token has no access" in err


def test_looking_leaves_nothing_behind(stages, capsys, tmp_path):
    for command in ("profile", "recommend", "plan"):
        assert main([command, "chats.jsonl"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_plan_then_train_then_evaluate_then_publish(stages, capsys, monkeypatch):
    published = []

    def go_on(evaluation, publishing, **_):
        published.append(publishing)
        return made.make_publication(evaluation, repo_id=publishing.push_to, private=publishing.private)

    monkeypatch.setattr(pipeline.publication, "go_on", go_on)
    assert main(["plan", "chats.jsonl", "--out", "r", "--seed", "5"]) == 0
    assert runfile.load("r").training is None
    assert main(["publish", "r", "ada/tutor"]) == 1
    assert "`tunekit-hub evaluate r` first" in capsys.readouterr().err
    assert main(["train", "r"]) == 0
    assert "next: `tunekit-hub evaluate r`" in capsys.readouterr().err
    assert main(["evaluate", "r"]) == 0
    options = "--public --weights merged --overwrite --revision next --tag v1 --tag best --collection Tutors"
    assert main(["publish", "r", "ada/tutor", *options.split(), "--on-mismatch", "delete"]) == 0
    run = runfile.load("r")
    wanted = Publishing(
        push_to="ada/tutor",
        private=False,
        weights="merged",
        overwrite=True,
        push_revision="next",
        tags=("v1", "best"),
        collection="Tutors",
        on_mismatch="delete",
    )
    assert published == [wanted]
    assert run.options.publishing == published[0]
    assert main(["publish", "r", "ada/tutor", "--private", "--no-overwrite"]) == 0
    assert published[-1] == published[0].but(private=True, overwrite=False)  # the rest as it was
    assert (run.status, run.plan.seed, run.publication.repo_id) == ("done", 5, "ada/tutor")


def test_a_failed_publish_leaves_the_run_as_it_was(stages, capsys, monkeypatch):
    assert main(["run", "chats.jsonl", "--out", "r"]) == 0
    before = Path("r/run.json").read_text()
    monkeypatch.setattr(pipeline.publication, "go_on", lambda *_, **__: fail(errors.PublishError("no"))(None))
    assert main(["publish", "r", "ada/tutor"]) == 1
    assert Path("r/run.json").read_text() == before


def test_resume_goes_on_after_the_last_stage(stages, capsys):
    working = stages["training"]
    stages["training"] = fail(errors.TrainingFailed("the loss is nan", "lower the rate"))
    assert main(["run", "chats.jsonl", "--out", "r"]) == 1
    stages["training"] = working
    stages["profile"] = fail(AssertionError("done already"))
    capsys.readouterr()
    assert main(["resume", "r", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["evaluation"]["helped"] is True


@pytest.mark.parametrize("command", ["train", "evaluate", "resume"])
def test_a_folder_without_a_run_is_an_error(command, stages, capsys):
    assert main([command, "nowhere"]) == 1
    assert "holds no run" in capsys.readouterr().err


def test_profile_json(stages, capsys):
    assert main(["profile", "chats.jsonl", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["p95_tokens"] == 390
    assert printed["tokens"]["p50"] == 180


def test_runs_lists_runs_and_warns_of_broken_ones(stages, capsys):
    assert main(["runs"]) == 0
    assert "no runs in runs" in capsys.readouterr().err
    assert main(["run", "chats.jsonl", "--out", "runs/good"]) == 0
    Path("runs/bad").mkdir()
    Path("runs/bad/run.json").write_text("{")
    capsys.readouterr()
    assert main(["runs", "--json"]) == 0
    out, err = capsys.readouterr()
    assert [(run["run"], run["status"]) for run in json.loads(out)] == [("runs/good", "done")]
    assert err.startswith("warning: ")


def test_a_canary_token_is_nowhere_after_a_run_that_fails(stages, capsys, monkeypatch, tmp_path):
    canary = "hf_" + "canary" * 6
    monkeypatch.setenv("HF_TOKEN", canary)
    stages["evaluation"] = fail(errors.HubUnreachable("no answer", "wait"))
    assert main(["run", "chats.jsonl", "--push-to", "ada/t"]) == 1
    out, err = capsys.readouterr()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert written
    assert canary not in out + err
    assert canary.encode() not in written
