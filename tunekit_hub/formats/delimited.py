"""CSV and TSV, with a header. All values are text: an answer of `42` must not become a number."""

from __future__ import annotations

import csv
from pathlib import Path

from tunekit_hub.errors import DataError
from tunekit_hub.formats.raw import RawRows, describe, numbered_lines
from tunekit_hub.text import quote

_DELIMITERS = ",;\t|"  # spreadsheets write `;` where the comma is the decimal mark
_LONGEST_FIELD = 2**31 - 1  # the csv module stops at 131,072 characters; a long chat has more


def read_csv(path: Path) -> RawRows:
    """Text with a header; the delimiter is the one that splits the header into most fields."""
    header = next((line for _, line in numbered_lines(path) if line.strip()), "")
    delimiter = max(_DELIMITERS, key=lambda d: len(next(csv.reader([header], delimiter=d), [])))
    return _read(path, delimiter)


def read_tsv(path: Path) -> RawRows:
    """Text with a header and tabs.

    Some programs quote fields in TSV and others never do, so quotes count as in CSV where all of them are
    well formed, and are plain characters where they are not.
    """
    return _read(path, "\t", quotes=_quotes_are_well_formed(path))


def _quotes_are_well_formed(path: Path) -> bool:
    try:
        for _ in _reader(path, "\t", quotes=True):
            pass
    except csv.Error:
        return False
    return True


def _reader(path: Path, delimiter: str, quotes: bool):
    csv.field_size_limit(_LONGEST_FIELD)
    lines = (line for _, line in numbered_lines(path))
    quoting = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    return csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)


def _read(path: Path, delimiter: str, quotes: bool = True) -> RawRows:
    reader = _reader(path, delimiter, quotes)
    rows = RawRows()
    wrong: list[tuple[int, str]] = []
    header: list[str] = []
    line = 1
    try:
        for record in reader:
            if not header:
                header = _header(record, path.name)
            elif len(record) == len(header):
                rows.add(dict(zip(header, record, strict=True)), line)
            elif any(record):  # not a blank line
                wrong.append((line, f"has {len(record)} of {len(header)} fields"))
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"`{path.name}`: the row that begins on line {line} is broken: {error}",
            'put quotes around text that holds a quote or a line break, and write a quote in it as `""`',
        ) from error
    if wrong:
        mark = "a tab" if delimiter == "\t" else f"`{delimiter}`"
        hint = f"the header names {quote(header)}; put quotes around text that holds {mark}"
        raise DataError(describe(path.name, wrong, "have a wrong number of fields"), hint)
    return rows


def _header(record: list[str], name: str) -> list[str]:
    """The column names. A column without one (an index, mostly) is called by its place."""
    names = [field.strip() or f"column_{place}" for place, field in enumerate(record, 1)] if any(record) else []
    twice = sorted({field for field in names if names.count(field) > 1})
    if twice:
        message = f"the header of `{name}` names {quote(twice)} more than once"
        raise DataError(message, "give each column its own name")
    return names
