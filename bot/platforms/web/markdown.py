"""Markdown to HTML that is safe to put into the page: no script, no style, no request to anywhere.

Two walls: markdown-it-py renders with raw HTML switched off, and nh3 keeps only what is on the list below. Images are
not shown, because fetching one tells its server who reads: they become links, or their description.
"""

import re
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

MAX_CHARACTERS = 100_000
"""Beyond this a text is shown as it is: laying it out would take a quarter of a second and more."""

SCHEMES = frozenset({"http", "https", "mailto"})
TAGS = frozenset(
    "a blockquote br code del em h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split()  # noqa: SIM905
)
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
CLASSES = {"th": {"left", "center", "right"}, "td": {"left", "center", "right"}, "p": {"plain"}}
REL = "noopener noreferrer nofollow"

_PIECE = r"\([^\s<>\"'`()]*\)"
_BARE_LINK = re.compile(rf"https?://(?:{_PIECE}|[^\s<>\"'`()])*(?:{_PIECE}|[^\s<>\"'`().,;:!?\]}}*_])")
"""Parentheses belong to it in pairs, the punctuation after it does not."""
_ALIGNMENT = re.compile(r"text-align:(left|center|right)")

_cleaner = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    allowed_classes=CLASSES,
    url_schemes=SCHEMES,
    url_relative="deny",
    link_rel=REL,
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def render(text: str) -> str:
    """HTML of a Markdown text, made only of TAGS, ATTRIBUTES and CLASSES."""
    if len(text) > MAX_CHARACTERS:
        return _cleaner.clean(f'<p class="plain">{escape(text)}</p>')
    return _cleaner.clean(_markdown.render(text))


def is_safe_link(url: str) -> bool:
    try:
        return urlsplit(url).scheme.lower() in SCHEMES
    except ValueError:
        return False


def _image(self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    token = tokens[index]
    source = str(token.attrs.get("src", ""))
    words = escape(self.renderInlineAsText(token.children, options, env)) or "image"
    return f'<a href="{escape(source)}">{words}</a>' if source.startswith(("http:", "https:")) else words


def _mend_blocks(state: StateCore) -> None:
    """Headings below the page's own two levels; alignment as a class, because inline styles are refused."""
    for token in state.tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 2)}"
        elif alignment := _ALIGNMENT.search(str(token.attrs.get("style", ""))):
            token.attrs = {"class": alignment[1]}


def _link_bare_urls(state: StateCore) -> None:
    for token in state.tokens:
        if token.children:
            token.children = list(_with_links(token.children))


def _with_links(tokens: Sequence[Token]) -> Iterator[Token]:
    inside = 0
    for token in tokens:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        if token.type == "text" and not inside:
            yield from _split_links(token)
        else:
            yield token


def _split_links(token: Token) -> Iterator[Token]:
    end = 0
    for found in _BARE_LINK.finditer(token.content):
        yield _text(token.content[end : found.start()])
        yield Token("link_open", "a", 1, attrs={"href": found[0]})
        yield _text(found[0])
        yield Token("link_close", "a", -1)
        end = found.end()
    yield _text(token.content[end:]) if end else token


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _build() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    links: Any = markdown
    links.validateLink = is_safe_link
    markdown.add_render_rule("image", _image)
    markdown.core.ruler.push("mend_blocks", _mend_blocks)
    markdown.core.ruler.push("link_bare_urls", _link_bare_urls)
    return markdown


_markdown = _build()
