"""Finds what looks like secrets and personal data. Says where it stands, and never what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.profiles.text_columns import blocks


def _passes_luhn(digits: str) -> bool:
    """The check digit that all card numbers carry."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _is_card(found: str) -> bool:
    digits = re.sub(r"\D", "", found)
    return len(set(digits)) > 1 and _passes_luhn(digits)


def _is_phone(found: str) -> bool:
    return 8 <= sum(character.isdigit() for character in found) <= 15


def _is_account(found: str) -> bool:
    """An IBAN: its country's length, and ISO 7064's check (as a number, letters 10 to 35, it is 1 modulo 97)."""
    written = found.replace(" ", "")[: _IBAN_LENGTHS.get(found[:2])]
    number = "".join(str(int(character, 36)) for character in written[4:] + written[:4])
    return len(written) == _IBAN_LENGTHS.get(written[:2]) and int(number) % 97 == 1


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True)
class _Kind:
    """Something that should not be in training data."""

    code: str
    name: str
    hint: str  # in RE2's syntax: what every match of `pattern` holds, quick to look for in a whole column
    pattern: re.Pattern[str]
    confirm: Callable[[str], bool] = _always


_EMAIL = r"\b[\w.+-]{1,64}@[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9-]{1,63}){0,4}\.[a-z]{2,24}\b"
_PHONE = r"""
    (?<![\w.+-])(?:
        \+\d{1,3}[\s./-]?(?:\(0?\d{1,4}\)[\s./-]?)?\d{2,5}(?:[\s./-]?\d{2,5}){1,4}   # +49 30 1234567
      | \(\d{3}\)\s?\d{3}[\s.-]\d{4} | \d{3}([.-])\d{3}\1\d{4}                        # (555) 010-9999
      | 0\d{2,4}[\s/-]\d{5,8} | (?!0123456789)0\d{9,10}                                    # 030 1234567
    )(?![\w-])
"""
_CARD = r"""
    (?<![\w.+-])(?:
        [3-6]\d{3}[\ -]?\d{4}[\ -]?\d{4}[\ -]?\d{1,4}
      | 3[47]\d{2}[\ -]?\d{6}[\ -]?\d{5}  # American Express
    )(?![\w-])
"""
_KEY = r"""
    \b(?:
        hf_[A-Za-z0-9]{30,} | sk-[A-Za-z0-9_-]{20,} | gh[pousr]_[A-Za-z0-9]{36,} | github_pat_\w{30,}
      | (?:AKIA|ASIA)[0-9A-Z]{16} | AIza[\w-]{35} | xox[abprs]-[\w-]{10,} | glpat-[\w-]{20,}
    )
  | -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----
"""
_IBAN = r"\b[A-Z]{2}\d{2}(?:\ ?[A-Z0-9]{4}){2,7}(?:\ ?[A-Z0-9]{1,3})?\b"
# Of the countries in the IBAN registry (ISO 13616) that have most accounts.
_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d+)",
        "AE23 AT20 BE16 BG22 BR29 CH21 CY28 CZ24 DE22 DK18 EE20 ES24 FI18 FR27 GB22 GR27 HR21 HU28 IE22 IL23 IT27 "
        "LT20 LU20 LV21 MT31 NL18 NO15 PL28 PT25 RO24 SA24 SE24 SI19 SK24 TR26 UA29",
    )
}
_KEY_HINT = "hf_|sk-|gh[pousr]_|github_pat_|AKIA|ASIA|AIza|xox[abprs]-|glpat-|PRIVATE KEY"
_KINDS = (
    _Kind("api-keys", "an API key or a private key", _KEY_HINT, re.compile(_KEY, re.VERBOSE)),
    _Kind(
        "card-numbers",
        "a card number",
        r"[3-6]\p{Nd}(?:[ -]?\p{Nd}){11}",
        re.compile(_CARD, re.VERBOSE),
        _is_card,
    ),
    _Kind(
        "bank-accounts",
        "a bank account number (IBAN)",
        r"[A-Z]{2}\p{Nd}{2} ?[A-Z0-9]{4} ?[A-Z0-9]{4}",
        re.compile(_IBAN),
        _is_account,
    ),
    _Kind("email-addresses", "an e-mail address", "@", re.compile(_EMAIL, re.IGNORECASE)),
    _Kind(
        "phone-numbers",
        "a phone number",
        r"(?:\p{Nd}[^\p{Nd}]{0,3}){7}\p{Nd}",
        re.compile(_PHONE, re.VERBOSE),
        _is_phone,
    ),
)
_ANY_HINT = "|".join(kind.hint for kind in _KINDS)
_SEARCHED = 2**24  # bytes at once: a pattern is prepared for each block anew
NAMES = {kind.code: kind.name for kind in _KINDS}


def find_sensitive(
    texts: pa.ChunkedArray | Iterable[str], lines: Sequence[int] | np.ndarray
) -> dict[str, list[int]]:
    """Kind → lines of the texts in which something of that kind seems to stand."""
    if not isinstance(texts, pa.ChunkedArray):
        texts = pa.chunked_array([pa.array(texts, pa.large_string())])
    found: dict[str, list[int]] = {kind.code: [] for kind in _KINDS}
    before = 0
    for block in blocks(texts, _SEARCHED):
        likely = _matching(block, _ANY_HINT)
        some = block.take(pa.array(likely))
        for kind in _KINDS:
            found[kind.code] += [int(lines[before + likely[place]]) for place in _places(some, kind)]
        before += len(block)
    return {code: where for code, where in found.items() if where}


def _places(block: pa.LargeStringArray, kind: _Kind) -> Iterator[int]:
    """Which texts of the block hold something of this kind."""
    likely = _matching(block, kind.hint)
    for place, text in zip(likely.tolist(), block.take(pa.array(likely)).to_pylist(), strict=True):
        if any(kind.confirm(match.group()) for match in kind.pattern.finditer(text)):
            yield place


def _matching(block: pa.LargeStringArray, pattern: str) -> np.ndarray:
    """Which texts match; int64."""
    return np.flatnonzero(pc.match_substring_regex(block, pattern).to_numpy(zero_copy_only=False))
