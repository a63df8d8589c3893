"""Malformed and odd files, one table: what is in them, and what comes of it.

Each is written into a fresh folder by the tests (`write`), so nothing binary is kept in the repository. A file
ends as the table of rows that its maker meant (`Read`), or as an error that says what is wrong and where
(`Refused`).
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import sqlite3
import struct
import sys
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Read:
    """The rows: how many, their columns, some of them by place, their lines, and the codes of the notes."""

    rows: int
    columns: list[str]
    some: dict[int, dict[str, object]] = field(default_factory=dict)
    lines: list[int] | None = None
    notes: list[str] = field(default_factory=list)
    format: str | None = None
    says: str = ""  # in one of the notes


@dataclass(frozen=True)
class Refused:
    """Parts of the message and of the hint."""

    says: str
    hint: str = ""


def _lines(*rows: object) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def _zip(**files: str) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name.replace("__", "/").replace("_dot_", ".")), content)
    return sink.getvalue()


def _sqlite(folder: Path) -> bytes:
    path = folder / "made.db"
    connection = sqlite3.connect(path)
    connection.execute("create table rows (text, label)")
    connection.commit()
    connection.close()
    content = path.read_bytes()
    path.unlink()
    return content


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


REVIEWS = "text,label\nLoved every minute of it,pos\nFell asleep,neg\nWould watch again,pos\n"
REVIEW = {"text": "Loved every minute of it", "label": "pos"}
MANY = "text,label\n" + "".join(f"review number {i},{('pos', 'neg')[i % 2]}\n" for i in range(60))
BIO = "Ada\tB-PER\nLovelace\tI-PER\nwrote\tO\n\nParis\tB-LOC\nsleeps\tO\n"
ADA = {"tokens": ["Ada", "Lovelace", "wrote"], "tags": ["B-PER", "I-PER", "O"]}
TOKENS = ["tokens", "tags"]
TABLE = ["text", "label"]
PLACES = ["column_1", "column_2"]
SPACY = [["Ada wrote", {"entities": [[0, 3, "PER"]]}], ["In Paris", {"entities": [[3, 8, "LOC"]]}]]
CHATS = [
    {"messages": [{"role": "user", "content": f"hi {i}"}, {"role": "assistant", "content": "yo"}]}
    for i in range(3)
]
DEEP = 100_000

ODD: dict[str, tuple[str, bytes, Read | Refused]] = {
    # Encodings
    "utf-8 with a mark": ("a.csv", b"\xef\xbb\xbf" + REVIEWS.encode(), Read(3, TABLE, {0: REVIEW}, [2, 3, 4])),
    "utf-16 little-endian": ("a.csv", REVIEWS.encode("utf-16"), Read(3, TABLE, {0: REVIEW}, [2, 3, 4])),
    "utf-16 big-endian": (
        "a.csv",
        b"\xfe\xff" + REVIEWS.encode("utf-16-be"),
        Read(3, TABLE, {0: REVIEW}),
    ),
    "utf-16 jsonl": (
        "a.jsonl",
        _lines({"text": "é"}, {"text": "b"}).decode().encode("utf-16"),
        Read(2, ["text"], {0: {"text": "é"}}),
    ),
    "utf-32": ("a.csv", REVIEWS.encode("utf-32"), Read(3, TABLE, {0: REVIEW})),
    "utf-16 without a mark": (
        "a.csv",
        REVIEWS.encode("utf-16-le"),
        Refused("looks like UTF-16 without", "save it as UTF-8"),
    ),
    "utf-16 cut in a character": (
        "a.csv",
        REVIEWS.encode("utf-16")[:-1],
        Refused("begins with the mark of UTF-16 and is not"),
    ),
    "windows-1252": (
        "a.csv",
        "text,label\nCafé – très bon,pos\nplain,neg\nNaïve “quotes”,neg\n".encode("cp1252"),
        Read(
            3,
            TABLE,
            {0: {"text": "Café – très bon"}, 2: {"text": "Naïve “quotes”"}},
            notes=["encoding"],
            says="lines 2 and 4",
        ),
    ),
    "latin-1 jsonl": (
        "a.jsonl",
        b'{"text": "Gr\xfc\xdfe"}\n{"text": "ok"}\n',
        Read(2, ["text"], {0: {"text": "Grüße"}}, notes=["encoding"]),
    ),
    "utf-8 with one line of windows-1252": (
        "a.csv",
        "text,label\nnaïve,pos\nüber,neg\n".encode() + "café,pos\n".encode("cp1252"),
        Read(
            3, TABLE, {0: {"text": "naïve"}, 2: {"text": "café"}}, notes=["encoding"], says="one line is not UTF-8"
        ),
    ),
    "cyrillic windows-1251": (
        "a.csv",
        "text,label\nПривет мир,pos\nкак дела,neg\n".encode("cp1251"),
        Refused("not UTF-8 from line 2 on", "iconv"),
    ),
    "shift-jis": (
        "a.csv",
        "text,label\n今日は良い天気,pos\n".encode("shift-jis"),
        Refused("not UTF-8 from line 2 on", "iconv"),
    ),
    "a byte of nothing": ("a.csv", b"text,label\nfine,pos\nbad \x81\x8d byte,neg\n", Refused("line 3")),
    "nul characters": (
        "a.csv",
        b"text,label\n" + b"a longer line of text,pos\n" * 40 + b"he\0llo,neg\n",
        Read(41, TABLE, {40: {"text": "hello"}}, notes=["nul-characters"], says="line 42"),
    ),
    "emoji and unusual line separators": (
        "a.jsonl",
        _lines({"text": "one\u2028two\x85three 🎉"}, {"text": "b"}),
        Read(2, ["text"], {0: {"text": "one\u2028two\x85three 🎉"}}, [1, 2]),
    ),
    # Line ends
    "crlf": ("a.csv", REVIEWS.replace("\n", "\r\n").encode(), Read(3, TABLE, {2: {"label": "pos"}}, [2, 3, 4])),
    "old mac line ends": ("a.csv", REVIEWS.replace("\n", "\r").encode(), Read(3, TABLE, {0: REVIEW}, [2, 3, 4])),
    "no line end at the end": ("a.csv", REVIEWS.rstrip("\n").encode(), Read(3, TABLE)),
    "carriage return inside of a row": (
        "a.csv",
        b"text,label\none\rtwo,pos\nthree,neg\n",
        Refused("line 2 is broken: it holds a carriage return"),
    ),
    "blank lines between rows": (
        "a.csv",
        b"\n\ntext,label\n\na b,pos\n   \nc d,neg\n\n",
        Read(2, TABLE, {}, [5, 7]),
    ),
    # CSV
    "empty file": ("a.csv", b"", Refused("is empty")),
    "only spaces": ("a.csv", b" \n\n  \n", Refused("is empty")),
    "only a mark": ("a.csv", b"\xef\xbb\xbf", Refused("has no rows")),
    "only a header": ("a.csv", b"text,label\n", Refused("`a.csv` has no rows")),
    "header named twice": ("a.csv", b"text,label,text\na,b,c\n", Refused("names `text` more than once")),
    "index column without a name": (
        "a.csv",
        b",text,label\n0,a b,pos\n1,c d,neg\n",
        Read(2, ["column_1", "text", "label"]),
    ),
    "comma at every end": ("a.csv", b"text,label,\na b,pos,\nc d,neg,\n", Read(2, TABLE)),
    "empty cells after the last column": ("a.csv", b"text,label\na b,pos,,\nc d,neg\n", Read(2, TABLE)),
    "semicolons": (
        "a.csv",
        b"text;label\nyes, sure;pos\nno, never;neg\n",
        Read(2, TABLE, {0: {"text": "yes, sure"}}),
    ),
    "tabs in a file named csv": (
        "a.csv",
        b"text\tlabel\nyes, sure\tpos\nno, never\tneg\n",
        Read(2, TABLE, {0: {"text": "yes, sure"}}),
    ),
    "bars": ("a.csv", b"text|label\nyes, sure|pos\nno|neg\n", Read(2, TABLE, {0: {"text": "yes, sure"}})),
    "excel names its separator": ("a.csv", b"sep=;\ntext;label\na b;pos\nc d;neg\n", Read(2, TABLE, {}, [3, 4])),
    "line breaks in quotes": (
        "a.csv",
        b'text,label\n"one\ntwo\n\nthree",pos\nfour,neg\n',
        Read(2, TABLE, {0: {"text": "one\ntwo\n\nthree"}}, [2, 6]),
    ),
    "doubled quotes": (
        "a.csv",
        b'text,label\n"he said ""no""",pos\nx y,neg\n',
        Read(2, TABLE, {0: {"text": 'he said "no"'}}),
    ),
    "quotes inside of plain text": (
        "a.csv",
        b'text,label\na 5" disk,pos\nx y,neg\n',
        Read(2, TABLE, {0: {"text": 'a 5" disk'}}),
    ),
    "a quote that is never closed": (
        "a.csv",
        b'text,label\na,pos\n"b,neg\nc,pos\n',
        Refused("line 3 is broken: its quote is never closed"),
    ),
    "a quote that is not doubled": (
        "a.csv",
        b'text,label\na,pos\n"b "c" d",neg\n',
        Refused("line 3 is broken: a quote inside", '`""`'),
    ),
    "commas without quotes": (
        "a.csv",
        b"text,label\nwell, yes,pos\nno,neg\nmaybe,pos\nso, so, so,neg\n",
        Refused("line 2 has 3 of 2 fields; line 5 has 4 of 2 fields", "put quotes around text that holds `,`"),
    ),
    "one ragged row of many": (
        "a.csv",
        MANY.replace("number 7,", "number, 7,").encode(),
        Read(59, TABLE, {7: {"text": "review number 8"}}, notes=["unreadable-rows"], says="line 9"),
    ),
    "a cut last row": (
        "a.csv",
        (MANY + "the end").encode(),
        Read(60, TABLE, notes=["unreadable-rows"], says="line 62"),
    ),
    "header wider than the rows": (
        "a.csv",
        b"text,label,more\na,pos\nb,neg\nc,pos\n",
        Refused("3 lines of `a.csv` have a wrong number", "the header names `text`, `label`, `more`"),
    ),
    "a very long field": ("a.csv", b"text,label\n" + b"x" * 300_000 + b",pos\ny,neg\n", Read(2, TABLE)),
    "numbers stay text": (
        "a.csv",
        b"text,label\n007,1\n1e5,0\n",
        Read(2, TABLE, {0: {"text": "007", "label": "1"}, 1: {"text": "1e5"}}),
    ),
    "spaces around names": ("a.csv", b" text , label \na b,pos\nc d,neg\n", Read(2, TABLE)),
    "thousands of columns": (
        "a.csv",
        (",".join(f"c{i}" for i in range(3000)) + "\n" + ",".join("x" * 3000) + "\n").encode(),
        Read(1, [f"c{i}" for i in range(3000)], notes=["header"]),
    ),
    "one column": ("a.csv", b"text\nhello there\ngood bye\n", Read(2, ["text"])),
    # Header or not
    "no header, labels first": (
        "a.csv",
        b"ham,See you at 5\nspam,Win a prize\nham,On my way\nham,Where are you\n",
        Read(
            4,
            PLACES,
            {0: {"column_1": "ham", "column_2": "See you at 5"}},
            [1, 2, 3, 4],
            ["no-header"],
            says="`ham` is a value of its column",
        ),
    ),
    "no header, quotes that are plain characters": (
        "sms.tsv",
        b'ham\t"Not now," he said\nspam\t"Win now\nham\tOk lar\nspam\tCall "now"\n',
        Read(4, PLACES, {1: {"column_2": '"Win now'}}, [1, 2, 3, 4], ["no-header"]),
    ),
    "no header, quotes that would swallow rows": (
        "sms.tsv",
        b'ham\t"Win now\nspam\tnothing here\nham\tOk lar\nspam\tCall now"\n',
        Read(4, PLACES, {0: {"column_2": '"Win now'}}, notes=["no-header"]),
    ),
    "no header, numbers": (
        "a.csv",
        b"0,A fine film\n1,A bad film\n0,Fine again\n",
        Read(3, PLACES, notes=["no-header"], says="it has a number"),
    ),
    "no header, sentences": (
        "a.tsv",
        b"I loved every bit of this film and so did we\tgood\nAwful\tbad\n",
        Read(2, PLACES, notes=["no-header"]),
    ),
    "a header of unusual names": (
        "a.csv",
        b"Freitext,Ergebnis\nnie wieder,schlecht\ngern,gut\n",
        Read(2, ["Freitext", "Ergebnis"], notes=["header"], says="`--column ROLE=column_1`"),
    ),
    "a header over numbers": ("a.csv", b"Freitext,Wert\nnie wieder,0\ngern,1\n", Read(2, ["Freitext", "Wert"])),
    # TSV
    "quoted tsv": (
        "a.tsv",
        b'text\tlabel\n"one\ttwo"\tpos\nthree\tneg\n',
        Read(2, TABLE, {0: {"text": "one\ttwo"}}),
    ),
    "quoted tsv with line breaks": (
        "a.tsv",
        b'text\tlabel\n"one\ntwo"\tpos\nthree\tneg\n',
        Read(2, TABLE, {0: {"text": "one\ntwo"}}, [2, 4]),
    ),
    "tsv with a missing tab": ("a.tsv", b"text\tlabel\none\tpos\ntwo neg\n", Refused("line 3 has 1 of 2 fields")),
    "tsv named txt": ("a.txt", b"text\tlabel\none two\tpos\nthree\tneg\n", Read(2, TABLE, format="tsv")),
    # Token files
    "bio": ("a.tsv", BIO.encode(), Read(2, TOKENS, {0: ADA}, [1, 5], format="conll")),
    "bio without an ending": ("corpus", BIO.encode(), Read(2, TOKENS, {0: ADA}, format="conll")),
    "bio of crlf with a mark": (
        "a.txt",
        b"\xef\xbb\xbf" + BIO.replace("\n", "\r\n").encode(),
        Read(2, TOKENS, {0: ADA}, [1, 5]),
    ),
    "blank lines that hold a tab": (
        "a.conll",
        BIO.replace("\n\n", "\n\t\n").encode(),
        Read(2, TOKENS, {0: ADA}, [1, 5]),
    ),
    "blank lines that hold spaces": (
        "a.conll",
        BIO.replace("\n\n", "\n  \n\n").encode(),
        Read(2, TOKENS, {0: ADA}, [1, 6]),
    ),
    "conll-2003": (
        "eng.train",
        b"-DOCSTART- -X- -X- O\n\nAda NNP B-NP B-PER\nwrote VBD B-VP O\n\n"
        b"-DOCSTART- -X- -X- O\n\nParis NNP B-NP B-LOC\n. . O O\n",
        Read(
            2,
            ["tokens", "column_2", "column_3", "tags"],
            {0: {"tokens": ["Ada", "wrote"], "column_2": ["NNP", "VBD"], "tags": ["B-PER", "O"]}},
            [3, 8],
        ),
    ),
    "comments and hash tags": (
        "a.conll",
        b"# id = 1\n# a comment here\n#\tO\n#party\tB-EVT\n\n# id = 2\nParis\tB-LOC\n",
        Read(2, TOKENS, {0: {"tokens": ["#", "#party"], "tags": ["O", "B-EVT"]}}, [3, 7]),
    ),
    "plain tags without b and i": (
        "a.txt",
        b"Ada PER\nwrote O\na O\nbook O\n\nParis LOC\nsleeps O\nat O\nnight O\n\n"
        b"Ada PER\nleft O\nParis LOC\n. O\n",
        Read(3, TOKENS, {1: {"tags": ["LOC", "O", "O", "O"]}}, [1, 6, 11]),
    ),
    "tokens with a header": (
        "a.tsv",
        b"token\ttag\nAda\tB-PER\nwrote\tO\n\nParis\tB-LOC\n",
        Read(2, TOKENS, {0: {"tokens": ["Ada", "wrote"]}}, [2, 5], ["header"]),
    ),
    "many blank lines at the end": ("a.conll", (BIO + "\n\n\n").encode(), Read(2, TOKENS)),
    "a token without a tag": (
        "a.conll",
        (BIO * 3).replace("wrote\tO", "wrote", 1).encode(),
        Refused("line 3 has 1 of 2 columns", "a blank line ends a sentence"),
    ),
    "one bad sentence of many": (
        "a.conll",
        ("Ada\tB-PER\nwrote\tO\n\n" * 40 + "Paris\n\n").encode(),
        Read(40, TOKENS, notes=["unreadable-rows"], says="line 121"),
    ),
    "a token with spaces in a tab file": (
        "a.conll",
        b"New York\tB-LOC\nis\tO\nbig\tO\n" + b"x\tO\n" * 30,
        Read(1, TOKENS, {0: {}}),
    ),
    "no token file": (
        "a.conll",
        b"This is just\nsome text of\nno form at all here\n",
        Refused("is no token file", "after a tab or a space"),
    ),
    "conll-u": (
        "a.conllu",
        (
            "# sent_id = 1\n# text = Vámonos al mar\n1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_\n"
            "1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_\n2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_\n\n"
            "1\tSí\tsí\tINTJ\t_\t_\t0\troot\t_\t_\n1.1\tx\tx\tX\t_\t_\t_\t_\t_\t_\n"
        ).encode(),
        Read(
            2,
            ["tokens", "lemmas", "upos", "head", "deprel"],
            {0: {"tokens": ["Vamos", "nos"], "upos": ["VERB", "PRON"]}},
            [3, 7],
            format="conll",
        ),
    ),
    # Dialogues
    "dialogues with blank lines between": (
        "chats.txt",
        b"User: hi, there\nAssistant: hello\n\nUser: how?\nAssistant: like this:\n\n1. so\n\n"
        b"User: ok\nBot: fine\n",
        Read(
            3,
            ["dialogue"],
            {1: {"dialogue": "User: how?\nAssistant: like this:\n\n1. so"}},
            [1, 4, 9],
            format="dialogues",
        ),
    ),
    "dialogues with rules between": (
        "chats.txt",
        b"User: a\n\nAssistant: b\n\nUser: c\nAssistant: d\n---\nUser: e\nAssistant: f\n",
        Read(2, ["dialogue"], {1: {"dialogue": "User: e\nAssistant: f"}}, [1, 8]),
    ),
    "one dialogue with blank lines in it": (
        "chat.txt",
        b"User: a\n\nAssistant: b\n\nUser: c\n\nAssistant: d\n",
        Read(1, ["dialogue"], {}, [1]),
    ),
    # JSON Lines
    "jsonl named json": ("a.json", _lines(REVIEW, REVIEW), Read(2, TABLE, {0: REVIEW}, [1, 2], format="jsonl")),
    "a list named jsonl": (
        "a.jsonl",
        json.dumps([REVIEW, REVIEW], indent=1).encode(),
        Read(2, TABLE, {0: REVIEW}, format="json"),
    ),
    "jsonl without an ending": ("rows", _lines(REVIEW, REVIEW), Read(2, TABLE, format="jsonl")),
    "blank lines in jsonl": ("a.jsonl", b'\n{"text": "1"}\n\n  \n{"text": "2"}\n', Read(2, ["text"], {}, [2, 5])),
    "a comma too much": (
        "a.jsonl",
        b'{"text": "a"}\n{"text": "b",}\n',
        Refused("line 2 is not JSON", "each line must be one JSON object"),
    ),
    "single quotes": (
        "a.jsonl",
        b"{'text': 'a'}\n{'text': 'b'}\n",
        Refused("line 1 is not JSON: Expecting property name"),
    ),
    "a cut last line of many": (
        "a.jsonl",
        _lines(*[REVIEW] * 40) + b'{"text": "b',
        Read(40, TABLE, notes=["unreadable-rows"], says="line 41"),
    ),
    "texts instead of objects": ("a.jsonl", b'"a"\n"b"\n', Refused("line 1 is text, not an object")),
    "nested too deeply": ("a.jsonl", b"[" * DEEP, Refused("nested too deeply")),
    "an object nested deeply": ("a.jsonl", (f'{{"a": {"[" * 400}1{"]" * 400}}}\n').encode(), Read(1, ["a"])),
    "half a surrogate pair": (
        "a.jsonl",
        b'{"text": "a"}\n{"text": "cut \\ud83d"}\n',
        Read(2, ["text"], {1: {"text": "cut \ufffd"}}, notes=["half-characters"], says="line 2"),
    ),
    "half a surrogate in a name": ("a.jsonl", b'{"te\\ud83dxt": "a"}\n', Read(1, ["te\ufffdxt"])),
    "a whole surrogate pair": ("a.jsonl", b'{"text": "\\ud83c\\udf89"}\n', Read(1, ["text"], {0: {"text": "🎉"}})),
    "nan is no value": (
        "a.jsonl",
        b'{"text": "a", "n": 1.5}\n{"text": NaN, "n": NaN}\n',
        Read(2, ["text", "n"], {1: {"text": None, "n": None}}),
    ),
    "a huge number": (
        "a.jsonl",
        b'{"n": 1}\n{"n": 36893488147419103232}\n',
        Read(2, ["n"], {1: {"n": "36893488147419103232"}}),
    ),
    "a number of 5000 digits": (
        "a.jsonl",
        b'{"n": ' + b"7" * 5000 + b"}\n",
        Refused("line 1 is not JSON: it has a number with too many digits"),
    ),
    "labels of mixed types": (
        "a.jsonl",
        b'{"text": "a", "label": 1}\n{"text": "b", "label": "x"}\n{"text": "c", "label": true}\n{"text": "d"}\n',
        Read(4, TABLE, {0: {"label": "1"}, 1: {"label": "x"}, 2: {"label": "true"}, 3: {"label": None}}),
    ),
    "spans as lists": (
        "a.jsonl",
        _lines({"text": "Ada", "label": [[0, 3, "PER"]]}, {"text": "b", "label": []}),
        Read(2, TABLE, {0: {"label": '[[0, 3, "PER"]]'}, 1: {"label": "[]"}}),
    ),
    "content that is sometimes a list": (
        "a.jsonl",
        _lines(CHATS[0], {"messages": [{"role": "user", "content": ["x"]}]}),
        Read(2, ["messages"], {1: {"messages": '[{"role": "user", "content": ["x"]}]'}}),
    ),
    "rows with different fields": (
        "a.jsonl",
        b'{"a": 1}\n{"b": [{"x": 1}]}\n{"b": [{"y": 2.5}]}\n',
        Read(3, ["a", "b"], {2: {"a": None, "b": [{"x": None, "y": 2.5}]}}),
    ),
    "thousands of fields": (
        "a.jsonl",
        _lines(*[{f"field{i}": 1} for i in range(2500)]),
        Refused("have 2,500 different fields"),
    ),
    "a map in every row": (
        "a.jsonl",
        _lines(*[{"text": "a", "meta": {f"k{i}-{j}": 1 for j in range(3)}} for i in range(200)]),
        Read(200, ["text", "meta"], {0: {"meta": '{"k0-0": 1, "k0-1": 1, "k0-2": 1}'}}),
    ),
    "an empty object": ("a.jsonl", b'{}\n{"text": "a"}\n', Read(2, ["text"], {0: {"text": None}})),
    "spacy pairs by line": (
        "a.jsonl",
        _lines(*SPACY),
        Read(2, ["text", "entities"], {0: {"entities": '[[0, 3, "PER"]]'}}),
    ),
    # JSON
    "a list of objects": ("a.json", json.dumps([REVIEW]).encode(), Read(1, TABLE, {0: REVIEW})),
    "a list in an object": (
        "a.json",
        json.dumps({"version": 1, "data": [REVIEW, REVIEW]}).encode(),
        Read(2, TABLE),
    ),
    "two lists in an object": (
        "a.json",
        json.dumps({"train": [REVIEW], "other": [REVIEW]}).encode(),
        Refused("holds 2 lists of objects: `train`, `other`"),
    ),
    "objects by id": (
        "a.json",
        json.dumps({"a1": REVIEW, "a2": REVIEW}, indent=1).encode(),
        Read(2, ["text", "label", "id"], {1: {"id": "a2"}}),
    ),
    "objects by id with ids": (
        "a.json",
        json.dumps({"a": {"id": 7, "text": "x"}, "b": {"id": 8, "text": "y"}}).encode(),
        Read(2, ["id", "text", "key"], {0: {"id": 7, "key": "a"}}),
    ),
    "columns of pandas": (
        "a.json",
        b'{"text":{"0":"a","1":"b"},"label":{"0":"x","1":"y"}}',
        Read(2, TABLE, {1: {"text": "b", "label": "y"}}),
    ),
    "columns as lists": (
        "a.json",
        b'{"text": ["a", "b"], "label": ["x", "y"]}',
        Read(2, TABLE, {1: {"text": "b", "label": "y"}}),
    ),
    "objects one after another": (
        "a.json",
        f"{json.dumps(REVIEW, indent=1)}\n{json.dumps(REVIEW, indent=1)}\n".encode(),
        Read(2, TABLE, {1: REVIEW}),
    ),
    "spacy list": (
        "a.json",
        json.dumps(SPACY).encode(),
        Read(2, ["text", "entities"], {1: {"text": "In Paris", "entities": '[[3, 8, "LOC"]]'}}),
    ),
    "spacy list in an annotation tool's file": (
        "a.json",
        json.dumps({"classes": ["PER"], "annotations": [None, *SPACY][1:]}).encode(),
        Read(2, ["text", "entities"]),
    ),
    "an empty list": ("a.json", b"[]", Refused("has no rows")),
    "an empty object as file": ("a.json", b"{}", Refused("is an empty object")),
    "one number": ("a.json", b"3", Refused("is a number, not a list of objects")),
    "things that are no objects": (
        "a.json",
        b'[{"a": 1}, null, 3]',
        Refused("2 rows of `a.json` are not objects: row 2 is null"),
    ),
    "a colon missing": (
        "a.json",
        b'[{"a": 1},\n {"a" 1}]',
        Refused("is not JSON: line 2: Expecting ':' delimiter"),
    ),
    "a list that is cut": ("a.json", b'[{"a": 1},\n {"a": 2}', Refused("is not JSON: line 2")),
    "text after the list": ("a.json", b'[{"a": 1}]\n]', Refused("is not JSON: line 2: Extra data")),
    # gzip
    "gzip csv": ("a.csv.gz", _gzip(REVIEWS.encode()), Read(3, TABLE, {0: REVIEW}, [2, 3, 4], format="csv")),
    "gzip without the ending": ("a.csv", _gzip(REVIEWS.encode()), Read(3, TABLE, {0: REVIEW})),
    "named gzip and is not": ("a.csv.gz", REVIEWS.encode(), Read(3, TABLE, {0: REVIEW})),
    "gzip jsonl": ("a.jsonl.gz", _gzip(_lines(REVIEW)), Read(1, TABLE, format="jsonl")),
    "gzip token file": ("a.conll.gz", _gzip(BIO.encode()), Read(2, TOKENS, {0: ADA}, format="conll")),
    "gzip of windows-1252": (
        "a.csv.gz",
        _gzip("text,label\nCafé noir,pos\nb c,neg\n".encode("cp1252")),
        Read(2, TABLE, {0: {"text": "Café noir"}}, notes=["encoding"]),
    ),
    "gzip parquet": (
        "a.parquet.gz",
        _gzip(_parquet(pa.table({"text": ["a"], "label": ["b"]}))),
        Read(1, TABLE, format="parquet"),
    ),
    "gzip cut short": (
        "a.csv.gz",
        _gzip(MANY.encode() * 50)[:-40],
        Refused("is a damaged gzip file: it ends too early"),
    ),
    "gzip with a wrong byte": (
        "a.csv.gz",
        _gzip(MANY.encode())[:-6] + b"\0\0\0\0\0\0",
        Refused("is a damaged gzip file"),
    ),
    "gzip of nothing": ("a.csv.gz", _gzip(b""), Refused("is empty")),
    "tar in gzip": (
        "a.tar.gz",
        _gzip(b"rows.csv" + b"\0" * 249 + b"ustar" + b"\0" * 250),
        Refused("is a tar archive", "unpack it"),
    ),
    # Parquet
    "parquet": (
        "a.parquet",
        _parquet(pa.table({"text": ["a", "b"], "label": [0, 1]})),
        Read(2, TABLE, {1: {"label": 1}}, [1, 2]),
    ),
    "parquet without an ending": (
        "rows",
        _parquet(pa.table({"text": ["a"]})),
        Read(1, ["text"], format="parquet"),
    ),
    "parquet with categories": (
        "a.parquet",
        _parquet(pa.table({"label": pa.array(["a", "b", "a"]).dictionary_encode()})),
        Read(3, ["label"], {2: {"label": "a"}}),
    ),
    "parquet of datasets with numbered labels": (
        "a.parquet",
        _parquet(
            pa.table(
                {"tokens": [["Ada"], ["in", "Paris"]], "ner_tags": [[1], [0, 2]], "label": [1, -1]}
            ).replace_schema_metadata(
                {
                    "huggingface": json.dumps(
                        {
                            "info": {
                                "features": {
                                    "ner_tags": {
                                        "feature": {"names": ["O", "B-PER", "B-LOC"], "_type": "ClassLabel"},
                                        "_type": "Sequence",
                                    },
                                    "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
                                }
                            }
                        }
                    )
                }
            )
        ),
        Read(
            2,
            ["tokens", "ner_tags", "label"],
            {0: {"ner_tags": ["B-PER"], "label": "pos"}, 1: {"ner_tags": ["O", "B-LOC"], "label": None}},
        ),
    ),
    "parquet without rows": (
        "a.parquet",
        _parquet(pa.table({"text": pa.array([], pa.string())})),
        Refused("has no rows"),
    ),
    "parquet that is cut": (
        "a.parquet",
        _parquet(pa.table({"text": ["a"]}))[:-20],
        Refused("cannot be read as Parquet"),
    ),
    "csv named parquet": (
        "a.parquet",
        REVIEWS.encode(),
        Refused("is named for Parquet and is not", "ending of the format"),
    ),
    # What is no file of rows
    "excel": ("a.xlsx", _zip(xl__workbook_dot_xml="<x/>"), Refused("is an Excel file", "save the sheet as CSV")),
    "excel named csv": (
        "a.csv",
        _zip(xl__workbook_dot_xml="<x/>"),
        Refused("is an Excel file", "save the sheet as CSV"),
    ),
    "old excel": ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, Refused("old Excel or Word")),
    "word": ("a.docx", _zip(word__document_dot_xml="<x/>"), Refused("is a Word document", "the text itself")),
    "zip": ("a.zip", _zip(train_dot_csv=REVIEWS), Refused("a zip archive of `train.csv`", "unpack it")),
    "zip that is cut": ("a.zip", _zip(train_dot_csv=REVIEWS)[:60], Refused("a damaged zip archive")),
    "png": ("a.csv", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, Refused("is a PNG picture")),
    "pdf": ("a.txt", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", Refused("is a PDF")),
    "pickle": ("a.pkl", pickle.dumps({"text": ["a"]}), Refused("is a pickle", "never is")),
    "pickle named csv": ("a.csv", pickle.dumps([1, 2]), Refused("is a pickle")),
    "spacy docbin": (
        "train.spacy",
        zlib.compress(b"\x85\xa7version\xa30.1"),
        Refused("is a spaCy DocBin", "`text` and `spans`"),
    ),
    "numpy": ("a.npy", b"\x93NUMPY\x01\0v\0{}", Refused("is a NumPy array")),
    "arrow": ("a.arrow", b"ARROW1\0\0\xff\xff\xff\xff", Refused("is an Arrow file")),
    "bzip2": ("a.csv.bz2", b"BZh91AY&SY\0\0\0", Refused("is packed with bzip2")),
    "random bytes": ("a.csv", struct.pack(">200H", *range(1, 60000, 300)[:200]), Refused("a.csv")),
    "markdown": (
        "notes.md",
        b"# Notes\n\nNothing to see\n",
        Refused("the format of `notes.md` is not known", "rows are read from CSV"),
    ),
}


def write(folder: Path, case: str) -> Path:
    """The file of this case."""
    name, content, _ = ODD[case]
    path = folder / name
    path.write_bytes(content)
    return path


if __name__ == "__main__":  # all of them, to try by hand: `python tests/odd_files.py [FOLDER]`
    for place, odd in enumerate(ODD):
        into = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/data") / f"{place:03}-{odd.replace(' ', '-')}"
        into.mkdir(parents=True, exist_ok=True)
        write(into, odd)
