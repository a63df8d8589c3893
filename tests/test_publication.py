"""Publishing, against the local Hub with the real client: what goes out, what never does, what is refused.

The weights are a float, so nothing is loaded again; `tests/publishing` has models that are.
"""

import json
from pathlib import Path

import pytest
import records as made
from huggingface_hub import HfApi, ModelCard
from run_folder import make_run_folder, safetensors_bytes

from tunekit_hub import publication
from tunekit_hub.errors import AccessDenied, InvalidToken, PublishError, ReloadMismatch, RunError
from tunekit_hub.hub import Hub

FILES = {
    "README.md",
    "adapter_config.json",
    "adapter_model.safetensors",
    "chat_template.jinja",
    "tokenizer.json",
    "tokenizer_config.json",
}


@pytest.fixture
def hub(local_hub):
    return Hub(token=local_hub.tokens["ada"], endpoint=local_hub.endpoint)


@pytest.fixture
def api(hf) -> HfApi:
    return hf("ada")


@pytest.fixture
def evaluation(tmp_path):
    run_dir = make_run_folder(tmp_path / "run")
    return made.make_evaluation(made.make_training(run_dir=str(run_dir)))


@pytest.fixture
def model(evaluation):
    return Path(evaluation.training.run_dir) / "model"


def published(name, api):
    return Path(api.hf_hub_download("ada/tutor", name)).read_text(encoding="utf-8")


def commits(api, repo="ada/tutor"):
    return len(api.list_repo_commits(repo))


def test_publishes_what_is_needed_in_one_commit_and_nothing_else(evaluation, model, hub, api, local_hub):
    for name in ("training_args.bin", "optimizer.pt", "trainer_state.json", "notes.txt", "pytorch_model.bin"):
        (model / name).write_bytes(b"secret")
    (model / "vocab.txt").symlink_to("/etc/hostname")
    done = publication.push(evaluation, "ada/tutor", hub=hub)
    info = api.model_info("ada/tutor")
    assert {file.rfilename for file in info.siblings} - {".gitattributes"} == FILES
    assert set(done.files) == FILES
    assert (done.commit, done.private, done.changed) == (info.sha, True, True)
    assert done.url == f"{local_hub.endpoint}/ada/tutor"
    assert info.private
    assert len([path for method, path, _ in local_hub.log if method == "POST" and "/commit/" in path]) == 1


def test_adapter_config_names_the_canonical_base_and_its_commit(evaluation, hub, api):
    publication.push(evaluation, "ada/tutor", hub=hub)
    config = json.loads(published("adapter_config.json", api))
    assert (config["base_model_name_or_path"], config["revision"]) == (made.BASE, made.REVISION)
    assert config["r"] == 16


def test_configs_say_nothing_of_where_they_were_loaded(evaluation, model, hub, api):
    config = {"tokenizer_class": "X", "name_or_path": str(model), "is_local": True, "local_files_only": False}
    (model / "tokenizer_config.json").write_text(json.dumps(config))
    publication.push(evaluation, "ada/tutor", hub=hub)
    config = json.loads(published("tokenizer_config.json", api))
    assert config == {"tokenizer_class": "X", "name_or_path": made.BASE}


def test_the_card_is_ours_and_carries_the_answers(evaluation, model, hub, api):
    (model / "README.md").write_text("a library's own card")
    publication.push(evaluation, "ada/tutor", hub=hub)
    text = published("README.md", api)
    assert "tunekit-hub" in ModelCard(text).data.tags
    assert "Yes, within 30 days." in text


def test_publishing_again_changes_nothing(evaluation, hub, api):
    first = publication.push(evaluation, "ada/tutor", hub=hub)
    before = commits(api)
    again = publication.push(evaluation, "ada/tutor", hub=hub)
    assert (again.changed, again.commit, commits(api)) == (False, first.commit, before)


def test_public_only_when_asked(evaluation, hub, api):
    done = publication.push(evaluation, "ada/tutor", private=False, hub=hub)
    assert not done.private
    assert not api.model_info("ada/tutor").private


