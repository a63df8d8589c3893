"""Small things that several modules do with text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

SHOWN_LINES = 5

# First and last character. `text_columns` reads these too.
CJK = ((0x2E80, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF), (0xFF00, 0xFFEF), (0x20000, 0x3FFFF))
# Greek, Cyrillic, Hebrew, Arabic, the Indic scripts and South-East Asia.
OTHER_SCRIPTS = ((0x0370, 0x1FFF),)


def _any_of(ranges: Iterable[tuple[int, int]]) -> re.Pattern[str]:
    return re.compile(f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in ranges)}]")


_CJK = _any_of(CJK)
_OTHER_SCRIPT = _any_of(OTHER_SCRIPTS)


def fold(text: str) -> str:
    """The text without what does not make two rows different: case, spacing, forms of one character."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def estimate_tokens(text: str) -> int:
    """About how many tokens a tokenizer will make of this text, before one is chosen.

    A rule of thumb: every digit is a token of its own (as Llama and SmolLM split numbers), a CJK character
    is two thirds of one, a character of another non-Latin script half of one, anything else a quarter.
    """
    digits = sum(map(text.count, "0123456789"))
    if text.isascii():
        return round(digits + (len(text) - digits) / 4)
    cjk = len(_CJK.findall(text))
    other = len(_OTHER_SCRIPT.findall(text))
    return round(digits + cjk / 1.5 + other / 2 + (len(text) - digits - cjk - other) / 4)


def name_lines(lines: Sequence[int]) -> str:
    """`line 7`, `lines 3, 5 and 9`, or `lines 1, 2, 3, 4, 5 and 12 more`."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    if len(lines) <= SHOWN_LINES:
        return f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
    return f"lines {', '.join(map(str, lines[:SHOWN_LINES]))} and {len(lines) - SHOWN_LINES:,} more"


def quote(names: Iterable[str]) -> str:
    """The names in backticks, with commas."""
    return ", ".join(f"`{name}`" for name in names)


def count_rows(number: int) -> str:
    """`1 row`, `7,473 rows`."""
    return f"{number:,} row" if number == 1 else f"{number:,} rows"
