"""A full disk and a closed folder in plain words."""

import errno
import os

import pytest

from tunekit_hub import storage
from tunekit_hub.errors import DataError, StorageError


class SafetensorError(Exception):
    pass


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "x.json"),
        RuntimeError("[enforce fail at inline_container.cc:862] . PytorchStreamWriter failed writing file data/0"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_named_with_what_to_do(error, tmp_path):
    with pytest.raises(StorageError, match="the disk is full") as found, storage.writing(tmp_path, then="go on"):
        raise error
    assert found.value.hint == "free some space; then go on"


def test_a_closed_folder_is_named(tmp_path):
    with pytest.raises(StorageError, match="cannot be written to"), storage.writing(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "run.json"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_really_closed_folder(tmp_path):
    (tmp_path / "run").mkdir(mode=0o500)
    with pytest.raises(StorageError, match="cannot be written to"), storage.replacing(tmp_path / "run" / "model"):
        pytest.fail("it was made")


@pytest.mark.parametrize(
    "error",
    [PermissionError(errno.EACCES, "Permission denied", "/elsewhere/data.csv"), RuntimeError("x"), DataError("x")],
)
def test_other_errors_go_through(error, tmp_path):
    with pytest.raises(type(error)) as found, storage.writing(tmp_path):
        raise error
    assert found.value is error


def test_what_takes_the_place_of_a_folder_is_whole(tmp_path):
    model = tmp_path / "model"
    for text in ("one", "two"):
        with storage.replacing(model) as half:
            (half / "weights").write_text(text)
            assert not model.exists() or (model / "weights").read_text() == "one"
    assert (model / "weights").read_text() == "two"
    with pytest.raises(KeyError), storage.replacing(model) as half:
        (half / "other").write_text("three")
        raise KeyError
    assert [path.name for path in model.iterdir()] == ["weights"]
