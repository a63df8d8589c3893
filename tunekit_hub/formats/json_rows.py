"""JSON and JSON Lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tunekit_hub.errors import DataError
from tunekit_hub.formats.raw import RawRows, describe, numbered_lines
from tunekit_hub.text import quote

# The last for text nested deeper than Python's own stack.
_BROKEN = (ValueError, RecursionError)
_KINDS = {str: "text", bool: "true or false", int: "a number", float: "a number", list: "a list"}


def is_json(line: bytes) -> bool:
    """Whether this line is a whole JSON value."""
    try:
        json.loads(line)
    except _BROKEN:
        return False
    return True


def read_jsonl(path: Path) -> RawRows:
    """One JSON object per line; blank lines are skipped."""
    rows = RawRows()
    wrong: list[tuple[int, str]] = []
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except _BROKEN as error:
            wrong.append((number, f"is not JSON: {_problem(error)}"))
            continue
        if isinstance(value, dict):
            rows.add(value, number)
        else:
            wrong.append((number, f"is {_kind(value)}, not an object"))
    if wrong:
        hint = 'each line must be one JSON object, such as `{"question": "…", "answer": "…"}`'
        if wrong[0][0] == 1:
            hint += "; a file that is one JSON list must have a name that ends in `.json`"
        raise DataError(describe(path.name, wrong, "are not JSON objects"), hint)
    return rows


def read_json(path: Path) -> RawRows:
    """A list of objects, or an object in which exactly one field is a list of objects."""
    try:
        value = json.loads("".join(line for _, line in numbered_lines(path)))
    except _BROKEN as error:
        where = f"line {error.lineno}: " if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(
            f"`{path.name}` is not JSON: {where}{_problem(error)}",
            "correct it; a file of one object per line must have a name that ends in `.jsonl`",
        ) from error
    rows = RawRows()
    wrong: list[tuple[int, str]] = []
    for number, item in enumerate(_items(value, path.name), 1):
        if isinstance(item, dict):
            rows.add(item, number)
        else:
            wrong.append((number, f"is {_kind(item)}, not an object"))
    if wrong:
        hint = "every item of the list must be an object with named fields"
        raise DataError(describe(path.name, wrong, "are not objects", unit="row"), hint)
    return rows


def _items(value: Any, name: str) -> list[Any]:
    if isinstance(value, list):
        return value
    hint = "a JSON file must be a list of objects, or an object with one such list"
    if not isinstance(value, dict):
        raise DataError(f"`{name}` is {_kind(value)}, not a list of objects", hint)
    lists = [key for key, items in value.items() if isinstance(items, list) and _any_object(items)]
    if len(lists) == 1:
        return value[lists[0]]
    if lists:
        raise DataError(f"`{name}` holds {len(lists)} lists of objects: {quote(lists)}", "give each its own file")
    raise DataError(f"`{name}` is one object, and no field of it is a list of objects: {quote(value)}", hint)


def _any_object(items: list[Any]) -> bool:
    return any(isinstance(item, dict) for item in items)


def _problem(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (column {error.colno})"
    return "nested too deeply" if isinstance(error, RecursionError) else "it has a number with too many digits"


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")
