"""The command line: help, usage errors, and the commands that look and tell."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import records as made

from tunekit_hub import hardware, selection
from tunekit_hub.cli import main
from tunekit_hub.cli.options import Duration, default_out

COMMANDS = (
    *("run", "profile", "recommend", "plan", "train", "evaluate", "publish", "resume"),
    *("try", "check", "models", "runs", "doctor", "demo", "space", "space deploy"),
    *("hub", "hub serve", "hub seed", "hub app"),
)


@pytest.fixture(autouse=True)
def restore_sigterm():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_of_every_command(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    assert "Usage: tunekit-hub" in capsys.readouterr().out


@pytest.mark.parametrize("group", ["", "hub", "space"])
def test_lists_of_commands_say_whole_sentences(group, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*group.split(), "--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2].strip().splitlines()
    assert listed and all(line.endswith(".") and not line.endswith("...") for line in listed)


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from tunekit_hub.cli import main; main(['run', '--help']);"
        "heavy = {'huggingface_hub', 'pydantic', 'pyarrow', 'torch', 'transformers', 'jinja2', 'starlette'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | _path())
    assert done.returncode == 0, done.stderr


def test_import_loads_nothing_heavy_and_offers_the_public_names():
    code = (
        "import sys, tunekit_hub as tk;"
        "assert not {'torch', 'transformers', 'datasets', 'gradio', 'pydantic'} & set(sys.modules);"
        "assert set(tk.__all__) <= set(dir(tk));"
        "[getattr(tk, name) for name in tk.__all__];"
        "assert not {'torch', 'transformers', 'datasets', 'gradio'} & set(sys.modules);"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | _path())
    assert done.returncode == 0, done.stderr


def _path():
    return {"PYTHONPATH": str(Path(__file__).parent.parent)}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nope"], "No such command"),
        (["run"], "Missing argument 'DATA'"),
        (["run", "x.jsonl", "--max-time", "soon"], "`soon` is not a duration"),
        (["run", "x.jsonl", "--max-rows", "0"], "--max-rows"),
        (["profile", "x.jsonl", "--column", "text"], "ROLE=NAME"),
        (["plan", "x.jsonl", "--set", "epochs=many"], "`many` is not a number"),
        (["run", "x.jsonl", "--use", "fun"], "--use"),
        (["hub", "serve", "--dir", "d", "--token", "ada"], "USER=TOKEN"),
        (["check"], "Missing argument"),
    ],
)
def test_usage_errors_exit_2_with_error_and_hint(args, words, capsys):
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert words in err
    assert "\n\nhint: `tunekit-hub" in err


@pytest.fixture
def checked(monkeypatch):
    """The verdicts of `check`, and what it was asked."""
    asked = []

    def check(model_ids, request, hub=None):
        asked.append((tuple(model_ids), request))
        known = {verdict.model: verdict for verdict in made.make_verdicts()}
        return tuple(known[model] for model in model_ids)

    monkeypatch.setattr(selection, "check", check)
    monkeypatch.setattr(hardware, "detect", made.make_hardware)
    return asked


def test_check_json_and_request(checked, capsys):
    llama = made.make_verdicts()[0].model
    assert main(["check", llama, made.BASE, "--json", "--use", "research", "--accept-license", llama]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [(verdict["model"], verdict["usable"]) for verdict in printed["verdicts"]] == [
        (llama, False),
        (made.BASE, True),
    ]
    request = checked[0][1]
    assert (request.use, request.accepted_licenses) == ("research", (llama,))
    assert request.rows is None


@pytest.mark.parametrize(
    ("place", "fail_on", "code"),
    [
        (0, [], 0),
        (0, ["--fail-on", "access"], 1),
        (0, ["--fail-on", "files, size"], 1),
        (0, ["--fail-on", "license,files"], 0),
        (3, ["--fail-on", "license,access,files,size"], 1),
        (4, ["--fail-on", "license,access,files,size,lineage"], 0),
    ],
)
def test_check_fails_only_for_the_checks_that_are_named(place, fail_on, code, checked, capsys):
    assert main(["check", made.make_verdicts()[place].model, *fail_on]) == code
    assert "Verdicts" in capsys.readouterr().out


@pytest.mark.parametrize("check", ["access", "license", "files"])
def test_what_cannot_be_told_fails_where_it_is_about_permission(check, monkeypatch, capsys):
    verdict = made.make_verdicts()[4]
    unknown = verdict.findings[0].but(check=check, status="unknown")
    monkeypatch.setattr(selection, "check", lambda *_: (verdict.but(findings=(unknown,)),))
    monkeypatch.setattr(hardware, "detect", made.make_hardware)
    assert main(["check", "a/b", "--fail-on", check]) == (check != "files")


def test_check_sums_up_several_models_and_names_a_check_that_is_none(checked, capsys):
    first, *_, last = (verdict.model for verdict in made.make_verdicts())
    assert main(["check", first, last]) == 0
    summary = capsys.readouterr().out.split("verdict\n")[1]
    assert [line.split()[-1] for line in summary.splitlines()] == ["down", "usable"]
    assert main(["check", first, "--fail-on", "licence"]) == 2
    assert "`licence` is none of access, files" in capsys.readouterr().err


def test_a_task_says_what_the_model_is_wanted_for(checked, capsys):
    assert main(["check", made.BASE, "--task", "classification"]) == 0
    assert (checked[0][1].task, checked[0][1].methods) == ("classification", ("full", "lora"))
    assert main(["check", made.BASE, "--task", "chess"]) == 2
    assert "instruction_tuning" in capsys.readouterr().err


def test_models_lists_the_registry(capsys):
    assert main(["models", "--task", "instruction_tuning", "--json"]) == 0
    models = {entry["id"]: entry for entry in json.loads(capsys.readouterr().out)}
    assert made.BASE in models
    assert "bert-base-uncased" not in models
    assert main(["models"]) == 0
    assert "bert-base-uncased" in capsys.readouterr().out


def test_doctor_never_shows_the_token(capsys, monkeypatch):
    canary = "hf_" + "canary" * 6
    monkeypatch.setenv("HF_TOKEN", canary)
    monkeypatch.setattr(hardware, "detect", made.make_hardware)
    assert main(["doctor"]) == 0
    assert main(["doctor", "--json"]) == 0
    out, err = capsys.readouterr()
    assert canary not in out + err
    assert "present" in out
    assert "huggingface_hub" in out


def test_hub_serve_prints_what_a_client_needs(monkeypatch, capsys, tmp_path):
    served = {}

    def serve(folder, *, tokens, ready, **rest):
        served.update(rest, folder=folder, tokens=tokens)
        ready("http://127.0.0.1:8765")

    monkeypatch.setattr("tunekit_hub.localhub.server.serve", serve)
    (tmp_path / "tokens").write_text("# who\n\nyou=hf_2\n")
    args = ["--dir", "d", "--port", "8765", "--token", "ada=hf_1", "--token-file", str(tmp_path / "tokens")]
    assert main(["hub", "serve", *args, "--seed-registry"]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines() == ["export HF_ENDPOINT=http://127.0.0.1:8765", "export HF_HUB_DISABLE_XET=1"]
    assert served["tokens"] == {"hf_1": "ada", "hf_2": "you"}
    assert (served["port"], served["seed"], served["second_origin"]) == (8765, ("registry",), False)
    assert "hf_1" not in out + err


def test_hub_serve_without_a_token_makes_one_up(monkeypatch, capsys):
    monkeypatch.setattr(
        "tunekit_hub.localhub.server.serve", lambda folder, *, tokens, ready, **_: ready("http://h")
    )
    assert main(["hub", "serve", "--dir", "d"]) == 0
    assert "export HF_TOKEN=hf_" in capsys.readouterr().out


def test_hub_serve_names_the_bad_line_of_a_token_file(capsys, tmp_path):
    (tmp_path / "tokens").write_text("ada=hf_1\nhf_2\n")
    assert main(["hub", "serve", "--dir", "d", "--token-file", str(tmp_path / "tokens")]) == 2
    err = capsys.readouterr().err
    assert "line 2" in err
    assert "hf_2" not in err


@pytest.mark.parametrize(
    ("text", "seconds"), [("600", 600), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("0.5h", 1800)]
)
def test_durations(text, seconds):
    assert Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize(
    ("source", "push_to", "folder"),
    [
        ("a/chats.jsonl", None, "runs/chats"),
        ("a.csv", "you/gsm8k-tutor", "runs/gsm8k-tutor"),
        ("..", None, "runs/run"),
    ],
)
def test_a_run_is_named_after_its_repo_or_its_data(source, push_to, folder):
    assert default_out(source, push_to).as_posix() == folder


def test_models_are_checked_for_the_rows_and_the_machine_that_are_named(checked, tmp_path, capsys):
    rows = tmp_path / "t.csv"
    words = ["the parcel has not come", "my card was charged twice", "the app closes when I log in", "please help"]
    rows.write_text("text,label\n" + "".join(f"{word} {n},{n % 2}\n" for n in range(60) for word in words))
    assert main(["check", made.BASE, "--data", str(rows), "--hardware", "8GB", "--use", "research", "--json"]) == 0
    request = checked[0][1]
    assert (request.task, request.rows, request.use) == ("classification", 240, "research")
    assert request.languages == ("en",)
    assert request.hardware.asked_as == "8GB"
    assert json.loads(capsys.readouterr().out)["verdicts"]
