"""A card's Markdown as HTML. Whoever wrote the card is a stranger: raw HTML stays text, scripts are no links."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import quote

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_SCHEME = re.compile(r"[^/?#]*?:")
_BREAK = re.compile(r"<br ?/?>")


def to_html(text: str, files: str) -> str:
    """HTML that can be put into a page.

    Args:
        text: Markdown, with tables.
        files: The address that links to files of the same repo start with.
    """
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 1, 6)}"  # the page has its own first heading
        for child in token.children or []:
            href = child.attrGet("href")
            if child.type == "link_open" and isinstance(href, str) and _names_a_file(href):
                child.attrSet("href", quote(files) + href.removeprefix("./"))
    return parser.renderer.render(tokens, parser.options, {})


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    parser.validateLink = _may_link
    parser.inline.ruler.before("autolink", "line_break", _line_break)
    parser.add_render_rule("image", _image)
    parser.add_render_rule("table_open", _table_open)
    parser.add_render_rule("table_close", _table_close)
    return parser


def _may_link(url: str) -> bool:
    """Whether a link leads to the web or to a place on this server."""
    scheme = _SCHEME.match(url.strip())
    return scheme is None or scheme[0].lower() in ("http:", "https:")


def _names_a_file(href: str) -> bool:
    return not href.startswith(("/", "#", "?")) and _SCHEME.match(href) is None


def _line_break(state: StateInline, silent: bool) -> bool:
    """A bare `<br>`: the one tag that table cells need, and it can do no harm."""
    found = _BREAK.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.push("hardbreak", "br", 0)
    state.pos = found.end()
    return True


def _image(self: RendererHTML, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
    """What an image shows, in words: the page loads nothing from elsewhere."""
    said = self.renderInlineAsText(tokens[idx].children or [], options, env)
    return f"<em>[image: {escapeHtml(said or 'without a description')}]</em>"


def _table_open(*_: object) -> str:
    return '<div class="scroll" tabindex="0"><table>\n'  # a wide table moves, the page does not


def _table_close(*_: object) -> str:
    return "</table></div>\n"
