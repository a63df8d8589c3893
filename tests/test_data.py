"""Reading files of rows, sampling them and splitting them."""

import hashlib
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tunekit_hub import data
from tunekit_hub.errors import DataError

ROWS = [
    {"question": "What is 2 + 2?", "answer": "4"},
    {"question": "Wie heißt du?", "answer": "Ich, „Tuner“, heiße so."},
]


def as_jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


FORMATS = {
    "rows.csv": 'question,answer\nWhat is 2 + 2?,4\nWie heißt du?,"Ich, „Tuner“, heiße so."\n',
    "semicolons.csv": "question;answer\nWhat is 2 + 2?;4\nWie heißt du?;Ich, „Tuner“, heiße so.\n",
    "rows.tsv": "question\tanswer\nWhat is 2 + 2?\t4\nWie heißt du?\tIch, „Tuner“, heiße so.\n",
    "list.json": json.dumps(ROWS, indent=2),
    "object.json": json.dumps({"version": "1.0", "tags": ["a"], "data": ROWS}),
    "lines.json": as_jsonl(ROWS),
    "rows.jsonl": as_jsonl(ROWS),
    "rows.ndjson": as_jsonl(ROWS),
    "jsonl-without-extension": as_jsonl(ROWS),
    "json.txt": json.dumps(ROWS),
    "tabs.txt": "question\tanswer\nWhat is 2 + 2?\t4\nWie heißt du?\tIch, „Tuner“, heiße so.\n",
}


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def refusal(path):
    with pytest.raises(DataError) as caught:
        data.read(path)
    return caught.value


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"], ids=["plain", "bom"])
@pytest.mark.parametrize("ends", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_every_text_format_gives_the_same_rows(write, name, bom, ends):
    path = write(name, bom + FORMATS[name].encode().replace(b"\n", ends))
    assert data.read(path).table.to_pylist() == ROWS


def test_parquet(write, tmp_path):
    for name in ("rows.parquet", "no-extension"):
        pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / name)
        rows = data.read(tmp_path / name)
        assert rows.table.to_pylist() == ROWS
        assert list(rows.lines) == [1, 2]
        assert rows.ref.format == "parquet"
    broken = write("broken.parquet", b"PAR1 and nothing else")
    assert "`broken.parquet` cannot be read as Parquet" in refusal(broken).message


def test_ref_names_the_source_as_given_and_the_bytes(write, monkeypatch):
    path = write("rows.jsonl", FORMATS["rows.jsonl"])
    monkeypatch.chdir(path.parent)
    ref = data.read("rows.jsonl").ref
    assert ref.source == "rows.jsonl"
    assert ref.format == "jsonl"
    assert ref.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_lines_are_those_of_the_file(write):
    jsonl = write("gaps.jsonl", '\n{"a": "1"}\n\n\n{"a": "2"}\n')
    assert list(data.read(jsonl).lines) == [2, 5]
    csv = write("breaks.csv", 'a,b\n"one\ntwo\nthree",x\n\nnext,y\n')
    rows = data.read(csv)
    assert list(rows.lines) == [2, 6]
    assert rows.table.to_pylist()[0]["a"] == "one\ntwo\nthree"


def test_unicode_line_separators_do_not_end_a_line(write):
    path = write("rows.jsonl", '{"a": "one\u2028two\x85three"}\n{"a": "b"}\n')
    assert data.read(path).table.column("a").to_pylist() == ["one\u2028two\x85three", "b"]


def test_numbers_in_csv_stay_text_and_long_fields_are_read(write):
    long = "x" * 200_000
    path = write("rows.csv", f"question,answer\n007,{long}\n")
    assert data.read(path).table.to_pylist() == [{"question": "007", "answer": long}]


def test_index_column_without_a_name_gets_one(write):
    path = write("rows.csv", ",question,answer\n0,a,b\n")
    assert data.read(path).table.column_names == ["column_1", "question", "answer"]


def test_quotes_in_tsv_count_only_where_they_are_well_formed(write):
    quoted = write("quoted.tsv", 'a\tb\n"one\ttwo"\tx\n')
    assert data.read(quoted).table.to_pylist() == [{"a": "one\ttwo", "b": "x"}]
    plain = write("plain.tsv", 'a\tb\n"Hello" he said\tx\n"open\ty\n')
    assert data.read(plain).table.column("a").to_pylist() == ['"Hello" he said', '"open']


def test_rows_with_different_fields_share_a_table(write):
    path = write("rows.jsonl", '{"a": 1}\n{"b": [{"x": 1}]}\n{"b": [{"y": 2.5}], "a": null}\n')
    assert data.read(path).table.to_pylist()[2] == {"a": None, "b": [{"x": None, "y": 2.5}]}


def test_missing_file_names_the_nearest(write):
    path = write("support_chats.jsonl", "{}")
    error = refusal(path.with_name("suport_chat.jsonl"))
    assert "does not exist" in error.message
    assert error.hint == "did you mean `support_chats.jsonl`?"
    assert "nor does the folder" in refusal(path.parent / "no" / "rows.csv").message


