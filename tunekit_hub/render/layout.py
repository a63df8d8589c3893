"""A page of text for a terminal: wrapped, aligned, and readable without colour."""

from __future__ import annotations

import re
import shutil
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunekit_hub.facts import Finding, Status

WIDEST = 100
SYMBOLS: dict[Status, str] = {"pass": "✓", "warn": "!", "block": "✗", "unknown": "?"}
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_GAP = "  "
_NARROWEST = 8  # cells of a column
_LAST = 20  # cells that the last column keeps, where others can give way


def terminal_width() -> int:
    """Columns to write in: the terminal's, but no line longer than is pleasant to read."""
    return max(40, min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns))


def plain(text: str) -> str:
    """Text without control characters, so that data cannot command the terminal; line ends stay."""
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    return "".join(c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs"))


def cells(text: str) -> int:
    """Terminal cells that text takes: East Asian wide characters take two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` cells; breaks at spaces, within a word only where it is longer than a line."""
    lines: list[str] = []
    for paragraph in plain(text).split("\n"):
        line = ""
        for piece in re.findall(r"\S+|\s+", paragraph.rstrip()):
            if cells(line) + cells(piece) <= width:
                line += piece
                continue
            if line.strip():
                lines.append(line.rstrip())
            line = "" if piece.isspace() else piece
            while cells(line) > width:
                cut = next(n for n in range(len(line), 0, -1) if cells(line[:n]) <= width)
                lines.append(line[:cut])
                line = line[cut:]
        lines.append(line.rstrip())
    return lines


def pad(text: str, width: int, right: bool = False) -> str:
    """Text filled up with spaces to `width` cells."""
    fill = " " * max(0, width - cells(text))
    return fill + text if right else text + fill


class Page:
    """Collects lines; `str()` gives the page."""

    def __init__(self, title: str, *, color: bool, width: int):
        self.color = color
        self.width = width
        self.lines = [self.bold(line) for line in wrap(title, width)]

    def __str__(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines) + "\n"

    def bold(self, text: str) -> str:
        """Emphasised, where colour is on."""
        return f"{_BOLD}{text}{_RESET}" if self.color else text

    def dim(self, text: str) -> str:
        """Quiet, where colour is on."""
        return f"{_DIM}{text}{_RESET}" if self.color else text

    def blank(self) -> None:
        """An empty line."""
        self.lines.append("")

    def heading(self, text: str) -> None:
        """A bold line after an empty one."""
        self.blank()
        self.lines.append(_GAP + self.bold(text))

    def say(self, text: str, indent: int = 2) -> None:
        """A wrapped paragraph."""
        self.lines += [" " * indent + line for line in wrap(text, self.width - indent)]

    def fields(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Label and value, aligned; a pair without a value is left out."""
        filled = [(label, value) for label, value in pairs if value]
        column = max((cells(label) for label, _ in filled), default=0)
        for label, value in filled:
            self._hang(_GAP + self.dim(pad(label, column)) + _GAP, column + 4, value)

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> None:
        """Aligned columns under a quiet head; where the page is narrow, cells wrap, the last column's first."""
        widths = [max(cells(row[n]) for row in (head, *rows)) for n in range(len(head))]
        room = self.width - len(_GAP) * len(head)
        while sum(widths) > room and max(widths) > _NARROWEST:
            widths[-1 if widths[-1] > _LAST else widths.index(max(widths))] -= 1
        aligned = set(right)
        for number, row in enumerate((head, *rows)):
            wrapped = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
            for parts in zip_longest(*wrapped, fillvalue=""):
                filled = (pad(part, widths[n], n in aligned) for n, part in enumerate(parts))
                line = (_GAP + _GAP.join(filled)).rstrip()
                self.lines.append(line if number else self.dim(line))

    def finding(self, finding: Finding, column: int, indent: int = 5) -> None:
        """A check's answer: symbol, word, check, message, and what to do."""
        word = f"{SYMBOLS[finding.status]} {pad(finding.status, 7)}"
        strong = finding.status in ("block", "unknown")
        lead = f"{' ' * indent}{self.bold(word) if strong else word}{_GAP}{pad(finding.check, column)}{_GAP}"
        start = indent + cells(word) + column + 4
        self._hang(lead, start, finding.message)
        if finding.fix:
            self._hang(" " * start + "→ ", start + 2, finding.fix)

    def _hang(self, lead: str, start: int, text: str) -> None:
        """`lead`, then text from column `start`, its further lines below the first."""
        first, *rest = wrap(text, max(20, self.width - start))
        self.lines.append(lead + first)
        self.lines += [" " * start + line for line in rest]