def test_a_model_that_did_not_reload_is_not_published(evaluation, hub, api):
    failed = evaluation.but(reload=evaluation.reload.but(passed=False))
    with pytest.raises(ReloadMismatch):
        publication.push(failed, "ada/tutor", hub=hub)
    assert not api.repo_exists("ada/tutor")


LEAKS = {
    "token in a config": ("tokenizer_config.json", b'{"auth": "hf_' + b"x" * 34 + b'"}'),
    "this very token": ("chat_template.jinja", b"TOKEN"),
    "home": ("tokenizer_config.json", b'{"note": "HOME/models/x"}'),
    "run folder": ("tokenizer.json", b'{"from": "RUN/checkpoints"}'),
    "working folder": ("chat_template.jinja", b"{# CWD #}"),
    "weights' header": ("adapter_model.safetensors", None),
}


@pytest.mark.parametrize(("name", "content"), LEAKS.values(), ids=LEAKS)
def test_paths_and_tokens_are_refused_and_nothing_is_written(
    name, content, evaluation, model, hub, api, local_hub, monkeypatch
):
    run_dir = model.parent
    home, cwd = run_dir.parent / "home-of-ada", run_dir.parent / "working"
    for folder in (home, cwd):
        folder.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(cwd)
    content = content or safetensors_bytes({"base": f"{run_dir}/model"})
    known = {b"HOME": home, b"RUN": run_dir, b"CWD": cwd, b"TOKEN": local_hub.tokens["ada"]}
    for word, meant in known.items():
        content = content.replace(word, str(meant).encode())
    (model / name).write_bytes(content)
    with pytest.raises(PublishError) as caught:
        publication.push(evaluation, "ada/tutor", hub=hub)
    assert f"`{name}`" in caught.value.message
    assert local_hub.tokens["ada"] not in str(caught.value) + caught.value.hint
    assert not api.repo_exists("ada/tutor")


def test_a_token_in_the_description_is_refused(tmp_path, hub, api):
    recommendation = made.make_recommendation(description="use hf_" + "Q" * 34)
    plan = made.make_plan(made.make_selection(recommendation))
    run_dir = make_run_folder(tmp_path / "run")
    evaluation = made.make_evaluation(made.make_training(plan, run_dir=str(run_dir)))
    with pytest.raises(PublishError, match=r"README\.md"):
        publication.push(evaluation, "ada/tutor", hub=hub)
    assert not api.repo_exists("ada/tutor")


@pytest.mark.parametrize("missing", ["adapter_model.safetensors", "adapter_config.json", "tokenizer_config.json"])
def test_a_model_that_nobody_could_load_is_refused(missing, evaluation, model, hub, api):
    (model / missing).unlink()
    with pytest.raises(PublishError, match=missing):
        publication.push(evaluation, "ada/tutor", hub=hub)
    assert not api.repo_exists("ada/tutor")


def test_lost_answers_are_an_error_not_a_card_without_them(evaluation, model, hub, api):
    (model.parent / "answers.jsonl").unlink()
    with pytest.raises(RunError):
        publication.push(evaluation, "ada/tutor", hub=hub)
    assert not api.repo_exists("ada/tutor")


def test_full_weights_need_weights(tmp_path, hub):
    run_dir = make_run_folder(tmp_path / "run")
    (run_dir / "model" / "config.json").write_text(
        json.dumps({"_name_or_path": str(run_dir), "model_type": "llama"})
    )
    plan = made.make_plan(method="full", lora_rank=None, lora_alpha=None)
    evaluation = made.make_evaluation(made.make_training(plan, run_dir=str(run_dir)))
    with pytest.raises(PublishError, match=r"model\.safetensors"):
        publication.push(evaluation, "ada/tutor", hub=hub)


