"""What the readers of text files share: rows with lines, decoded lines, and one way to name what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunekit_hub.errors import DataError
from tunekit_hub.text import SHOWN_LINES

BOM = b"\xef\xbb\xbf"


@dataclass
class RawRows:
    """Rows as Python objects, each with its line."""

    values: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def add(self, value: dict[str, Any], line: int) -> None:
        """Append one row."""
        self.values.append(value)
        self.lines.append(line)


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    r"""Each line of a UTF-8 file with its number, from 1. Ends are `\n`, whatever the file has.

    Only `\n` ends a line: `str.splitlines` would also break at characters that chats do contain.

    Raises:
        DataError: A line is not UTF-8.
    """
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            data = raw.removeprefix(BOM) if number == 1 else raw
            try:
                text = data.decode("utf-8")
            except UnicodeDecodeError as error:
                utf16 = number == 1 and data[:2] in (b"\xff\xfe", b"\xfe\xff")
                found = "it looks like UTF-16" if utf16 else f"byte {error.start + 1} of line {number} is not"
                raise DataError(f"`{path.name}` is not UTF-8: {found}", "save it as UTF-8") from error
            yield number, f"{text[:-2]}\n" if text.endswith("\r\n") else text


def describe(name: str, wrong: Sequence[tuple[int, str]], summary: str, unit: str = "line") -> str:
    """One sentence on the rows that are wrong: how many, and what is wrong with the first few."""
    if len(wrong) == 1:
        return f"`{name}`: {unit} {wrong[0][0]} {wrong[0][1]}"
    first = "; ".join(f"{unit} {number} {problem}" for number, problem in wrong[:SHOWN_LINES])
    more = f"; and {len(wrong) - SHOWN_LINES:,} more" if len(wrong) > SHOWN_LINES else ""
    return f"{len(wrong):,} {unit}s of `{name}` {summary}: {first}{more}"
