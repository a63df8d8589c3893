"""Text that others wrote, made safe for a Markdown page."""

from __future__ import annotations

import re
import unicodedata

import jinja2

_SPECIAL = {ord(c): f"&#{ord(c)};" for c in "\\`*_[]{}<>|~$&@!^"}
_BIDI = set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # can show text reordered
_CODE = re.compile(r"`([^`|\n]+)`")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9./_~%#?=&+:-]*")
_BLOCK_START = re.compile(r"^(?:[#=:]|[+-](?!\d)|\d+[.)](?=\s|$))")


class Raw(str):
    """Markdown of our own making, which the template takes as it is."""

    __slots__ = ()


def escape(text: object) -> str:
    """One line in which nothing but `code` has a meaning to Markdown, HTML or the Hub (mentions, formulas).

    Character references show as themselves and can never start a link, a tag, a table cell or a heading.
    """
    line = " ".join(_visible(str(text)).split())
    parts: list[str] = []
    for n, part in enumerate(_CODE.split(line)):
        parts.append(f"`{part}`" if n % 2 else _plain(part))
    line = "".join(parts)
    return _BLOCK_START.sub(lambda found: "".join(f"&#{ord(c)};" for c in found[0]), line)


def escape_lines(text: object) -> Raw:
    """Like `escape`, with line ends kept as `<br>`: fits a table cell."""
    return Raw("<br>".join(escape(line) for line in str(text).strip().splitlines()))


def code(text: object) -> Raw:
    """One line as a code span, whatever it holds."""
    return Raw("`" + " ".join(_visible(str(text)).split()).replace("`", "'").replace("|", "/") + "`")


def link(address: object) -> str:
    """A clickable address, if it is one that cannot hold anything else; otherwise its text."""
    return Raw(f"<{address}>") if _ADDRESS.fullmatch(str(address)) else escape(address)


def environment() -> jinja2.Environment:
    """A template engine that escapes whatever is not `Raw`, and refuses names nobody gave it."""

    def finalize(value: object) -> str:
        return str(value) if isinstance(value, Raw) else escape(value)

    # Not `autoescape`: that one knows HTML only.
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("tunekit_hub", ""),
        finalize=finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"code": code, "lines": escape_lines, "link": link}
    return made


def _plain(text: str) -> str:
    """Escaped characters, and addresses that do not turn into links by themselves."""
    text = text.translate(_SPECIAL)
    return re.sub(r"(?i)(:)(?=//)|(?<=\bwww)(\.)|(?<=mailto)(:)", lambda found: f"&#{ord(found[0])};", text)


def _visible(text: str) -> str:
    """Without control characters and direction marks; whitespace stays."""
    return "".join(
        c for c in text if c.isspace() or (unicodedata.category(c) not in ("Cc", "Cs") and c not in _BIDI)
    )