def test_folder(write, tmp_path):
    write("b.jsonl", "{}")
    write("picture.png", "x")
    error = refusal(tmp_path)
    assert "is a folder" in error.message
    assert error.hint == "name one file in it: `b.jsonl`"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.csv", "", "is empty"),
        ("rows.jsonl", "\n \n", "`rows.jsonl` is empty"),
        ("rows.json", "[]", "`rows.json` has no rows"),
        ("rows.csv", "question,answer\n", "`rows.csv` has no rows"),
        ("notes.md", "# Notes\n", "the format of `notes.md` is not known"),
        ("rows.csv", "a,b,a\n1,2,3\n", "the header of `rows.csv` names `a` more than once"),
        ("rows.jsonl", '{"a": 1}\n{"a": 1,}\n', "`rows.jsonl`: line 2 is not JSON: "),
        ("rows.jsonl", '{"a": 1}\n\n[1, 2]\n', "`rows.jsonl`: line 3 is a list, not an object"),
        ("rows.jsonl", '{"a": 1}\n"b"\n', "`rows.jsonl`: line 2 is text, not an object"),
        ("rows.jsonl", "[" * 100_000, "`rows.jsonl` is not JSON: nested too deeply"),
        (
            "rows.json",
            '[{"a": 1},\n {"a" 1}]',
            "`rows.json` is not JSON: line 2: Expecting ':' delimiter (column 7)",
        ),
        (
            "rows.json",
            '[{"a": 1}, null, 3]',
            "2 rows of `rows.json` are not objects: row 2 is null, not an object; row 3",
        ),
        ("rows.json", '{"a": 1, "b": []}', "no field of it is a list of objects: `a`, `b`"),
        ("rows.json", '{"a": [{}], "b": [{}]}', "`rows.json` holds 2 lists of objects: `a`, `b`"),
        ("rows.json", "3", "`rows.json` is a number, not a list of objects"),
        ("rows.csv", "a,b\n1,2\n1,2,3\n", "`rows.csv`: line 3 has 3 of 2 fields"),
        ("rows.csv", 'a,b\n1,2\n"open,2\n3,4\n', "`rows.csv`: the row that begins on line 3 is broken"),
        ("rows.tsv", "a\tb\n1\t2\nonly one\n", "`rows.tsv`: line 3 has 1 of 2 fields"),
    ],
)
def test_bad_files_say_what_is_wrong_and_where(write, name, content, message):
    error = refusal(write(name, content))
    assert message in error.message
    assert error.hint


def test_many_bad_lines_are_counted_and_the_first_are_named(write):
    path = write("rows.jsonl", "".join('{"a": 1}\noops\n' for _ in range(9)))
    message = refusal(path).message
    assert message.startswith("9 lines of `rows.jsonl` are not JSON objects: line 2 is not JSON")
    assert "line 10 is" in message
    assert "line 12" not in message
    assert message.endswith("and 4 more")


def test_mixed_types_far_down_make_the_whole_column_text(write):
    """The column had been read as numbers for two batches when the first word came."""
    lines = [json.dumps({"a": i, "b": {"c": i}}) for i in range(40_000)]
    lines[35_000] = '{"a": "text", "b": {"c": [1]}}'
    rows = data.read(write("rows.jsonl", "\n".join(lines)))
    assert rows.table.column("a").to_pylist()[34_999:35_002] == ["34999", "text", "35001"]
    assert rows.table.column("b").to_pylist()[34_999:35_001] == ['{"c": 34999}', '{"c": [1]}']
    assert list(rows.lines) == list(range(1, 40_001))


def test_fields_that_come_late_and_numbers_that_get_a_fraction(write):
    lines = [json.dumps({"a": i, "b": [{"x": i}]}) for i in range(20_000)]
    lines += ['{"a": 0.5, "b": [{"x": 1, "y": "z"}], "c": "new"}']
    table = data.read(write("rows.jsonl", "\n".join(lines))).table
    assert table.slice(1, 1).to_pylist() == [{"a": 1.0, "b": [{"x": 1, "y": None}], "c": None}]
    assert table.slice(20_000).to_pylist() == [{"a": 0.5, "b": [{"x": 1, "y": "z"}], "c": "new"}]


def test_lines_stay_right_over_batches(write):
    """Rows are read 16,384 at a time; some hold line breaks, and blank lines stand between."""
    parts, expected, line = ["text,label\n"], [], 2
    for i in range(40_000):
        expected.append(line)
        parts.append(f'"a\n\n{i}",x\n' if i % 1000 == 7 else f"b {i},y\n")
        line += 3 if i % 1000 == 7 else 1
        if i % 5000 == 9:
            parts.append("\n")
            line += 1
    rows = data.read(write("rows.csv", "".join(parts)))
    assert list(rows.lines) == expected


def test_sample_is_even_and_complete():
    assert data.sample(5, None) == data.sample(5, 5) == data.sample(5, 9) == [0, 1, 2, 3, 4]
    assert data.sample(10, 5) == [0, 2, 4, 6, 8]
    assert len(set(data.sample(1000, 7))) == 7
