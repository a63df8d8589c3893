"""Finds what looks like secrets and personal data. Says where it stands, and never what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass


def _passes_luhn(digits: str) -> bool:
    """The check digit that all card numbers carry."""
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled) % 10 == 0


def _is_card(found: str) -> bool:
    digits = re.sub(r"\D", "", found)
    return len(set(digits)) > 1 and _passes_luhn(digits)


def _is_phone(found: str) -> bool:
    return 8 <= sum(character.isdigit() for character in found) <= 15


def _always(_: str) -> bool:
    return True


@dataclass(frozen=True)
class _Kind:
    """Something that should not be in training data."""

    code: str
    name: str
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
_KINDS = (
    _Kind("api-keys", "an API key or a private key", re.compile(_KEY, re.VERBOSE)),
    _Kind("card-numbers", "a card number", re.compile(_CARD, re.VERBOSE), _is_card),
    _Kind("email-addresses", "an e-mail address", re.compile(_EMAIL, re.IGNORECASE)),
    _Kind("phone-numbers", "a phone number", re.compile(_PHONE, re.VERBOSE), _is_phone),
)
NAMES = {kind.code: kind.name for kind in _KINDS}


def find_sensitive(texts: Iterable[str], lines: Iterable[int]) -> dict[str, list[int]]:
    """Kind → lines of the texts in which something of that kind seems to stand."""
    found: dict[str, list[int]] = {kind.code: [] for kind in _KINDS}
    for text, line in zip(texts, lines, strict=True):
        for kind in _KINDS:
            if any(kind.confirm(match.group()) for match in kind.pattern.finditer(text)):
                found[kind.code].append(line)
    return {code: where for code, where in found.items() if where}