def test_rehearsal_of_a_free_name_says_who_would_write_where(hub, api, local_hub):
    found = publication.rehearse(made.make_plan(), "ada/tutor", private=True, hub=hub)
    assert (found.user, found.exists, found.private) == ("ada", False, True)
    assert {finding.check for finding in found.findings} == {
        "token",
        "write access",
        "name",
        "ids",
        "storage",
        "card",
    }
    assert all(finding.status == "pass" for finding in found.findings)
    assert not api.repo_exists("ada/tutor")


def test_rehearsal_knows_a_repo_of_ours(evaluation, hub):
    publication.push(evaluation, "ada/tutor", hub=hub)
    assert publication.rehearse(made.make_plan(), "ada/tutor", private=True, hub=hub).exists


def test_another_model_is_never_overwritten(evaluation, hub, api):
    api.create_repo("ada/tutor", private=True)
    api.upload_file(path_or_fileobj=b"---\ntags: [mine]\n---\n", path_in_repo="README.md", repo_id="ada/tutor")
    assert publication.rehearse(made.make_plan(), "ada/tutor", private=True, hub=hub).exists
    api.upload_file(path_or_fileobj=safetensors_bytes(), path_in_repo="model.safetensors", repo_id="ada/tutor")
    before = commits(api)
    for attempt in (
        lambda: publication.rehearse(made.make_plan(), "ada/tutor", private=True, hub=hub),
        lambda: publication.push(evaluation, "ada/tutor", hub=hub),
    ):
        with pytest.raises(PublishError, match="another model"):
            attempt()
    assert commits(api) == before


def test_what_was_to_be_private_does_not_go_to_a_public_repo(evaluation, hub, api):
    api.create_repo("ada/tutor", private=False)
    with pytest.raises(PublishError, match="is public"):
        publication.rehearse(made.make_plan(), "ada/tutor", private=True, hub=hub)
    with pytest.raises(PublishError, match="is public"):
        publication.push(evaluation, "ada/tutor", hub=hub)
    assert commits(api) == 1


@pytest.mark.parametrize(
    "name", ["ada/a--b", "ada/..", "ada/x.git", "ada/a b", "ada/x/y", "/x", "ada/", "ada/" + "x" * 93]
)
def test_illegal_names_are_refused(name, hub):
    with pytest.raises(PublishError, match="not a name the Hub allows"):
        publication.rehearse(made.make_plan(), name, private=True, hub=hub)


def test_a_name_without_owner_is_completed_in_the_hint(hub):
    with pytest.raises(PublishError) as caught:
        publication.rehearse(made.make_plan(), "tutor", private=True, hub=hub)
    assert "`ada/tutor`" in caught.value.hint


def test_namespaces_of_others_are_refused_with_ones_own_named(hub, hf):
    with pytest.raises(AccessDenied) as caught:
        publication.rehearse(made.make_plan(), "you/tutor", private=True, hub=hub)
    assert "`ada`" in caught.value.hint
    hf("you").create_repo("you/taken")
    with pytest.raises(AccessDenied):
        publication.rehearse(made.make_plan(), "you/taken", private=True, hub=hub)


@pytest.mark.parametrize(("token", "error"), [(False, AccessDenied), ("hf_" + "z" * 34, InvalidToken)])
def test_without_a_good_token_nothing_starts(token, error, local_hub):
    with pytest.raises(error):
        publication.rehearse(made.make_plan(), "ada/tutor", private=True, hub=Hub(token, local_hub.endpoint))


def test_a_card_the_hub_refuses_is_found_before_training(hub, monkeypatch):
    monkeypatch.setattr(Hub, "validate_card", lambda self, text: ['"license" must be one of [...]'])
    with pytest.raises(PublishError, match="license"):
        publication.rehearse(made.make_plan(), "ada/tutor", private=True, hub=hub)


def test_weights_that_changed_since_they_were_measured_are_not_published(evaluation, hub):
    path = Path(evaluation.training.run_dir) / "model" / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    with pytest.raises(PublishError, match="not the ones that were evaluated"):
        publication.push(evaluation, "ada/changed", hub=hub)
