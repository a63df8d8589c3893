"""What is known before anything is written: dry runs, and the rehearsal before training."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import records as made
from shops import writes

from tunekit_hub import publication, render, runfile
from tunekit_hub.cli import main
from tunekit_hub.errors import PublishError, UsageError
from tunekit_hub.facts import Options
from tunekit_hub.publishing import preview

REPO = "ada/tutor"


def test_a_dry_run_shows_every_file_and_the_card_and_writes_nothing(evaluation, another, ada, local_hub):
    found = preview.preview(evaluation, REPO, hub=ada, tags=("v1",))
    assert not found.exists
    assert {one.state for one in found.files} == {"new"}
    assert found.to_send == sum(one.size for one in found.files)
    assert found.card.startswith("---\n")
    assert not writes(local_hub)
    publication.push(evaluation, REPO, hub=ada)
    local_hub.log.clear()
    assert not preview.preview(evaluation, REPO, hub=ada).changes
    later = preview.preview(another, REPO, hub=ada)
    assert [one.path for one in later.files if one.state == "changed"] == ["README.md"]
    assert not writes(local_hub)
    page = render.text(later, width=100)
    assert re.search(r"~  README\.md +\d.* changed", page)
    assert "license: apache-2.0" in page


def test_a_dry_run_of_a_merged_model_that_is_not_there_yet_merges_nothing(evaluation, ada):
    publication.push(evaluation, REPO, hub=ada)
    found = preview.preview(evaluation, REPO, hub=ada, weights="merged")
    states = {one.path: (one.state, one.predicted) for one in found.files}
    assert states["model.safetensors"] == ("new", True)
    assert states["adapter_model.safetensors"] == ("deleted", False)
    assert states["tokenizer.json"] == ("unchanged", False)
    assert found.to_send > 200_000_000
    assert not (Path(evaluation.training.run_dir) / "merged").exists()


def test_dry_run_as_a_command(evaluation, local_hub, monkeypatch, capsys):
    run_dir = Path(evaluation.training.run_dir)
    runfile.save(runfile.Run(options=Options(source="x.jsonl", tags=("v1",)), record=evaluation), run_dir)
    before = (run_dir / "run.json").read_bytes()
    monkeypatch.setenv("HF_ENDPOINT", local_hub.endpoint)
    monkeypatch.setenv("HF_TOKEN", local_hub.tokens["ada"])
    assert main(["publish", str(run_dir), REPO, "--dry-run", "--public", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["repo_id"], printed["private"], printed["tags"]) == (REPO, False, ["v1"])
    assert {one["path"] for one in printed["files"]} >= {"README.md", "adapter_model.safetensors"}
    assert main(["publish", str(run_dir), REPO, "--dry-run"]) == 0
    assert capsys.readouterr().out.startswith("What would be published\n")
    assert main(["publish", str(run_dir), "you/tutor", "--dry-run"]) == 1
    assert not writes(local_hub)
    assert (run_dir / "run.json").read_bytes() == before


FORMS = {
    "an adapter is not full weights": (made.make_plan(), "full", "an adapter was trained"),
    "full weights are no adapter": (
        made.make_plan(method="full", lora_rank=None),
        "adapter",
        "all weights are trained",
    ),
    "and cannot be merged": (made.make_plan(method="full", lora_rank=None), "merged", "all weights are trained"),
}


@pytest.mark.parametrize(("plan", "weights", "said"), FORMS.values(), ids=FORMS)
def test_a_form_that_training_does_not_leave_is_refused_before_it(plan, weights, said, ada, local_hub):
    with pytest.raises(UsageError, match=said):
        publication.rehearse(plan, REPO, hub=ada, weights=weights)
    assert not local_hub.log


def test_merging_that_cannot_fit_is_found_before_training(ada):
    small = made.make_request(hardware=made.make_hardware(memory=200_000_000))
    plan = made.make_plan(made.make_selection(request=small))
    with pytest.raises(PublishError, match="merging needs about"):
        publication.rehearse(plan, REPO, hub=ada, weights="merged")


def test_ids_that_no_card_can_link_are_found_before_training(ada):
    plan = made.make_plan(made.make_selection(repo_id="./models/base"))
    with pytest.raises(PublishError, match="no id of the Hub"):
        publication.rehearse(plan, REPO, hub=ada)


def test_a_license_that_wants_a_notice_gets_one(evaluation, ada, hf, monkeypatch):
    monkeypatch.setattr("tunekit_hub.card.license.notices", lambda chosen: ("Llama 2 is licensed as it is.",))
    monkeypatch.setattr("tunekit_hub.card.license.naming", lambda chosen, repo_id: "`llama3` asks for a name")
    publication.push(evaluation, REPO, hub=ada)
    assert Path(hf("ada").hf_hub_download(REPO, "NOTICE")).read_text() == "Llama 2 is licensed as it is.\n"
    findings = publication.rehearse(made.make_plan(), REPO, hub=ada).findings
    assert [(one.check, one.status) for one in findings if one.status != "pass"] == [("naming", "warn")]


def test_wrong_wishes_are_usage_errors(evaluation, ada):
    wishes: list[dict[str, Any]] = [{"weights": "half"}, {"nonsense": 1}, {"pull_request": True, "tags": ("v1",)}]
    for wrong in wishes:
        with pytest.raises(UsageError):
            preview.preview(evaluation, REPO, hub=ada, **wrong)
