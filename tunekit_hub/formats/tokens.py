"""Token files (CoNLL, CoNLL-U): a token a line with its tags beside it, a blank line after each sentence.

Columns are cut at tabs, or at spaces where there are no tabs. The last column is `tags`, those between are
`column_2`, `column_3`, …; CoNLL-U has names of its own. `-DOCSTART-` lines and comments are no tokens.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pyarrow as pa

from tunekit_hub.formats.decoding import TextFile
from tunekit_hub.formats.raw import Parsed, Wrong, chunked, join_lines, set_aside
from tunekit_hub.profiles.notes import note

_LOOKED_AT = 5000  # lines
_TAG = re.compile(r"O|[BIESLUMW][-_].+")
_CONLLU = ("id", "tokens", "lemmas", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
_HEADS = frozenset(
    ("token", "tokens", "word", "words", "text", "form", "tag", "tags", "label", "labels", "ner", "pos")
)
_MOST_TAGS = 100
_START = "-DOCSTART-"
_HINT = "each token stands on a line with its tags, and a blank line ends a sentence"
_SENTENCES = 8192  # that are Python objects at the same time


@dataclass(frozen=True)
class Layout:
    """How the lines of a token file are cut."""

    tabs: bool
    width: int
    tags: frozenset[str]  # in the last column of the lines looked at
    named: bool = False  # the first line names the columns

    @property
    def conllu(self) -> bool:
        """Whether it is CoNLL-U: ten columns that begin with the token's number."""
        return self.width == 10 and self.tabs and not self.tags

    def cut(self, line: str) -> list[str]:
        """The cells of a line."""
        if self.tabs:
            return line.rstrip("\t \n").split("\t")
        return [cell for cell in line.strip(" \n").split(" ") if cell]

    def is_comment(self, line: str, cells: Sequence[str]) -> bool:
        """`# …`, which a token `#` also begins with; and the marks between documents."""
        if line.startswith(_START):
            return True
        return line[0] == "#" and (len(cells) != self.width or (" " in line and cells[-1] not in self.tags))


def find_layout(text: TextFile, least: float = 0.95) -> Layout | None:
    """How this file is cut, if its first lines look like tokens and tags; None where they do not.

    They do when all have equally many cells, at least two, the first of them without a space, and when the last
    column holds tags such as `B-PER` and `O`, or few different values with blank lines between groups.

    Args:
        text: The file.
        least: The share of lines that must have the same number of cells.
    """
    lines = list(islice(text.lines(), _LOOKED_AT))
    marked = [line for line in lines if line.strip() and line[0] == "#"]
    filled = [line for line in lines if line.strip() and line[0] != "#" and not line.startswith(_START)]
    filled = filled or marked
    if not filled:
        return None
    tabs = sum("\t" in line.rstrip() for line in filled) > len(filled) / 2
    cells = [Layout(tabs, 0, frozenset()).cut(line) for line in filled]
    width, count = Counter(map(len, cells)).most_common(1)[0]
    if tabs and width in (8, 9, 10) and _numbered(cells):
        return Layout(tabs=True, width=10, tags=frozenset())
    if width < 2 or count < least * len(cells):
        return None
    rows = [row for row in cells if len(row) == width]
    if sum(" " in row[0].strip() for row in rows) > 0.05 * len(rows):
        return None
    named = _is_header(rows)
    last = Counter(row[-1] for row in rows[named:])
    if not _are_tags(last, _groups(lines)):
        return None
    return Layout(tabs, width, frozenset(last), named)


def _numbered(cells: Sequence[Sequence[str]]) -> bool:
    """Whether every line begins with a CoNLL-U id: `3`, `3-4` or `3.1`."""
    return all(re.fullmatch(r"\d+([-.]\d+)?", row[0]) for row in cells) and cells[0][0].startswith(("1", "0"))


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    first = [cell.strip().lower() for cell in rows[0]]
    return len(rows) > 1 and first[-1] in _HEADS and first[0] in _HEADS


def _groups(lines: Sequence[str]) -> int:
    """How many runs of filled lines there are."""
    return sum(
        bool(line.strip()) and not before.strip() for before, line in zip(["", *lines], lines, strict=False)
    )


