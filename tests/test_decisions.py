"""What the user decided and declared about licenses: in `run.json`, and on the card."""

from __future__ import annotations

import datetime
import json

import pytest
from records import BASE, make_hardware, make_plan, make_request, make_selection, make_verdicts

from tunekit_hub import card, pipeline, registry
from tunekit_hub.cli import main
from tunekit_hub.facts import Finding, Options
from tunekit_hub.hub import Hub
from tunekit_hub.localhub import seed
from tunekit_hub.localhub.repos import open_repo

TODAY = datetime.date.today().isoformat()


@pytest.fixture
def hub(local_hub, monkeypatch):
    """SmolLM2 with weights, and without a license."""
    seed.seed_registry(local_hub.storage, registry.load())
    repo = open_repo(local_hub.storage, "model", BASE)
    seed.add_files(repo, {"model.safetensors": b"w", "README.md": b"No front matter.\n"}, "weights")
    monkeypatch.setattr("tunekit_hub.hardware.detect", lambda *_: make_hardware())
    return Hub(local_hub.tokens["you"], local_hub.endpoint)


@pytest.fixture
def data(tmp_path):
    rows = [{"question": f"What is {n} and {n}?", "answer": f"It is {n + n}."} for n in range(30)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def test_a_decision_is_in_the_run_and_on_the_card_with_its_date(hub, data, tmp_path):
    options = Options(source=str(data), model=BASE, accepted_licenses=(BASE,), dataset_license="cc-by-4.0")
    pipeline.start(options, tmp_path / "run")
    run = pipeline.resume(tmp_path / "run", hub=hub, until="selection")
    kept = json.loads((tmp_path / "run" / "run.json").read_text())
    assert kept["options"]["accepted_licenses"] == [BASE]
    assert kept["selection"]["request"]["accepted_on"] == TODAY
    assert kept["selection"]["request"]["dataset_license"] == ["cc-by-4.0"]
    said = next(f for f in kept["selection"]["verdicts"][0]["findings"] if f["check"] == "license")
    assert f"accepted for commercial use on {TODAY}" in said["message"]

    page = card.rehearsal(make_plan(run.selection), "you/tutor")
    assert "The base model declares no license, so none is claimed here." in page
    assert f"accepted them for commercial use on {TODAY}." in page
    assert "Of the data: `cc-by-4.0` allows commercial use, with duties" in page
    assert "license:" not in page.split("---")[1]


def terms(**changes) -> str:
    page = card.rehearsal(make_plan(make_selection(**changes)), "you/tutor")
    return page[page.index("## License") : page.index("## Data")]


def test_the_card_weighs_model_and_data_together_and_lists_each_duty_with_a_link():
    said = terms(request=make_request(dataset="rows.csv", dataset_license=("cc-by-sa-4.0", "odbl")))
    assert "Model and data together: `apache-2.0` and `cc-by-sa-4.0` and `odbl` each" not in said
    assert "`cc-by-sa-4.0` and `odbl` each want what is made from them under themselves" in said
    assert "- `apache-2.0`: keep the copyright and license notice (<https://www.apache.org/" in said
    assert "- `cc-by-sa-4.0`: name the author" in said


def test_the_card_repeats_a_stricter_lineage():
    *others, last = make_verdicts()
    warned = Finding(
        check="lineage", status="warn", message="declares `mit`, but its base model declares `gpl-3.0`"
    )
    said = terms(verdicts=(*others, last.but(findings=(*last.findings, warned))))
    assert "Of its lineage: declares `mit`" in said


def test_a_card_without_known_data_license_says_nothing_of_it():
    assert "Of the data" not in terms()


def test_on_the_command_line(hub, data, local_hub, monkeypatch, capsys):
    monkeypatch.setenv("HF_ENDPOINT", local_hub.endpoint)
    monkeypatch.setenv("HF_TOKEN", local_hub.tokens["you"])
    asked = ["recommend", str(data), "--accept-license", BASE, "--json"]
    assert main([*asked, "--dataset-license", "cc-by-4.0"]) == 0
    assert json.loads(capsys.readouterr().out)["selection"]["model"] == BASE
    assert main([*asked, "--dataset-license", "cc-by-nc-4.0"]) == 1
    err = capsys.readouterr().err
    assert (
        "the license of the data (`rows.jsonl`) stands in the way: `cc-by-nc-4.0` rules out commercial use" in err
    )
    assert "--use research" in err
    assert main([*asked, "--dataset-license", "cc-by-nc-4.0", "--use", "research"]) == 0
    capsys.readouterr()
    assert main([*asked, "--dataset-license", "CC-BY-4"]) == 2
    assert "did you mean `cc-by-4.0`" in capsys.readouterr().err
