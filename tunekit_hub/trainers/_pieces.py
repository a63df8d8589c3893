"""Batches cut into smaller ones, for a memory that does not hold them whole."""

from __future__ import annotations

from typing import Any


def rows(inputs: dict[str, Any]) -> int:
    """How many rows a batch has."""
    return next(len(value) for value in inputs.values() if hasattr(value, "chunk"))


def pieces(inputs: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """The rows of a batch in `number` parts, or one a row where it has fewer."""
    if number == 1:
        return [inputs]
    size = -(-rows(inputs) // number)
    parts = {name: value.split(size) for name, value in inputs.items() if hasattr(value, "split")}
    rest = {name: value for name, value in inputs.items() if name not in parts}
    return [{**rest, **dict(zip(parts, some, strict=True))} for some in zip(*parts.values(), strict=True)]
