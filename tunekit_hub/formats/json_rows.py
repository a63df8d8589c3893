"""JSON and JSON Lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from tunekit_hub.errors import DataError
from tunekit_hub.formats.decoding import TextFile
from tunekit_hub.formats.json_shapes import as_row, items_of, kind_of
from tunekit_hub.formats.raw import BATCH, Parsed, Wrong, describe, set_aside
from tunekit_hub.formats.table import Batch, build

# The last for text nested deeper than Python's own stack.
BROKEN = (ValueError, RecursionError)
_SHAPE = 'each line must be one JSON object, such as `{"question": "…", "answer": "…"}`'


def _constant(name: str) -> float | None:
    """`NaN` is how pandas writes that there is no value; JSON itself knows neither of these."""
    return None if name == "NaN" else float(name)


_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_constant=_constant)


def is_json(line: str) -> bool:
    """Whether this line is a whole JSON value."""
    try:
        _DECODER.decode(line)
    except BROKEN:
        return False
    return True


def read_jsonl(text: TextFile) -> Parsed:
    """One JSON object per line; blank lines are skipped.

    Raises:
        DataError: More than 5 % of the lines are no objects.
    """
    wrong: Wrong = []
    built = build(lambda: _batches(_line_rows(text, wrong)), text.name)
    notes = set_aside(text.name, wrong, built.table.num_rows, "are not JSON objects", _SHAPE)
    return Parsed(built.table, built.lines, (*text.notes, *built.notes, *notes))


def _line_rows(text: TextFile, wrong: Wrong) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each line that is an object; the others are put into `wrong`."""
    wrong.clear()
    for number, line in enumerate(text.lines(), 1):
        try:
            value = _value(line)
        except BROKEN as error:
            if line.strip():
                wrong.append((number, f"is not JSON: {_problem(error)}"))
            continue
        row = value if isinstance(value, dict) else as_row(value)
        if row is not None:
            yield number, row
        else:
            wrong.append((number, f"is {kind_of(value)}, not an object"))


def _value(line: str) -> Any:
    """What a line of JSON says; half the time of `decode`, which does the same more carefully."""
    if line[:1] == "{":
        value, end = _DECODER.raw_decode(line)
        if line[end:] in ("\n", ""):
            return value
    return _DECODER.decode(line)


def _batches(rows: Iterable[tuple[int, dict[str, Any]]]) -> Iterator[Batch]:
    values: list[dict[str, Any]] = []
    lines: list[int] = []
    for line, row in rows:
        values.append(row)
        lines.append(line)
        if len(values) == BATCH:
            yield values, lines
            values, lines = [], []
    if values:
        yield values, lines


def read_json(text: TextFile) -> Parsed:
    """A list of objects, in any of the shapes that `json_shapes.py` knows.

    Raises:
        DataError: It is no JSON, or nothing in it is a list of objects.
    """
    whole = "".join(text.lines())
    wrong: Wrong = []
    try:
        built = build(lambda: _batches(_item_rows(_items(whole, text.name), wrong)), text.name)
    except BROKEN as error:
        if isinstance(error, DataError):
            raise
        where = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(
            f"`{text.name}` is not JSON: {where}{_problem(error)}",
            "correct it; a file of one object per line must have a name that ends in `.jsonl`",
        ) from error
    if wrong:
        hint = "every item of the list must be an object with named fields"
        raise DataError(describe(text.name, wrong, "are not objects", unit="row"), hint)
    return Parsed(built.table, built.lines, (*text.notes, *built.notes))


def _item_rows(items: Iterable[Any], wrong: Wrong) -> Iterator[tuple[int, dict[str, Any]]]:
    wrong.clear()
    for number, item in enumerate(items, 1):
        row = as_row(item)
        if row is not None:
            yield number, row
        else:
            wrong.append((number, f"is {kind_of(item)}, not an object"))


def _items(whole: str, name: str) -> Iterator[Any]:
    """The items of the list that this text is or holds.

    A list is decoded item by item, so that a large one is never there as objects as a whole.
    """
    start = _skip(whole, 0)
    if whole[start : start + 1] == "[":
        yield from _list_items(whole, start)
        return
    value, end = _decode(whole, start)
    if _skip(whole, end) < len(whole):  # objects one after another, over several lines each
        yield value
        while (start := _skip(whole, end)) < len(whole):
            value, end = _decode(whole, start)
            yield value
        return
    yield from items_of(value, name)


def _list_items(whole: str, start: int) -> Iterator[Any]:
    place = _skip(whole, start + 1)
    if whole[place : place + 1] == "]":
        place = _check_comma(whole, place)
    while place >= 0:
        value, end = _decode(whole, place)
        yield value
        place = _check_comma(whole, _skip(whole, end))


def _check_comma(whole: str, place: int) -> int:
    """Where the next item begins; -1 after the last."""
    mark = whole[place : place + 1]
    if mark == ",":
        return _skip(whole, place + 1)
    if mark != "]":
        raise json.JSONDecodeError("Expecting ',' delimiter", whole, place)
    if (rest := _skip(whole, place + 1)) < len(whole):
        raise json.JSONDecodeError("Extra data", whole, rest)
    return -1


def _decode(whole: str, place: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(whole, place)
    except StopIteration as error:  # how the decoder says that nothing begins here
        raise json.JSONDecodeError("Expecting value", whole, place) from error


def _skip(whole: str, place: int) -> int:
    """The first place from here on that is no white space."""
    found = _SPACE.match(whole, place)
    return found.end() if found else place


def _problem(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (column {error.colno})"
    return "nested too deeply" if isinstance(error, RecursionError) else "it has a number with too many digits"
