"""CSV and TSV. All values are text: an answer of `42` must not become a number.

Rows pass through Python a batch at a time; what stays is Arrow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pyarrow as pa

from tunekit_hub.errors import DataError
from tunekit_hub.formats.csv_records import Dialect, find_delimiter, read_batches
from tunekit_hub.formats.decoding import TextFile
from tunekit_hub.formats.header import Verdict, judge
from tunekit_hub.formats.raw import Parsed, Wrong, chunked, join_lines, set_aside
from tunekit_hub.profiles.notes import note
from tunekit_hub.records import Note
from tunekit_hub.text import quote

_JUDGED = 1000  # rows that the header is compared with


@dataclass
class _Table:
    """What has been read so far."""

    width: int
    columns: list[list[pa.Array]] = field(default_factory=list)
    lines: list[np.ndarray] = field(default_factory=list)
    wrong: Wrong = field(default_factory=list)
    good: int = 0
    broken_lines: int = 0  # records that hold a line break

    def add(self, rows: list[list[str]], lines: np.ndarray) -> None:
        """Append records; those of another width are kept as wrong, blank ones dropped."""
        if set(map(len, rows)) != {self.width}:
            fitting = [self._fits(row, int(line)) for row, line in zip(rows, lines, strict=True)]
            rows = [row[: self.width] for row, fits in zip(rows, fitting, strict=True) if fits]
            lines = lines[np.array(fitting, bool)]
        if rows:
            self.columns.append([pa.array(column, pa.string()) for column in zip(*rows, strict=True)])
            self.lines.append(lines)
            self.good += len(rows)

    def _fits(self, row: list[str], line: int) -> bool:
        if len(row) == self.width or (len(row) > self.width and not any(row[self.width :])):
            return True
        if any(cell.strip() for cell in row):  # not a blank line
            self.wrong.append((line, f"has {len(row)} of {self.width} fields"))
        return False

    def table(self, names: Sequence[str]) -> pa.Table:
        """All rows, under these names."""
        parts = zip(*self.columns, strict=True) if self.columns else ([] for _ in names)
        return pa.table({name: chunked(chunks, pa.string()) for name, chunks in zip(names, parts, strict=True)})


def read_csv(text: TextFile, wanted: Sequence[str] = ()) -> Parsed:
    """A table of fields between commas, semicolons, tabs or bars: whichever cut the lines most evenly.

    Args:
        text: The file.
        wanted: Columns that somebody has named; they decide about the header where its own cells do not.

    Raises:
        DataError: Quotes do not match, or rows differ in width.
    """
    first = next(text.lines(), "")
    if first.lower().startswith("sep=") and len(first.strip("\n")) == 5:
        return _read(text, Dialect(first[4], text.quotes, skipped=1), wanted)
    return _read(text, Dialect(find_delimiter(text), text.quotes), wanted)


def read_tsv(text: TextFile, wanted: Sequence[str] = ()) -> Parsed:
    """A table of fields between tabs.

    Some programs quote fields in TSV and others never do. Quotes count as in CSV where all of them are well
    formed, and are plain characters where they are not, or where they would join lines that are whole rows
    without them.
    """
    plain = Dialect("\t", quotes=False)
    if not text.quotes:
        return _read(text, plain, wanted)
    try:
        quoted = _scan(text, Dialect("\t", quotes=True))
    except DataError:
        return _read(text, plain, wanted)
    if quoted.broken_lines and not _scan(text, plain).wrong:
        return _read(text, plain, wanted)
    return _read(text, Dialect("\t", quotes=True), wanted)


def _scan(text: TextFile, dialect: Dialect) -> _Table:
    records = read_batches(text, dialect)
    table = _Table(0)
    for rows, _ in records:
        table.width = table.width or _usual_width(rows)
        table.broken_lines += sum(cell.count("\n") for row in rows for cell in row)
        table.wrong += [(0, "") for row in rows if len(row) not in (0, table.width)]
    return table


def _read(text: TextFile, dialect: Dialect, wanted: Sequence[str]) -> Parsed:
    batches = read_batches(text, dialect)
    rows, lines = next(batches, ([], np.zeros(0, np.int64)))
    start = next((place for place, row in enumerate(rows) if any(cell.strip() for cell in row)), len(rows))
    if start == len(rows):
        return Parsed(pa.table({}), range(0), text.notes)
    first, usual = rows[start], _usual_width(rows[start:])
    body = [row for row in rows[start + 1 : start + 1 + _JUDGED] if len(row) == len(first)]
    names, verdict = _names(first, body, usual, wanted, text.name)
    table = _Table(len(names))
    skipped = start + verdict.header
    for some, where in chain([(rows[skipped:], lines[skipped:])], batches):
        if some:
            table.add(some, where)
    hint = _hint(dialect, table, verdict, names)
    notes = set_aside(text.name, table.wrong, table.good, "have a wrong number of fields", hint)
    found = table.table(names)
    if verdict.header:
        found = _without_empty(found, first)
    return Parsed(found, join_lines(table.lines), (*text.notes, *_told(verdict, names, int(lines[start])), *notes))


def _names(
    first: list[str], body: list[list[str]], usual: int, wanted: Sequence[str], file: str
) -> tuple[list[str], Verdict]:
    """The columns, and whether the first line names them."""
    places = [f"column_{place}" for place in range(1, usual + 1)]
    verdict = judge(first, body)
    named = [cell.strip() or f"column_{place}" for place, cell in enumerate(first, 1)]
    if wanted and set(wanted) <= set(places) and not set(wanted) <= set(named):
        return places, Verdict(False, "columns are named by their places")
    if not verdict.header and wanted and set(wanted) <= set(named) and not set(wanted) <= set(places):
        verdict = Verdict(True, "the named columns are in it")
    if not verdict.header:
        return places, verdict
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        message = f"the header of `{file}` names {quote(twice)} more than once"
        raise DataError(message, "give each column its own name")
    return named, verdict


def _hint(dialect: Dialect, table: _Table, verdict: Verdict, names: Sequence[str]) -> str:
    """What to do about rows of a wrong width."""
    if verdict.header and not table.good and len({problem for _, problem in table.wrong}) == 1:
        return f"the header names {quote(names)}; give every column of the rows one name"
    named = f"the header names {quote(names[:20])}" if verdict.header else f"other rows have {table.width} fields"
    if dialect.delimiter == "\t":
        return f"{named}; put one tab between two fields, and none inside of text"
    return f"{named}; put quotes around text that holds `{dialect.delimiter}`"


def _told(verdict: Verdict, names: Sequence[str], line: int) -> list[Note]:
    """What the user should know about the first line."""
    if not verdict.header:
        message = f"line {line} is data, not a header: {verdict.why}; the columns are called {quote(names)}"
        return [note("no-header", message, [line])]
    if verdict.sure:
        return []
    message = f"line {line} is read as the header; if it is a row, name columns by place: `--column ROLE=column_1`"
    return [note("header", message, [line])]


def _without_empty(table: pa.Table, header: Sequence[str]) -> pa.Table:
    """Without the columns that a comma at the end of every line makes."""
    if not table.num_rows:
        return table
    nameless = [f"column_{place}" for place, cell in enumerate(header, 1) if not cell.strip()]
    empty = [name for name in nameless if not any(value.as_py().strip() for value in table.column(name))]
    return table.drop_columns(empty)


def _usual_width(rows: Sequence[Sequence[str]]) -> int:
    widths = Counter(len(row) for row in rows if row)
    return widths.most_common(1)[0][0] if widths else 0
