"""The records of a CSV or TSV file, and the line each begins on."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from tunekit_hub.errors import DataError
from tunekit_hub.formats.decoding import TextFile
from tunekit_hub.formats.raw import BATCH

_DELIMITERS = ",;\t|"  # spreadsheets write `;` where the comma is the decimal mark
_LONGEST_FIELD = 2**31 - 1  # the csv module stops at 131,072 characters; a long chat has more
csv.field_size_limit(_LONGEST_FIELD)


@dataclass(frozen=True)
class Dialect:
    """How fields are told apart."""

    delimiter: str
    quotes: bool
    skipped: int = 0  # lines before the first record: Excel's `sep=;`

    def reader(self, text: TextFile) -> Any:
        """The csv module's reader of these lines."""
        quoting = csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE
        lines = islice(text.lines(own_ends=not self.quotes), self.skipped, None)
        return csv.reader(lines, delimiter=self.delimiter, quoting=quoting, strict=True)


def find_delimiter(text: TextFile) -> str:
    """The one that cuts the first lines into equally many fields, at least two; a comma if none does."""
    sample = list(islice(text.lines(), 200))

    def evenness(delimiter: str) -> tuple[bool, float, int]:
        try:
            widths = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        except csv.Error:
            return False, 0.0, 0
        width, count = Counter(widths).most_common(1)[0] if widths else (0, 0)
        return width > 1 and widths[0] > 1, round(count / max(len(widths), 1), 1) if width > 1 else 0.0, width

    return max(_DELIMITERS, key=evenness)


def read_batches(text: TextFile, dialect: Dialect) -> Iterator[tuple[list[list[str]], np.ndarray]]:
    """Records, and the line each begins on."""
    reader, line = dialect.reader(text), dialect.skipped + 1
    while True:
        try:
            rows = list(islice(reader, BATCH))
        except csv.Error as error:
            raise _broken(text, dialect, error) from error
        if not rows:
            return
        after = reader.line_num + dialect.skipped + 1
        if after - line == len(rows):
            lines = np.arange(line, after)
        else:
            heights = np.array([1 + sum(cell.count("\n") for cell in row) for row in rows])
            lines = line + np.concatenate([[0], np.cumsum(heights)[:-1]])
        yield rows, lines
        line = after


def _broken(text: TextFile, dialect: Dialect, error: csv.Error) -> DataError:
    """Which record cannot be read. Found by reading once more, one by one."""
    reader, line = dialect.reader(text), 1
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error:
        pass
    if "new-line character" in str(error):
        problem, hint = "it holds a carriage return", "put quotes around text that holds a line break"
    elif "unexpected end of data" in str(error):
        problem = "its quote is never closed"
        hint = 'write a quote inside of text as `""`, or take the quote out'
    else:
        problem = "a quote inside of it is not doubled"
        hint = 'write a quote inside of text as `""`; the whole text stands in quotes then'
    return DataError(
        f"`{text.name}`: the row that begins on line {line + dialect.skipped} is broken: {problem}", hint
    )
