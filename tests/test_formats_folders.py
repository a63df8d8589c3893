"""Folders of text files by label, folders with train and test files, test files, and reading again."""

from __future__ import annotations

import gzip

import pytest

from tunekit_hub import data, dataset_ids
from tunekit_hub.errors import DataError
from tunekit_hub.formats.parts import part_of

POS_NEG = "text,label\nsome text,pos\nother text,neg\n"


@pytest.fixture
def make(tmp_path):
    """Writes files, by their paths, into a folder."""

    def make(files, folder="set"):
        for name, content in files.items():
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path / folder

    return make


def refusal(source, **options):
    with pytest.raises(DataError) as caught:
        data.open_source(source, **options)
    return caught.value


def test_text_files_by_label(make):
    folder = make({"neg/1.txt": "bad", "pos/1.txt": "good\r\nindeed\n", "pos/2.txt": "fine", ".git/x/a.txt": "no"})
    opened = data.open_source(folder)
    assert opened.train.table.to_pylist() == [
        {"text": "bad", "label": "neg"},
        {"text": "good\nindeed\n", "label": "pos"},
        {"text": "fine", "label": "pos"},
    ]
    assert (opened.train.ref.format, opened.train.ref.source, opened.test) == ("folder", str(folder), None)
    assert list(opened.train.lines) == [1, 2, 3]


def test_text_files_by_part_and_label(make):
    files = {
        f"{part}/{label}/{i}.txt": f"{part} {label} {i}"
        for part in ("train", "test")
        for label in "ab"
        for i in "12"
    }
    folder = make(files | {"train/unsup/1.txt": "?", "README": "read me"})
    opened = data.open_source(folder)
    assert opened.train.table.num_rows == opened.test.table.num_rows == 4
    assert opened.test.table.to_pylist()[0] == {"text": "test a 1", "label": "a"}
    assert opened.test.ref.source == opened.train.ref.source
    assert opened.test.ref.sha256 != opened.train.ref.sha256
    assert opened.train.notes[0].message == "1 file in `unsup` without a label: left out"


def test_files_without_an_ending_as_newsgroups_have_them(make):
    folder = make({"alt.atheism/49960": b"caf\xe9 and text", "sci.space/59497": "moon"})
    rows = data.open_source(folder).train
    assert rows.table.to_pylist()[0] == {"text": "café and text", "label": "alt.atheism"}
    assert [note.code for note in rows.notes] == ["encoding"]


def test_the_digest_of_a_folder_follows_names_and_contents(make):
    first = data.open_source(make({"a/1.txt": "x", "b/1.txt": "y"}, "one")).train.ref
    same = data.open_source(make({"a/1.txt": "x", "b/1.txt": "y"}, "two")).train.ref
    moved = data.open_source(make({"a/2.txt": "x", "b/1.txt": "y"}, "three")).train.ref
    assert first.sha256 == same.sha256 != moved.sha256


@pytest.mark.parametrize(
    ("names", "train", "test", "words"),
    [
        (["train.csv", "test.csv"], "train.csv", "test.csv", ""),
        (["train.csv", "dev.csv", "test.csv"], "train.csv", "test.csv", "not used: `dev.csv`"),
        (["train.csv", "valid.csv"], "train.csv", "valid.csv", "meant for validation; there is no test file"),
        (
            ["wnut17train.csv", "emerging.test.annotated", "emerging.dev.csv"],
            "wnut17train.csv",
            "emerging.test.annotated",
            "not used: `emerging.dev.csv`",
        ),
        (["data/train.csv", "data/test.csv"], "data/train.csv", "data/test.csv", ""),
        (["reviews.csv", "reviews_test.csv"], "reviews.csv", "reviews_test.csv", ""),
        (["train.csv.gz", "test.csv"], "train.csv.gz", "test.csv", ""),
        (["only.csv", "README.md", "LICENSE", "prepare.py"], "only.csv", None, ""),
    ],
)
def test_files_by_their_names(make, names, train, test, words):
    contents = {name: f"text,label\nfrom {name},pos\nx y,neg\n" for name in names}
    packed = {n: gzip.compress(c.encode()) if n.endswith(".gz") else c for n, c in contents.items()}
    opened = data.open_source(make(packed))
    assert opened.train.table.column("text")[0].as_py() == f"from {train}"
    assert (opened.test.table.column("text")[0].as_py() if opened.test else None) == (test and f"from {test}")
    if words:
        assert words in opened.train.notes[0].message


def test_numbered_pieces_are_one(make):
    pieces = {f"train-0000{i}-of-00002.jsonl": f'{{"text": "piece {i}", "label": {i}}}\n' for i in (0, 1)}
    pieces["train-00001-of-00002.jsonl"] = '{"text": "piece 1", "label": "one"}\n'
    rows = data.open_source(make(pieces)).train
    assert rows.table.to_pylist() == [{"text": "piece 0", "label": "0"}, {"text": "piece 1", "label": "one"}]
    assert list(rows.lines) == [1, 2]


def test_the_same_rows_in_two_formats_are_read_once(make):
    folder = make({"train.csv": POS_NEG, "train.jsonl": '{"text": "a", "label": "b"}\n'})
    opened = data.open_source(folder)
    assert opened.train.ref.format == "jsonl"
    assert "not used: `train.csv`" in opened.train.notes[0].message