def _are_tags(last: Counter[str], groups: int) -> bool:
    total = sum(last.values())
    typical = sum(count for tag, count in last.items() if _TAG.fullmatch(tag))
    if typical >= 0.95 * total:
        return len(last) > 1 or groups > 1
    # Plain tags (`PER`, `NOUN`): few, short, without spaces; and sentences, which no table has.
    short = all(len(tag) <= 40 and " " not in tag for tag in last)
    return groups > 2 and short and len(last) <= min(_MOST_TAGS, max(2, total // 3)) and total >= 3 * groups


@dataclass
class _Sentences:
    """What has been read: flat cells of every column, and where each sentence begins."""

    width: int
    cells: list[list[str]] = field(default_factory=list)  # of each column
    offsets: list[int] = field(default_factory=lambda: [0])
    starts: list[int] = field(default_factory=list)
    columns: list[list[pa.Array]] = field(default_factory=list)
    lines: list[np.ndarray] = field(default_factory=list)
    good: int = 0

    def add(self, sentence: list[list[str]], line: int) -> None:
        self.cells = self.cells or [[] for _ in range(self.width)]
        for column, values in zip(self.cells, zip(*sentence, strict=True), strict=True):
            column.extend(values)
        self.offsets.append(len(self.cells[0]))
        self.starts.append(line)
        if len(self.starts) == _SENTENCES:
            self.flush()

    def flush(self) -> None:
        if not self.starts:
            return
        offsets = pa.array(self.offsets, pa.int32())
        flat = [pa.array(column, pa.string()) for column in self.cells]
        self.columns.append([pa.ListArray.from_arrays(offsets, column) for column in flat])
        self.lines.append(np.array(self.starts, np.int64))
        self.good += len(self.starts)
        self.cells, self.offsets, self.starts = [], [0], []


def read_tokens(text: TextFile, layout: Layout) -> Parsed:
    """A row for each sentence, with lists of text; its line is that of its first token.

    Raises:
        DataError: More than 5 % of the sentences hold a line with another number of columns.
    """
    found = _Sentences(layout.width)
    wrong: Wrong = []
    keep = _is_word if layout.conllu else None
    for line, sentence, problem in _sentences(text, layout, keep):
        if problem:
            wrong.append(problem)
        elif sentence:
            found.add(sentence, line)
    found.flush()
    notes = set_aside(
        text.name, wrong, found.good, "do not have the columns of the others, or lack a token", _HINT
    )
    if layout.named:
        notes = (*notes, note("header", "the first line names the columns, and is no token", [1]))
    names = list(_CONLLU) if layout.conllu else _names(layout.width)
    parts = zip(*found.columns, strict=True) if found.columns else ([] for _ in names)
    table = pa.table({n: chunked(p, pa.list_(pa.string())) for n, p in zip(names, parts, strict=True)})
    if layout.conllu:
        table = _without_blanks(table)
    return Parsed(table, join_lines(found.lines), (*text.notes, *notes))


def _names(width: int) -> list[str]:
    return ["tokens", *(f"column_{place}" for place in range(2, width)), "tags"]


def _is_word(cells: Sequence[str]) -> bool:
    """Not `3-4`, which repeats the words after it, nor `3.1`, which is not in the text."""
    return cells[0].isdigit()


def _sentences(
    text: TextFile, layout: Layout, keep: Callable[[Sequence[str]], bool] | None
) -> Iterator[tuple[int, list[list[str]], tuple[int, str] | None]]:
    """Each sentence: its first line, its rows of cells, and what is wrong with it if something is."""
    sentence: list[list[str]] = []
    start, problem = 0, None
    for number, line in enumerate(text.lines(), 1):
        if not line.strip():
            yield start, sentence, problem
            sentence, start, problem = [], 0, None
            continue
        cells = layout.cut(line)
        if layout.is_comment(line, cells) or (number == 1 and layout.named):
            continue
        start = start or number
        if len(cells) != layout.width or not cells[0].strip():
            problem = problem or (number, _odd(cells, layout.width))
        elif keep is None or keep(cells):
            sentence.append(cells)
    yield start, sentence, problem


def _odd(cells: Sequence[str], width: int) -> str:
    return "has no token" if len(cells) == width else f"has {len(cells)} of {width} columns"


def _without_blanks(table: pa.Table) -> pa.Table:
    """Without CoNLL-U's columns that hold nothing but `_`, and without the numbers of the tokens."""
    kept = [name for name in table.column_names if name != "id"]
    filled = [n for n in kept if n == "tokens" or any(v != "_" for c in table.column(n).chunks for v in _seen(c))]
    return table.select(filled)


def _seen(chunk: pa.ListArray) -> list[str]:
    return chunk.flatten().unique().to_pylist()
