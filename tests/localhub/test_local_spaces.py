"""Spaces and jobs: what is stored is answered truly, what would have to run is refused."""

from __future__ import annotations

import pytest
from browsing import refusal
from huggingface_hub.errors import BadRequestError, JobNotFoundError

SECRET = "canary-of-a-secret"


@pytest.fixture
def api(hf):
    hf("you").create_repo("you/space", repo_type="space", space_sdk="gradio")
    return hf("you")


def test_a_new_space_has_a_card_that_names_its_sdk(api):
    found = api.space_info("you/space")
    assert (found.sdk, found.card_data["sdk"], found.card_data.title) == ("gradio", "gradio", "space")
    assert [space.id for space in api.list_spaces(author="you")] == ["you/space"]
    assert api.space_info("you/space", expand=["sdk", "runtime"]).runtime.stage == "NO_APP_FILE"


def test_its_stage_is_what_it_is(api):
    assert api.get_space_runtime("you/space").stage == "NO_APP_FILE"
    api.upload_file(path_or_fileobj=b"1", path_in_repo="app.py", repo_id="you/space", repo_type="space")
    runtime = api.wait_for_space("you/space", timeout=60)
    assert (runtime.stage, runtime.hardware) == ("STOPPED", None)
    assert "does not run" in runtime.raw["errorMessage"]
    card = b"---\ntitle: x\n---\n"
    api.upload_file(path_or_fileobj=card, path_in_repo="README.md", repo_id="you/space", repo_type="space")
    assert api.get_space_runtime("you/space").stage == "CONFIG_ERROR"


def test_variables(hf, api):
    api.add_space_variable("you/space", "MODEL", "you/model", description="which one")
    found = api.add_space_variable("you/space", "SIZE", "3")
    assert {key: item.value for key, item in found.items()} == {"MODEL": "you/model", "SIZE": "3"}
    found = api.get_space_variables("you/space")["MODEL"]
    assert (found.description, found.updated_at is None) == ("which one", False)
    assert list(api.delete_space_variable("you/space", "MODEL")) == ["SIZE"]
    assert refusal(lambda: hf("ada").get_space_variables("you/space")) == 403
    assert refusal(lambda: api.add_space_variable("you/space", "not a name", "x")) == 400


def test_a_secret_is_known_by_name_and_kept_nowhere(hf, api, local_hub):
    api.add_space_secret("you/space", "HF_TOKEN", SECRET, description="to push with")
    found = api.get_space_secrets("you/space")["HF_TOKEN"]
    assert (found.key, found.description) == ("HF_TOKEN", "to push with")
    assert refusal(lambda: hf("ada").add_space_secret("you/space", "HF_TOKEN", "other")) == 403
    for path in local_hub.storage.folder.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes()
    assert SECRET not in repr(local_hub.log)
    api.delete_space_secret("you/space", "HF_TOKEN")
    assert api.get_space_secrets("you/space") == {}


def test_hardware_and_sleep_are_asked_for_and_not_given(api):
    runtime = api.request_space_hardware("you/space", "t4-small", sleep_time=3600)
    assert (runtime.hardware, runtime.requested_hardware, runtime.sleep_time) == (None, "t4-small", 3600)
    assert api.set_space_sleep_time("you/space", 60).sleep_time == 60
    assert refusal(lambda: api.request_space_hardware("you/space", "a toaster")) == 400
    assert api.list_spaces_hardware() == []


def test_all_that_a_space_can_be_created_with(api):
    api.create_repo(
        "you/full",
        repo_type="space",
        space_sdk="docker",
        private=True,
        space_hardware="cpu-upgrade",
        space_sleep_time=600,
        space_variables=[{"key": "A", "value": "1"}],
        space_secrets=[{"key": "B", "value": SECRET}],
    )
    runtime = api.get_space_runtime("you/full")
    assert (runtime.requested_hardware, runtime.sleep_time) == ("cpu-upgrade", 600)
    assert list(api.get_space_variables("you/full")) == ["A"]
    assert list(api.get_space_secrets("you/full")) == ["B"]
    bad = [{"key": "not a name", "value": "1"}]
    with pytest.raises(BadRequestError):
        api.create_repo("you/bad", repo_type="space", space_sdk="gradio", space_variables=bad)
    assert not api.repo_exists("you/bad", repo_type="space")


def test_nothing_pretends_to_run(api):
    for call in (
        lambda: api.restart_space("you/space"),
        lambda: api.pause_space("you/space"),
        lambda: api.run_job(image="python:3.12", command=["true"], namespace="you"),
    ):
        assert refusal(call) == 501


def test_there_are_no_jobs(hf, api):
    assert list(api.list_jobs(namespace="you")) == []
    assert api.list_jobs_hardware() == []
    with pytest.raises(JobNotFoundError):
        api.inspect_job(job_id="0" * 24, namespace="you")
    assert refusal(lambda: list(hf("ada").list_jobs(namespace="you"))) == 403


def test_a_model_has_no_runtime(api):
    api.create_repo("you/model")
    assert refusal(lambda: api.get_space_runtime("you/model")) == 404