@pytest.mark.parametrize(
    ("files", "says", "hint"),
    [
        ({"a.csv": POS_NEG, "b.csv": POS_NEG}, "has 2 files to train on: `a.csv`, `b.csv`", "name one"),
        ({"train_small.csv": POS_NEG, "train_full.csv": POS_NEG}, "has 2 files to train on", "name one"),
        ({"test.csv": POS_NEG}, "has only `test.csv`, and nothing to train on", "name the file"),
        ({"1.txt": "x", "2.txt": "y"}, "has 2 text files and no labels", "`LABEL/*.txt`"),
        ({"picture.png": "x"}, "is a folder without a file of rows", "`LABEL/*.txt`"),
        ({"train/a/1.txt": "x", "test/a/1.txt": "y"}, "has text files of one label only: `a`", "each label"),
    ],
)
def test_folders_that_are_not_clear(make, files, says, hint):
    error = refusal(make(files))
    assert says in error.message
    assert hint in error.hint


def test_a_test_file_wins_over_the_one_in_the_folder(make):
    folder = make({"train.csv": POS_NEG, "test.csv": POS_NEG})
    other = make({"mine.csv": "text,label\nmy own,pos\n"}, "elsewhere") / "mine.csv"
    opened = data.open_source(folder, test_file=other)
    assert opened.test.table.to_pylist() == [{"text": "my own", "label": "pos"}]
    assert opened.test.ref.source == str(other)
    assert data.open_source(folder, test_file=folder).test.table.num_rows == 2


def test_training_and_testing_on_one_file_is_refused(make):
    file = make({"a.csv": POS_NEG}) / "a.csv"
    assert "is both trained and tested on" in refusal(file, test_file=file).message


def test_a_test_file_is_read_like_the_training_file(make):
    """Its own first line looks like a header, and that of the other does not, or the other way round."""
    folder = make(
        {"train.tsv": "ham\tok then\nspam\twin it\nham\tgo on\nham\tbye\n", "test.tsv": "ham\tbye\nspam\tbuy\n"}
    )
    opened = data.open_source(folder)
    assert opened.test.table.to_pylist()[0] == {"column_1": "ham", "column_2": "bye"}
    named = make(
        {"train.csv": "Wert,Freitext\nx,a b\ny,c d\n", "test.csv": "Wert,Freitext\nWert,a b\nWert,c d\n"}, "named"
    )
    assert data.open_source(named).test.table.num_rows == 2


def test_columns_by_place_ask_for_the_reading_without_a_header(make):
    file = make({"a.csv": "Freitext,Ergebnis\nnie wieder,schlecht\n"}) / "a.csv"
    assert data.read(file).table.num_rows == 1
    rows = data.read(file, columns=["column_1"])
    assert rows.table.to_pylist()[0] == {"column_1": "Freitext", "column_2": "Ergebnis"}
    assert rows.notes[0].code == "no-header"
    assert data.read(file, columns=["Freitext"]).table.num_rows == 1


def test_names_of_a_first_line_that_looks_like_a_row_can_be_asked_for(make):
    file = make({"a.csv": "0,What people wrote about this film\n1,good\n0,bad\n"}) / "a.csv"
    assert data.read(file).table.num_rows == 3
    assert data.read(file, columns=["What people wrote about this film"]).table.num_rows == 2


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("train.csv", "train"),
        ("data/train-00000-of-00002.parquet", "train"),
        ("train/pos/1.txt", "train"),
        ("20news-bydate-test/x", "test"),
        ("ncbi/devel.tsv", "validation"),
        ("testimonials.csv", None),
        ("latest/contest.csv", None),
        ("train_test.csv", None),
        ("train/test.csv", "test"),
    ],
)
def test_part_of(path, part):
    assert part_of(path) == part


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("ada/reviews", ("ada/reviews", None, None, None)),
        ("ada/reviews@v1.0", ("ada/reviews", None, "v1.0", None)),
        ("ada/reviews:en@refs/convert/parquet", ("ada/reviews", "en", "refs/convert/parquet", None)),
        ("hf://datasets/ada/reviews", ("ada/reviews", None, None, None)),
        ("hf://datasets/ada/reviews@main/data/train.csv", ("ada/reviews", None, "main", "data/train.csv")),
        ("hf://datasets/ada/reviews@refs/pr/1/a.csv", ("ada/reviews", None, "refs/pr/1", "a.csv")),
        ("data/train.csv", None),
        ("data/train.csv.gz", None),
        ("reviews", None),
        ("./ada/reviews", None),
        ("/ada/reviews", None),
        ("a/b/c", None),
    ],
)
def test_what_is_a_dataset_and_what_is_a_path(source, expected):
    assert dataset_ids.parse(source) == expected


def test_a_folder_that_is_there_is_no_dataset(make, monkeypatch):
    folder = make({"reviews/train.csv": POS_NEG}, "ada")
    monkeypatch.chdir(folder.parent)
    assert data.open_source("ada/reviews").train.table.num_rows == 2
    error = refusal("ada/review")
    assert "does not exist" in error.message
    assert error.hint == "did you mean `reviews`?"
