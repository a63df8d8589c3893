"""Commits: all or nothing, small and large files, no bytes sent twice, no empty commits."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationCopy, CommitOperationDelete, HfApi, hf_hub_download
from huggingface_hub.errors import BadRequestError, HfHubHTTPError, RemoteEntryNotFoundError

SAFE = b"\x10\x00\x00\x00\x00\x00\x00\x00" + b'{"a":1}         ' + b"w" * 64


@pytest.fixture
def api(hf):
    hf("you").create_repo("you/model")
    return hf("you")


def read(api: HfApi, name: str, revision: str | None = None, repo_id: str = "you/model") -> bytes:
    path = hf_hub_download(repo_id, name, revision=revision, endpoint=api.endpoint, token=api.token)
    with open(path, "rb") as file:
        return file.read()


def commit(api: HfApi, *operations, **kwargs):
    return api.create_commit("you/model", list(operations), commit_message="change", **kwargs)


def puts(local_hub) -> int:
    return sum(method == "PUT" and path.startswith("/lfs/") for method, path, _ in local_hub.log)


def test_a_new_repo_has_one_commit(api):
    (first,) = api.list_repo_commits("you/model")
    assert first.title == "initial commit"
    assert first.commit_id == api.model_info("you/model").sha
    assert api.list_repo_files("you/model") == [".gitattributes"]


def test_a_folder_arrives_as_it_was(api, tmp_path):
    folder = tmp_path / "folder"
    (folder / "sub dir").mkdir(parents=True)
    files = {"a.txt": b"text", "model.safetensors": SAFE, "sub dir/ünï#%.bin": b"\0\1", "empty": b""}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    done = api.upload_folder(repo_id="you/model", folder_path=folder)
    assert done.oid == api.model_info("you/model").sha
    assert len(done.oid) == 40
    assert done.repo_url.repo_id == "you/model"
    assert set(api.list_repo_files("you/model")) == {*files, ".gitattributes"}
    for name, content in files.items():
        assert read(api, name) == content


def test_weights_go_to_large_file_storage_and_text_does_not(api, local_hub):
    commit(api, CommitOperationAdd("model.safetensors", SAFE), CommitOperationAdd("a.json", b"{}"))
    entries = {entry.path: entry for entry in api.list_repo_tree("you/model")}
    assert entries["model.safetensors"].lfs.sha256 == hashlib.sha256(SAFE).hexdigest()
    assert entries["a.json"].lfs is None
    assert entries["a.json"].blob_id == hashlib.sha1(b"blob 2\0{}").hexdigest()
    assert puts(local_hub) == 1


def test_the_same_files_again_make_no_commit(api):
    operations = [("model.safetensors", SAFE), ("a.json", b"{}")]
    first = commit(api, *(CommitOperationAdd(*item) for item in operations))
    again = commit(api, *(CommitOperationAdd(*item) for item in operations))
    assert again.oid == first.oid
    assert len(api.list_repo_commits("you/model")) == 2


def test_bytes_that_are_there_are_not_sent_again(api, local_hub):
    commit(api, CommitOperationAdd("one.safetensors", SAFE))
    commit(api, CommitOperationAdd("two.safetensors", SAFE))
    assert puts(local_hub) == 1
    assert read(api, "two.safetensors") == SAFE


def test_an_upload_without_its_commit_is_kept_for_the_next_try(api, local_hub):
    before = api.model_info("you/model").sha
    addition = CommitOperationAdd("model.safetensors", SAFE)
    api.preupload_lfs_files("you/model", [addition])
    assert api.model_info("you/model").sha == before
    assert not api.file_exists("you/model", "model.safetensors")
    commit(api, CommitOperationAdd("model.safetensors", SAFE))
    assert puts(local_hub) == 1


def test_a_failed_commit_changes_nothing(api):
    before = api.model_info("you/model").sha
    with pytest.raises(RemoteEntryNotFoundError):
        commit(api, CommitOperationAdd("a.txt", b"a"), CommitOperationDelete("missing.txt"))
    assert api.model_info("you/model").sha == before
    assert not api.file_exists("you/model", "a.txt")


def test_a_stale_parent_is_412(api):
    start = api.model_info("you/model").sha
    commit(api, CommitOperationAdd("a.txt", b"1"), parent_commit=start)
    with pytest.raises(HfHubHTTPError) as error:
        commit(api, CommitOperationAdd("a.txt", b"2"), parent_commit=start)
    assert error.value.response.status_code == 412
    assert read(api, "a.txt") == b"1"


def test_delete_and_copy(api):
    commit(
        api,
        CommitOperationAdd("weights.bin", SAFE),
        CommitOperationAdd("notes.txt", b"n"),
        CommitOperationAdd("old/a.txt", b"a"),
        CommitOperationAdd("old/deep/b.txt", b"b"),
    )
    commit(
        api,
        CommitOperationCopy("weights.bin", "copy.bin"),
        CommitOperationCopy("notes.txt", "copy.txt"),
        CommitOperationDelete("old/", is_folder=True),
        CommitOperationDelete("notes.txt"),
    )
    assert set(api.list_repo_files("you/model")) == {".gitattributes", "weights.bin", "copy.bin", "copy.txt"}
    assert (read(api, "copy.bin"), read(api, "copy.txt")) == (SAFE, b"n")


def test_bytes_in_another_readable_repo_are_not_sent_again(api, local_hub):
    commit(api, CommitOperationAdd("weights.bin", SAFE))
    api.create_repo("you/other")
    api.upload_file(path_or_fileobj=SAFE, path_in_repo="weights.bin", repo_id="you/other")
    assert puts(local_hub) == 1
    assert read(api, "weights.bin", repo_id="you/other") == SAFE


def test_an_old_commit_still_has_its_files(api):
    first = commit(api, CommitOperationAdd("a.txt", b"1"))
    commit(api, CommitOperationAdd("a.txt", b"2"))
    assert (read(api, "a.txt", first.oid), read(api, "a.txt")) == (b"1", b"2")


def test_a_broken_card_is_not_committed(api):
    before = api.model_info("you/model").sha
    with pytest.raises(ValueError, match="license"):
        commit(api, CommitOperationAdd("README.md", b"---\nlicense: no-such\n---\n"))
    assert api.model_info("you/model").sha == before


def test_gitignore_of_the_folder_is_heeded(api, tmp_path):
    folder = tmp_path / "folder"
    (folder / "cache").mkdir(parents=True)
    for name, content in {".gitignore": "*.log\ncache/\n!keep.log\n", "a.log": "", "keep.log": "k"}.items():
        (folder / name).write_text(content)
    (folder / "cache" / "x.txt").write_text("x")
    api.upload_folder(repo_id="you/model", folder_path=folder)
    assert set(api.list_repo_files("you/model")) == {".gitattributes", ".gitignore", "keep.log"}


def test_gitignore_of_the_repo_is_heeded_where_none_is_brought(api):
    commit(api, CommitOperationAdd(".gitignore", b"*.log\n"))
    commit(api, CommitOperationAdd("a.log", b"x"), CommitOperationAdd("b.txt", b"x"))
    assert set(api.list_repo_files("you/model")) == {".gitattributes", ".gitignore", "b.txt"}


def test_a_name_cannot_be_a_file_and_a_folder(api):
    commit(api, CommitOperationAdd("a", b"file"))
    with pytest.raises(BadRequestError, match="file and a folder"):
        commit(api, CommitOperationAdd("a/b", b"inside"))


def test_a_dataset_works_alike(hf, local_hub):
    api = hf("you")
    api.create_repo("you/data", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"a,b\n", path_in_repo="d.csv", repo_id="you/data", repo_type="dataset")
    api.upload_file(path_or_fileobj=SAFE, path_in_repo="d.parquet", repo_id="you/data", repo_type="dataset")
    names = {item.rfilename for item in api.dataset_info("you/data").siblings}
    assert names == {".gitattributes", "d.csv", "d.parquet"}
    path = hf_hub_download("you/data", "d.parquet", repo_type="dataset", endpoint=api.endpoint, token=False)
    assert Path(path).read_bytes() == SAFE
    assert [item.id for item in api.list_datasets(author="you")] == ["you/data"]
    assert not api.repo_exists("you/data")  # no model has this id
    assert all(code < 400 or "/api/models/" in path for _, path, code in local_hub.log)


def test_two_writers_at_once_lose_nothing(api):
    from concurrent.futures import ThreadPoolExecutor

    def add(number: int) -> None:
        commit(api, CommitOperationAdd(f"{number}.txt", b"x"))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(8)))
    assert {f"{number}.txt" for number in range(8)} < set(api.list_repo_files("you/model"))
    assert len(api.list_repo_commits("you/model")) == 9
