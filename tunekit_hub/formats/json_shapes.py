"""Shapes that a JSON file of rows comes in, other than a list of objects.

- an object with one list of objects in it: `{"version": 1, "data": [{…}, …]}`
- objects by id: `{"a1": {…}, "a2": {…}}`; the key becomes the column `id`
- columns: `{"text": […], "label": […]}`, or `{"text": {"0": …}, "label": {"0": …}}` as pandas writes them
- pairs, as spaCy writes them: `["some text", {"entities": [[0, 4, "LABEL"]]}]`
- lists of equally many values without names: `["some text", "label"]`, called `column_1`, `column_2`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tunekit_hub.errors import DataError
from tunekit_hub.text import quote

_KINDS = {
    str: "text",
    bool: "true or false",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "an object",
}
_HINT = "a JSON file must be a list of objects, or an object with one such list"


def as_row(value: Any) -> dict[str, Any] | None:
    """The row that an item of a list stands for; None where it is none."""
    if isinstance(value, dict):
        return value
    if _is_pair(value):
        return {"text": value[0], **value[1]}
    return None


def kind_of(value: Any) -> str:
    """What this is, in words."""
    return _KINDS.get(type(value), "null")


def items_of(value: Any, name: str) -> Iterator[Any]:
    """The rows in a value that is no list.

    Raises:
        DataError: There are none, or there are several lists of them.
    """
    if not isinstance(value, dict):
        raise DataError(f"`{name}` is {kind_of(value)}, not a list of objects", _HINT)
    lists = [key for key, items in value.items() if isinstance(items, list) and any(map(_is_item, items))]
    if len(lists) > 1:
        raise DataError(f"`{name}` holds {len(lists)} lists of objects: {quote(lists)}", "give each its own file")
    if lists:
        return iter(value[lists[0]])
    columns = _columns(value)
    if columns is not None:
        return columns
    if len(value) > 1 and all(isinstance(item, dict) for item in value.values()):
        return _by_id(value)
    if not value:
        raise DataError(f"`{name}` is an empty object", _HINT)
    some = quote(list(value)[:20])
    raise DataError(f"`{name}` is one object, and no field of it is a list of objects: {some}", _HINT)


def _is_item(value: Any) -> bool:
    return isinstance(value, dict) or _is_pair(value)


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], dict)


def _columns(value: dict[str, Any]) -> Iterator[dict[str, Any]] | None:
    """Rows from columns, if these are columns."""
    if value and all(isinstance(column, list) for column in value.values()):
        lengths = {len(column) for column in value.values()}
        if len(lengths) == 1 and len(value) > 1:
            return (dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True))
    if len(value) > 1 and all(isinstance(column, dict) for column in value.values()):
        keys = [list(column) for column in value.values()]
        # Rows by number look the same turned around; columns are what has names, rows what has numbers.
        numbered = all(key.isdigit() for key in keys[0])
        if keys[0] and numbered and all(other == keys[0] for other in keys) and not all(map(str.isdigit, value)):
            return ({name: column[key] for name, column in value.items()} for key in keys[0])
    return None


def _by_id(value: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows with their key as `id`; where rows have an `id` of their own that is something else, as `key`."""
    own = any("id" in row and str(row["id"]) != key for key, row in value.items())
    return ({**row, "key" if own else "id": key} if own or "id" not in row else row for key, row in value.items())
