"""What comes out of `render` can be put into a page: it runs nothing, loads nothing, styles nothing."""

import json
import os
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.web.markdown import ATTRIBUTES, CLASSES, MAX_CHARACTERS, REL, SCHEMES, TAGS, render

DATA = Path(os.environ.get("SECRET_AGENTS_TEST_DATA", "../shared/data"))
VOID = {"br", "hr"}


class Checker(HTMLParser):
    """Collects everything that is not on the allow-list, and whether every element is closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            self._check(tag, name, value or "")
        if tag == "a":
            given = dict(attrs)
            self.wrong += [] if (given.get("rel"), given.get("target")) == (REL, "_blank") else ["a link into the page"]

    def _check(self, tag: str, name: str, value: str) -> None:
        if tag == "a" and name in {"rel", "target"}:
            return
        if name == "class":
            self.wrong += [] if set(value.split()) <= CLASSES.get(tag, set()) else [f"{tag}.{value}"]
        elif name not in ATTRIBUTES.get(tag, set()):
            self.wrong.append(f"{tag} {name}={value!r}")
        elif name == "href" and urlsplit(value).scheme not in SCHEMES:
            self.wrong.append(f"href={value!r}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"misplaced </{tag}>")

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data!r}")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"declaration {decl!r}")

    def handle_pi(self, data: str) -> None:
        self.wrong.append(f"instruction {data!r}")


def violations(html: str) -> list[str]:
    checker = Checker()
    checker.feed(html)
    checker.close()
    return checker.wrong + [f"unclosed <{tag}>" for tag in checker.open]


def shown_text(html: str) -> str:
    checker = Checker()
    checker.feed(html)
    checker.close()
    return checker.text


def test_the_checker_sees_what_is_wrong() -> None:
    assert violations('<p onclick="x()">a</p>') == ["p onclick='x()'"]
    assert violations("<script>x</script>") == ["<script>"]
    assert violations('<a href="javascript:x">a</a>')
    assert violations('<a href="/here">a</a>')


RENDERED = [
    ("**bold** *soft* ~~gone~~ `code`", "<p><strong>bold</strong> <em>soft</em> <s>gone</s> <code>code</code></p>\n"),
    ("one\ntwo", "<p>one<br>\ntwo</p>\n"),
    ("# Big\n## Less", "<h3>Big</h3>\n<h4>Less</h4>\n"),
    ("3. c\n4. d", '<ol start="3">\n<li>c</li>\n<li>d</li>\n</ol>\n'),
    ("```python\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>\n"),
    ("> quote", "<blockquote>\n<p>quote</p>\n</blockquote>\n"),
    (
        "| a | b |\n|:-:|--:|\n| 1 | 2 |",
        (
            '<table>\n<thead>\n<tr>\n<th class="center">a</th>\n<th class="right">b</th>\n'
            "</tr>\n</thead>\n<tbody>\n<tr>\n"
            '<td class="center">1</td>\n<td class="right">2</td>\n</tr>\n</tbody>\n</table>\n'
        ),
    ),
    (
        "[home](https://example.org/?a=1&b=2)",
        f'<p><a href="https://example.org/?a=1&amp;b=2" target="_blank" rel="{REL}">home</a></p>\n',
    ),
    (
        "See https://example.org/x_(y), or http://a.b.",
        (
            f'<p>See <a href="https://example.org/x_(y)" target="_blank" rel="{REL}">https://example.org/x_(y)</a>, or '
            f'<a href="http://a.b" target="_blank" rel="{REL}">http://a.b</a>.</p>\n'
        ),
    ),
    (
        "![a cat](https://evil.example/track.png)",
        f'<p><a href="https://evil.example/track.png" target="_blank" rel="{REL}">a cat</a></p>\n',
    ),
    (
        "(https://a.b/c)",
        f'<p>(<a href="https://a.b/c" target="_blank" rel="{REL}">https://a.b/c</a>)</p>\n',
    ),
    ("![a cat](data:image/png;base64,AAAA)", "<p>![a cat](data:image/png;base64,AAAA)</p>\n"),
    ("`https://example.org`", "<p><code>https://example.org</code></p>\n"),
    ("", ""),
]


@pytest.mark.parametrize(("markdown", "html"), RENDERED, ids=[markdown[:20] for markdown, _ in RENDERED])
def test_markdown_is_laid_out(markdown: str, html: str) -> None:
    assert render(markdown) == html


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<style>*{display:none}</style>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<!-- <script>alert(1)</script> -->",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](file:///etc/passwd)",
    "[x](/login)",
    "[x](//evil.example)",
    "[x](https://a.b 'title\" onmouseover=\"alert(1)')",
    '<https://a.b/"onmouseover=alert(1)>',
    "<javascript:alert(1)>",
    '![x" onerror="alert(1)](https://a.b/c)',
    "![<script>alert(1)</script>](https://a.b/c)",
    "![[a](javascript:x)](https://a.b/c)",
    "[![x](https://a.b/c.png)](https://d.e)",
    "[a]: javascript:alert(1)\n\n[a]",
    '```"><script>alert(1)</script>\nx\n```',
    "https://a.b/<script>alert(1)</script>",
    'https://a.b/"onclick="alert(1)',
    "|<b onclick=x>|\n|-|\n|<a href=javascript:x>y</a>|",
    "<math><mtext><table><mglyph><style><img src onerror=alert(1)>",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_executable_survives(text: str) -> None:
    assert violations(render(text)) == []


def test_no_naughty_string_survives() -> None:
    path = DATA / "blns.json"
    if not path.exists():
        pytest.skip("no blns.json; set SECRET_AGENTS_TEST_DATA to the folder that has it")
    strings = json.loads(path.read_text("utf-8"))
    assert len(strings) > 400
    frames = ["{}", "**{}**", "[x]({})", "![{}](https://a.b)", "<{}>", "`{}`", "| {} |\n|-|\n| {} |", "> {}\n\n{}"]
    bad = {frame: text for text in strings for frame in frames if violations(render(frame.replace("{}", text)))}
    assert bad == {}


@given(st.text(st.sampled_from("<>&\"'`[]()!*_~|:/#\\ \n\tahrefscriptjv=.-0"), max_size=120))
def test_no_text_whatever_breaks_out(text: str) -> None:
    assert violations(render(text)) == []


@given(st.text(max_size=200))
def test_every_prefix_of_a_growing_answer_is_safe(text: str) -> None:
    for end in range(0, len(text), 7):
        assert violations(render(text[:end])) == []


def test_a_raw_tag_is_shown_as_it_was_written() -> None:
    assert shown_text(render("a <b>bold</b> move")) == "a <b>bold</b> move\n"


def test_an_enormous_text_is_shown_plainly_and_whole() -> None:
    text = "**<x>** " * (MAX_CHARACTERS // 8 + 1)
    html = render(text)
    assert violations(html) == []
    assert shown_text(html) == text
