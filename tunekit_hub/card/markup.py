"""Text that others wrote, made safe for a Markdown page."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import jinja2

_SPECIAL = {ord(c): f"&#{ord(c)};" for c in "\\`*_[]{}<>|~$&@!^"}
# Show text reordered, or hide a part of it. Joiners stay: scripts and emoji need them.
_UNSEEN = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN |= set("\xad\u034f\u115f\u1160\u180e\u200b\u2060\u2061\u2062\u2063\u2064\u3164\ufeff\uffa0")
_UNSEEN |= {chr(code) for code in range(0xE0000, 0xE0080)}  # tags: letters that nobody sees
_CODE = re.compile(r"`([^`|\n]+)`")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9./_~%#?=&+:-]*")
# What some page makers turn into links and formulas, even where it is written in character references.
_MADE_MORE_OF = re.compile(
    r"((?i:(?:\b[a-z][a-z0-9+.-]*://|\bwww\.|\bmailto:)[^\s`|]*|[\w.+-]+@[\w-]+(?:\.[\w-]+)+)(?<![).,;:!?'\"\]>])"
    r"|\$\$+|\\[()\[\]])"
)
_BLOCK_START = re.compile(r"^(?:[#=:]|[+-](?!\d)|\d+[.)](?=\s|$))")
LONGEST = 1000  # characters of one text


class Raw(str):
    """Markdown of our own making, which the template takes as it is."""

    __slots__ = ()


def one_line(text: object, longest: int = LONGEST) -> str:
    """The text without line ends, control characters and what nobody can see; cut where it is too long."""
    line = " ".join(_visible(str(text)).split())
    return line if len(line) <= longest else line[:longest].rstrip() + " …"


def escape(text: object) -> str:
    """One line in which nothing but `code` has a meaning to Markdown, HTML or the Hub (mentions, formulas).

    Character references show as themselves and can never start a tag, a table cell or a heading. What looks like
    an address or a formula is set as code, where no page makes more of it.
    """
    line = "".join(
        f"`{part}`" if n % 2 else _each(_MADE_MORE_OF, part, _plain)
        for n, part in enumerate(_CODE.split(one_line(text)))
    )
    return _BLOCK_START.sub(lambda found: "".join(f"&#{ord(c)};" for c in found[0]), line)


def escape_lines(text: object) -> Raw:
    """Like `escape`, with line ends kept as `<br>`: fits a table cell."""
    return Raw("<br>".join(escape(line) for line in str(text).strip().splitlines()))


def code(text: object) -> Raw:
    """One line as a code span; as plain text where it holds what would end the span or a table's cell."""
    line = one_line(text)
    return Raw(f"`{line}`" if line and not set(line) & set("`|") else escape(line))


def link(address: object) -> Raw:
    """A clickable address, if it is one that cannot hold anything else; otherwise its text."""
    return Raw(f"<{address}>") if _ADDRESS.fullmatch(str(address)) else code(address)


@functools.cache  # it compiles each template once
@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """A template engine that escapes whatever is not `Raw`, and refuses names nobody gave it."""

    def finalize(value: object) -> str:
        return str(value) if isinstance(value, Raw) else escape(value)

    # Not `autoescape`: that one knows HTML only.
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("tunekit_hub.card", ""),
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"code": code, "lines": escape_lines, "link": link}
    return made


def _each(pattern: re.Pattern[str], text: str, between: Callable[[str], str]) -> str:
    """What `pattern` finds (its one group) as code, and the rest as `between` makes it."""
    return "".join(f"`{part}`" if n % 2 else between(part) for n, part in enumerate(pattern.split(text)))


def _plain(text: str) -> str:
    """Escaped characters."""
    return text.translate(_SPECIAL)


def _visible(text: str) -> str:
    """Without control characters, direction marks and what takes no room; whitespace stays."""
    return "".join(
        c for c in text if c.isspace() or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _UNSEEN)
    )
