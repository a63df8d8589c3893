"""Cards on a Hub: read back by the client, made again from the run's files, and with snippets that run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import records as made
import tiny
from huggingface_hub import ModelCard
from run_folder import make_run_folder

from tunekit_hub import card, data, publication, runfile
from tunekit_hub.facts import Options
from tunekit_hub.hub import Hub
from tunekit_hub.localhub import cards
from tunekit_hub.scores import answers
from tunekit_hub.tasks import TASKS
from tunekit_hub.verdicts import licenses


@pytest.fixture
def ada(local_hub) -> Hub:
    return Hub(token=local_hub.tokens["ada"], endpoint=local_hub.endpoint)


@pytest.fixture
def run_dir(tmp_path) -> Path:
    """A run folder with everything that a card is made from."""
    folder = make_run_folder(tmp_path / "run")
    (folder / "loss.png").write_bytes(b"\x89PNG\r\n\x1a\n a curve")
    evaluation = made.make_evaluation(made.make_training(run_dir=str(folder)), files=("answers.jsonl", "loss.png"))
    runfile.save(runfile.Run(options=Options(source="support_chats.jsonl"), record=evaluation), folder)
    return folder


def again(folder: Path, repo_id: str) -> str:
    """The card, made from nothing but the files of the run."""
    evaluation = runfile.load(folder).evaluation
    return card.render(evaluation, repo_id, answers.read(folder / answers.NAME))


def test_the_published_card_gives_back_its_metadata_and_is_made_again_to_the_byte(run_dir, ada, hf, local_hub):
    evaluation = runfile.load(run_dir).evaluation
    publication.push(evaluation, "ada/tutor", hub=ada)
    loaded = ModelCard.load("ada/tutor", token=local_hub.tokens["ada"])
    assert loaded.content == again(run_dir, "ada/tutor")
    assert loaded.data.to_dict() == ModelCard(again(run_dir, "ada/tutor")).data.to_dict()
    assert {one.metric_type: one.metric_value for one in loaded.data.eval_results} == {
        "loss": 1.38,
        "perplexity": 3.97,
    }
    info = hf("ada").model_info("ada/tutor")
    assert info.library_name == "peft"
    assert info.pipeline_tag == "text-generation"
    assert {"tunekit-hub", "license:apache-2.0", f"base_model:adapter:{made.BASE}"} <= set(info.tags)
    assert "loss.png" in {file.rfilename for file in info.siblings}


@pytest.mark.parametrize("visible", [True, False])
def test_only_a_public_dataset_is_named(visible, ada, hf):
    rows = "".join(f'{{"question": "What is {n}?", "answer": "It is {n}."}}\n' for n in range(20))
    client = hf("ada")
    client.create_repo("ada/old-chats", repo_type="dataset", private=not visible)
    client.upload_file(
        path_or_fileobj=rows.encode(), path_in_repo="train.jsonl", repo_id="ada/old-chats", repo_type="dataset"
    )
    client.move_repo("ada/old-chats", "ada/chats", repo_type="dataset")
    ref = data.open_source("ada/old-chats", hub=ada).train.ref
    assert (ref.repo_id, ref.public) == ("ada/chats", visible)
    selection = made.make_selection(made.make_recommendation(made.make_profile(data=ref)))
    text = card.rehearsal(made.make_plan(selection), "ada/tutor")
    assert ModelCard(text).data.to_dict().get("datasets") == (["ada/chats"] if visible else None)
    assert ("ada/chats" in text) == visible
    assert ada.validate_card(text) == []


@pytest.mark.parametrize("license_id", [*licenses.table().licenses, "Apache-2.0", "acme-7", "mit, acme-7", None])
@pytest.mark.parametrize("weights", ["adapter", "merged"])
def test_the_hub_accepts_the_card_whatever_license_the_base_has(license_id, weights):
    verdicts = list(made.make_verdicts())
    verdicts[-1] = verdicts[-1].but(license=license_id)
    plan = made.make_plan(made.make_selection(verdicts=tuple(verdicts)))
    assert cards.validate(card.rehearsal(plan, "ada/tutor", weights=weights), "model") == ([], [])


SHAPES = {
    "one label": ("classification", "single-label", ("praise", "blame")),
    "several labels": ("classification", "multi-label", ("new", "red")),
    "entities": ("ner", "IOB2 tags", ("O", "B-THING", "I-THING")),
    "parts of speech": ("ner", "part-of-speech tags", ("NOUN", "VERB")),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHAPES)
def test_snippets_of_encoders_run_as_they_stand(kind, hf, hub_env, tmp_path):
    """In a fresh process with a fresh cache, with plain transformers."""
    import transformers

    task, shape, labels = SHAPES[kind]
    head = "SequenceClassification" if task == "classification" else "TokenClassification"
    folder = tiny.save_encoder(tmp_path / "model")
    names = dict(enumerate(labels))
    options = {"id2label": names, "label2id": {name: n for n, name in names.items()}}
    if shape == "multi-label":
        options["problem_type"] = "multi_label_classification"
    getattr(transformers, f"AutoModelFor{head}").from_pretrained(folder, **options).save_pretrained(folder)
    hf("you").create_repo("you/tagger", private=True)
    hf("you").upload_folder(repo_id="you/tagger", folder_path=folder)
    plan = tiny.encoder_plan(task, shape)
    snippet = TASKS[task].snippet(plan, "you/tagger", "full")
    assert f"```python\n{snippet}\n```" in card.rehearsal(plan, "you/tagger")
    ran = subprocess.run([sys.executable, "-c", snippet], env=hub_env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    if kind == "one label":
        assert any(label in ran.stdout for label in labels)
    elif kind == "several labels":
        assert ran.stdout.startswith("[")
    else:
        assert all(len(line.split()) >= 3 for line in ran.stdout.splitlines())
