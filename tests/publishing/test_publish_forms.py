"""What is published, loaded by plain transformers and peft, and by the gate. Tiny models, really trained."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hubs import TOKENS
from huggingface_hub import ModelCard

import tunekit_hub as tk
from tunekit_hub import pipeline, publication, runfile
from tunekit_hub.cli import main
from tunekit_hub.errors import ReloadMismatch, UsageError
from tunekit_hub.facts import Publishing
from tunekit_hub.publishing import merging, verification
from tunekit_hub.scores import reload

pytestmark = pytest.mark.slow

# No line of these knows this package.
LOSSES = """
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
rows = json.load(open(sys.argv[2]))["job"]["payload"]["rows"]
{load}
found = []
for ids, labels in rows:
    with torch.inference_mode():
        found.append(model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss.item())
print(json.dumps([found, AutoTokenizer.from_pretrained(sys.argv[1]).chat_template]))
"""
ADAPTER = """
from peft import AutoPeftModelForCausalLM
model = AutoPeftModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
"""
WHOLE = "model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()"
LABELS = """
import json, sys
from transformers import pipeline
texts = json.load(open(sys.argv[2]))["job"]["payload"]["inputs"]
print(json.dumps([one["label"] for one in pipeline("text-classification", model=sys.argv[1])(texts)]))
"""


def ran(code, shop, repo, run_dir, home):
    """What a user's own Python prints, in a process with an empty cache and the user's token."""
    argv = [sys.executable, "-c", code, repo, str(run_dir / reload.NAME)]
    done = subprocess.run(argv, env=shop.env(home), capture_output=True, text=True, check=False, cwd=home.parent)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def files(shop, repo):
    return set(shop.api().list_repo_files(repo)) - {".gitattributes"}


def commits(shop, repo):
    return len(shop.api().list_repo_commits(repo))


@pytest.fixture(scope="module")
def adapter(shop):
    """The chat model published as its adapter, and what was told on the way."""
    told = []
    done = tk.publish(shop.evaluation("chat"), "you/adapter", hub=shop.hub(), private=False, on_event=told.append)
    return done, told


@pytest.fixture(scope="module")
def merged(shop):
    """The chat model published merged, from a copy of its run folder; the copy, and the publication."""
    run_dir = shop.folder / "chat-to-merge"
    shutil.copytree(shop.run_dir("chat"), run_dir)
    evaluation = runfile.load(run_dir).evaluation
    assert not merging.ready(evaluation)
    return run_dir, tk.publish(evaluation, "you/merged", hub=shop.hub(), weights="merged")


@pytest.fixture(scope="module")
def classifier(shop):
    """The classifier, published."""
    return tk.publish(shop.evaluation("sorted"), "you/sorted", hub=shop.hub(), private=False)


def test_an_adapter_gives_the_measured_losses_to_everybody(shop, adapter, tmp_path):
    done, told = adapter
    assert done.verified is not None
    assert (done.verified.source, done.verified.passed) == ("hub", True)
    assert done.weights == "adapter"
    assert any("from the Hub" in event["message"] for event in told)
    assert "adapter_model.safetensors" in files(shop, "you/adapter")
    assert not {name for name in files(shop, "you/adapter") if name.startswith("model")}
    losses, template = ran(
        LOSSES.format(load=ADAPTER), shop, "you/adapter", shop.run_dir("chat"), tmp_path / "home"
    )
    _, measured = reload.kept(shop.run_dir("chat"))
    assert losses == pytest.approx([row[0] for row in measured.numbers], abs=1e-3)
    assert template == (shop.run_dir("chat") / "model" / "chat_template.jinja").read_text()
    before = commits(shop, "you/adapter")
    again = publication.push(shop.evaluation("chat"), "you/adapter", hub=shop.hub(), private=False)
    assert (again.changed, again.commit, commits(shop, "you/adapter")) == (False, done.commit, before)


def test_a_merged_model_needs_no_peft_and_gives_the_same(shop, merged, tmp_path, monkeypatch):
    run_dir, done = merged
    assert done.verified is not None
    assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= files(
        shop, "you/merged"
    )
    assert not {name for name in files(shop, "you/merged") if "adapter" in name or "merged" in name}
    losses, template = ran(LOSSES.format(load=WHOLE), shop, "you/merged", run_dir, tmp_path / "home")
    _, measured = reload.kept(run_dir)
    assert losses == pytest.approx([row[0] for row in measured.numbers], abs=1e-3)
    assert template == (run_dir / "model" / "chat_template.jinja").read_text()
    data = ModelCard.load("you/merged", token=TOKENS["you"]).data
    assert (data.library_name, data.base_model_relation) == ("transformers", "finetune")

    copy = tmp_path / "run"
    shutil.copytree(run_dir, copy)
    evaluation = runfile.load(copy).evaluation
    monkeypatch.setattr(merging, "_merge", lambda *_: pytest.fail("merged again"))
    assert not publication.push(evaluation, "you/merged", hub=shop.hub(), weights="merged").changed
    weights = copy / "merged" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\7")
    assert not merging.ready(evaluation)  # what is not as it passed the gate is not published


def test_a_merged_model_that_predicts_otherwise_is_not_kept(shop, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(shop.run_dir("chat"), run_dir)
    job, measured = reload.kept(run_dir)
    reload.keep(run_dir, job, reload.Outputs([[n + 1 for n in row] for row in measured.numbers], measured.texts))
    with pytest.raises(ReloadMismatch, match="a number differs by 1"):
        merging.merged(runfile.load(run_dir).evaluation, shop.hub())
    assert not [path.name for path in run_dir.iterdir() if "merged" in path.name]


def test_a_classifier_is_published_whole_and_a_pipeline_gives_its_labels(shop, classifier, tmp_path):
    with pytest.raises(UsageError, match="an encoder is always published whole"):
        tk.publish(shop.evaluation("sorted"), "you/sorted", hub=shop.hub(), weights="adapter")
    assert classifier.verified is not None
    assert (classifier.weights, classifier.private) == ("full", False)
    found = ran(LABELS, shop, "you/sorted", shop.run_dir("sorted"), tmp_path / "home")
    assert found == reload.kept(shop.run_dir("sorted"))[1].texts


@pytest.mark.usefixtures("adapter", "merged", "classifier")
def test_neither_tokens_nor_paths_of_this_machine_are_in_what_the_hub_stores(shop):
    stored = [path for path in (shop.folder / "local-hub").rglob("*") if path.is_file()]
    assert len(stored) > 20
    secrets = [*TOKENS.values(), str(shop.folder), str(Path.home() / ".cache"), str(Path.cwd())]
    for path in stored:
        content = path.read_bytes()
        assert not [secret for secret in secrets if secret.encode() in content], path


@pytest.fixture
def otherwise(monkeypatch):
    """The gate from the Hub finds something else."""

    def gate(job, measured, **_):
        raise ReloadMismatch("what was published, loaded afresh, gave other predictions", "")

    monkeypatch.setattr(verification.reload, "gate", gate)


def test_a_mismatch_ends_the_run_and_is_said_on_the_card_until_it_is_right(
    shop, tmp_path, otherwise, monkeypatch, capsys
):
    run_dir = tmp_path / "run"
    shutil.copytree(shop.run_dir("chat"), run_dir)
    monkeypatch.setenv("HF_ENDPOINT", shop.local.endpoint)
    monkeypatch.setenv("HF_TOKEN", TOKENS["you"])
    assert main(["publish", str(run_dir), "you/marked", "--tag", "v1"]) == 1
    assert "gave other predictions; its card says so" in capsys.readouterr().err
    text = ModelCard.load("you/marked", token=TOKENS["you"]).content
    assert "gave other predictions" in text
    run = runfile.load(run_dir)
    assert (run.status, run.error.code) == ("failed", "reload-mismatch")
    assert run.publication.verified is None
    assert not shop.hub().refs("you/marked").tags  # what is not right gets no name

    monkeypatch.undo()
    done = pipeline.resume(run_dir, hub=shop.hub())
    assert (done.status, done.publication.mismatch, done.publication.tags) == ("done", "", ("v1",))
    assert shop.hub().refs("you/marked").tags == {"v1": done.publication.commit}
    assert "gave other predictions" not in ModelCard.load("you/marked", token=TOKENS["you"]).content


def test_a_mismatch_deletes_what_was_created_and_nothing_else(shop, otherwise):
    evaluation = shop.evaluation("chat")
    with pytest.raises(ReloadMismatch, match="the repository was deleted again"):
        tk.publish(evaluation, "you/gone", hub=shop.hub(), on_mismatch="delete")
    assert not shop.api().repo_exists("you/gone")
    shop.api().create_repo("you/stays")
    shop.api().upload_file(path_or_fileobj=b"mine", path_in_repo="notes.txt", repo_id="you/stays")
    with pytest.raises(ReloadMismatch, match="its card says so"):
        tk.publish(evaluation, "you/stays", hub=shop.hub(), private=False, on_mismatch="delete")
    assert "notes.txt" in files(shop, "you/stays")
    with pytest.raises(ReloadMismatch, match="the branch was deleted again"):
        tk.publish(
            evaluation, "you/stays", hub=shop.hub(), private=False, push_revision="next", on_mismatch="delete"
        )
    assert list(shop.hub().refs("you/stays").branches) == ["main"]


def test_weights_that_the_hub_serves_otherwise_are_found_before_they_are_loaded(shop, monkeypatch):
    done = publication.push(shop.evaluation("chat"), "you/swapped", hub=shop.hub())
    shop.api().upload_file(
        path_or_fileobj=b"\0" * 64, path_in_repo="adapter_model.safetensors", repo_id="you/swapped"
    )
    later = done.but(commit=shop.hub().head("you/swapped").commit)
    with pytest.raises(ReloadMismatch, match="not the ones that were sent"):
        verification.check(later, shop.hub())


def test_stopped_between_push_and_gate_only_the_gate_is_left(shop, tmp_path, monkeypatch):
    run_dir = tmp_path / "run"
    shutil.copytree(shop.run_dir("chat"), run_dir)

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(verification, "check", stop)
    with pytest.raises(KeyboardInterrupt):
        pipeline.publish(run_dir, "you/stopped", hub=shop.hub())
    run = runfile.load(run_dir)
    assert (run.status, run.publication.verified) == ("interrupted", None)
    monkeypatch.undo()
    shop.local.log.clear()
    done = pipeline.resume(run_dir, hub=shop.hub())
    assert done.status == "done"
    assert done.publication.verified.source == "hub"
    assert {method for method, _, _ in shop.local.log} <= {"GET", "HEAD"}


def test_a_proposed_model_is_checked_at_its_pull_request(shop, adapter, merged):
    asked = Publishing(pull_request=True, private=False)
    same = tk.publish(shop.evaluation("chat"), "you/adapter", asked, hub=shop.hub())
    assert (same.changed, same.pull_request) == (False, None)
    merged_there = runfile.load(merged[0]).evaluation
    done = tk.publish(merged_there, "you/adapter", asked, hub=shop.hub("ada"), weights="merged")
    assert done.revision == "refs/pr/1"
    assert done.verified is not None
    assert "model.safetensors" not in files(shop, "you/adapter")
