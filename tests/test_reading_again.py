"""The rows behind a profile, read again: the same ones, or a word about what has changed."""

from __future__ import annotations

import pytest

from tunekit_hub.errors import RunError
from tunekit_hub.examples import load_examples
from tunekit_hub.profiling import profile

HEADED = "text,label\n" + "".join(f"review number {i} is here,{('pos', 'neg')[i % 2]}\n" for i in range(20))
TEST = "text,label\n" + "".join(f"unseen review {i} is there,{('pos', 'neg')[i % 2]}\n" for i in range(6))


def test_the_same_rows_as_were_counted(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADED)
    found = profile(path)
    loaded = load_examples(found)
    assert len(loaded.train.rows) == found.num_rows == 20
    assert list(loaded.train.lines) == list(range(2, 22))
    assert loaded.test is None


def test_max_rows_are_spread_over_the_file(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(HEADED)
    assert list(load_examples(profile(path, max_rows=4)).train.lines) == [2, 7, 12, 17]


def test_a_test_file_of_its_own_and_one_in_the_folder(tmp_path):
    (tmp_path / "train.csv").write_text(HEADED)
    (tmp_path / "test.csv").write_text(TEST)
    given = profile(tmp_path / "train.csv", test_file=str(tmp_path / "test.csv"))
    inside = profile(tmp_path)
    for found in (given, inside):
        loaded = load_examples(found)
        assert (len(loaded.train.rows), len(loaded.test.rows)) == (20, found.test_rows) == (20, 6)


def test_a_file_without_a_header_keeps_its_first_row(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_text("".join(f"{('ham', 'spam')[i % 2]}\tmessage number {i} for you\n" for i in range(20)))
    found = profile(path)
    assert found.columns == {"label": "column_1", "text": "column_2"}
    assert any(note.code == "no-header" for note in found.notes)
    assert list(load_examples(found).train.lines) == list(range(1, 21))


def test_columns_by_place_are_read_again_by_place(tmp_path):
    """The content says header, the user says not."""
    path = tmp_path / "a.csv"
    path.write_text("Freitext,Ergebnis\n" + "".join(f"Satz Nummer {i} hier,{'ab'[i % 2]}\n" for i in range(20)))
    mapped = {"text": "column_1", "label": "column_2"}
    assert profile(path).num_rows == 20
    found = profile(path, columns=mapped)
    assert len(load_examples(found).train.rows) == found.num_rows == 21


@pytest.mark.parametrize("changed", ["train.csv", "test.csv"])
def test_a_changed_file_is_refused(tmp_path, changed):
    (tmp_path / "train.csv").write_text(HEADED)
    (tmp_path / "test.csv").write_text(TEST)
    found = profile(tmp_path / "train.csv", test_file=str(tmp_path / "test.csv"))
    with (tmp_path / changed).open("a") as file:
        file.write("one more,pos\n")
    with pytest.raises(RunError, match=f"{changed}` has changed since it was profiled"):
        load_examples(found)
