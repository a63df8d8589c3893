"""The pieces of HTML that the pages are put together from. Everything that comes from outside is escaped here."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pages import controls

CSS = Path(__file__).with_name("look.css")
SYMBOLS = {"pass": "✓", "warn": "!", "block": "✗", "unknown": "?"}

_LITERAL = re.compile(r"`([^`]+)`")
_ADDRESS = re.compile(r"https?://[^\s<>`\"']*[^\s<>`\"'.,;:)]")


def text(words: object) -> str:
    """Text as HTML, whatever is in it."""
    return html.escape(str(words), quote=True)


def prose(words: str) -> str:
    """A message or hint of ours as HTML: literals in backticks as code, addresses as links, flags as controls."""
    parts = _LITERAL.split(controls.named(words))
    made = []
    for at, part in enumerate(parts):
        if at % 2:
            made.append(f"<code>{text(part)}</code>")
        else:
            made.append(_linked(part))
    return "".join(made).replace("\n", "<br>")


def link(address: str, words: str = "") -> str:
    """A link that opens beside the page; anything but http(s) stays text."""
    shown = text(words or address)
    if not address.startswith(("https://", "http://")):
        return shown
    return f'<a href="{text(address)}" target="_blank" rel="noopener noreferrer">{shown}</a>'


def _linked(words: str) -> str:
    made, at = [], 0
    for found in _ADDRESS.finditer(words):
        made += [text(words[at : found.start()]), link(found[0])]
        at = found.end()
    return "".join([*made, text(words[at:])])


def badge(status: str, words: str = "") -> str:
    """A check's answer as symbol and word, the status said aloud too; colour only helps."""
    spoken = f'<span class="tk-hidden">{text(status)}: </span>' if words and words != status else ""
    return _pill(status, spoken + text(words or status))


def mark(status: str, words: str) -> str:
    """A word that says all by itself, with the symbol and colour of a status."""
    return _pill(status, text(words))


def _pill(status: str, body: str) -> str:
    symbol = f'<b aria-hidden="true">{SYMBOLS[status]}</b> ' if status in SYMBOLS else ""
    return f'<span class="tk-badge tk-{text(status)}">{symbol}{body}</span>'


def panel(title: str, *parts: str, note: str = "") -> str:
    """A titled part of a page; nothing where it has no content."""
    body = "".join(part for part in parts if part)
    if not body:
        return ""
    quiet = f'<p class="tk-quiet">{prose(note)}</p>' if note else ""
    return f'<section class="tk-panel"><h3>{text(title)}</h3>{quiet}{body}</section>'


def page(*parts: str) -> str:
    """All parts of a page under one root."""
    return f'<div class="tk">{"".join(parts)}</div>'


def lead(title: str, words: str) -> str:
    """The head of a page: its title, and what it is for."""
    return f'<h2 class="tk-title">{text(title)}</h2><p class="tk-lead">{prose(words)}</p>'


def empty(words: str) -> str:
    """What stands where there is nothing yet."""
    return page(f'<p class="tk-empty">{prose(words)}</p>')


def said(words: str, status: str = "") -> str:
    """A paragraph, marked with what it means where it means something."""
    mark = badge(status) + " " if status else ""
    return f"<p>{mark}{prose(words)}</p>"


def fields(pairs: Iterable[tuple[str, str]]) -> str:
    """Names and values, those without a value left out. Values are messages of ours."""
    rows = "".join(f"<dt>{text(name)}</dt><dd>{prose(value)}</dd>" for name, value in pairs if value)
    return f'<dl class="tk-fields">{rows}</dl>' if rows else ""


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Rows under a head. On a narrow screen each row becomes a small list, so nothing needs to be scrolled to."""
    if not rows:
        return ""
    aligned = set(right)
    tops = "".join(f'<th scope="col"{_right(n, aligned)}>{text(name)}</th>' for n, name in enumerate(head))
    body = "".join(
        "<tr>"
        + "".join(
            f'<td data-name="{text(head[n])}"{_right(n, aligned)}>{prose(cell)}</td>' for n, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return (
        f'<table class="tk-table"><caption>{text(caption)}</caption>'
        f"<thead><tr>{tops}</tr></thead><tbody>{body}</tbody></table>"
    )


def _right(column: int, aligned: set[int]) -> str:
    return ' class="tk-right"' if column in aligned else ""


def bars(caption: str, rows: Sequence[tuple[str, int, str]]) -> str:
    """Name, count and a bar for each; `rows` are (name, count, count in words)."""
    most = max((count for _, count, _ in rows), default=1) or 1
    made = "".join(
        f'<tr><th scope="row">{text(name)}</th><td class="tk-right">{text(words)}</td>'
        f'<td aria-hidden="true"><i style="width:{max(1, round(100 * count / most))}%"></i></td></tr>'
        for name, count, words in rows
    )
    return f'<table class="tk-bars"><caption>{text(caption)}</caption><tbody>{made}</tbody></table>'


def items(lines: Iterable[str]) -> str:
    """Messages as a list."""
    made = "".join(f"<li>{prose(line)}</li>" for line in lines)
    return f'<ul class="tk-items">{made}</ul>' if made else ""


def folded(summary: str, body: str) -> str:
    """Something most readers can do without, one click away."""
    return f'<details class="tk-folded"><summary>{text(summary)}</summary>{body}</details>' if body else ""


def button(words: str, action: str, value: str, label: str = "", sure: str = "") -> str:
    """A row's button: the handler gets `action` and `value`, after the question `sure` if it has one."""
    given = {"data-action": action, "data-value": value, "aria-label": label, "data-sure": sure}
    told = "".join(f' {name}="{text(said)}"' for name, said in given.items() if said or name == "data-value")
    return f'<button type="button" class="tk-button"{told}>{text(words)}</button>'
