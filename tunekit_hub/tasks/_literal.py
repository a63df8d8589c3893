"""Lists that were written into a text cell: JSON, Python's way, or numpy's."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_NUMPY = re.compile(rf"\[\s*(?:(?:{_QUOTED}|-?\d+)(?:\s+|(?=\])))+\]")
_PART = re.compile(rf"{_QUOTED}|-?\d+")


def read_list(text: str) -> list[Any] | None:
    """The list that this text is, or None if it is none."""
    text = text.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    # Python joins strings that no comma parts, so numpy's `['a' 'b']` comes first.
    value = [_python(part) for part in _PART.findall(text)] if _NUMPY.fullmatch(text) else _python(text)
    return value if isinstance(value, list) else None


def read(text: str) -> Any:
    """The value that this text is, as JSON or as Python writes it; None if it is neither."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        value = _python(text.strip())
    return list(value) if isinstance(value, tuple) else value


def _python(text: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # of backslashes that mean nothing
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            return None
