"""The Big List of Naughty Strings on every screen: no ping, no escape sequence, no live HTML, nothing too long."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from bot.cli_output import print_table, print_text
from bot.platforms import discord_text, slack_text, terminal_text
from bot.platforms.slack import blocks
from bot.platforms.splitting import utf16_length
from bot.platforms.web.markdown import render
from storage import export_markdown
from tests.hostile import UNFIT, naughty_strings

# What is shown where. Each function returns what is wrong with one string.

PINGS = re.compile(r"<(!(?i:channel|here|everyone|group|subteam\^|date\^)|@[UWB][A-Z0-9]{2}|#[CDG][A-Z0-9]{2})")
BROADCAST = re.compile(r"(?<!\w)@(?i:channel|here|everyone)\b")
SHOWN_TAGS = frozenset(
    "a blockquote br code del em h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split()  # noqa: SIM905 - as in the product
)
SHOWN_ATTRIBUTES = {"class", "href", "rel", "start", "target", "title"}
WIDTH = 80


class Live(HTMLParser):
    """Collects what a page would run, load or style."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [tag] if tag not in SHOWN_TAGS else []
        self.found += [f"{tag} {name}" for name, _ in attrs if name not in SHOWN_ATTRIBUTES]
        hrefs = [value or "" for name, value in attrs if name == "href"]
        self.found += [href for href in hrefs if not href.startswith(("http://", "https://", "mailto:"))]

    def handle_comment(self, data: str) -> None:
        self.found.append(data)

    def handle_decl(self, decl: str) -> None:
        self.found.append(decl)

    def handle_pi(self, data: str) -> None:
        self.found.append(data)


def live_html(text: str) -> list[str]:
    page = Live()
    page.feed(render(text))
    page.close()
    return page.found


def wrong_in_the_terminal(text: str) -> list[str]:
    status = terminal_text.status_line(text, WIDTH).removeprefix(terminal_text.DIM).removesuffix(terminal_text.PLAIN)
    found = [each for each in (terminal_text.shown_of(text), status) if UNFIT.search(each)]
    return found if len(status) <= WIDTH and len(status.splitlines()) <= 1 else [*found, status]


def wrong_in_slack(text: str) -> list[str]:
    parts, plain = slack_text.split(text), slack_text.escaped(text)
    contents = [blocks.finished(1, text), blocks.running(1, text, "…"), blocks.told(text)]
    shown = [*parts, slack_text.growing(text), *(json.dumps(each, ensure_ascii=False) for each in contents)]
    found = [each for each in shown if PINGS.search(each.replace("&lt;", "<"))]
    found += [each for each in shown if BROADCAST.search(each) and "`" not in text and "://" not in text]
    found += [each for each in parts if utf16_length(each) > slack_text.LIMIT]
    found += [plain] if "<" in plain or BROADCAST.search(plain) else []
    title = slack_text.session_title(text)
    return found if is_a_title(title, slack_text.MAX_TITLE) else [*found, title]


def wrong_in_discord(text: str) -> list[str]:
    """Pings are switched off for all that is sent there."""
    shown = [*discord_text.split(text), discord_text.with_status(text, text), discord_text.with_status("", text)]
    found = [each for each in shown if utf16_length(each) > discord_text.LIMIT]
    found += [each for each in shown[-2:] if not each.strip()]
    read = discord_text.readable(text, {"1": "Ada"})
    found += [read] if "<@1>" in read and "`" not in text else []
    name = discord_text.thread_name(text)
    found += [] if discord_text.with_reference(text, text, text).strip() or not text.strip() else ["no reference"]
    return found if is_a_title(name, discord_text.MAX_THREAD_NAME) else [*found, name]


def is_a_title(title: str, limit: int) -> bool:
    return bool(title.strip()) and utf16_length(title) <= limit and not UNFIT.search(title)


def live_in_a_transcript(text: str) -> list[str]:
    """An escaped name is a name for CommonMark with HTML, too, and a quoted text ends where its quotation ends."""
    name = COMMONMARK.render(f"# {export_markdown.escaped(text)}\n")
    found = [] if re.fullmatch(r"<h1>[^<]*</h1>\n", name) else [name]
    page = COMMONMARK.render(f"{export_markdown.quoted(text)}# After\n")
    return found if page.endswith("</blockquote>\n<h1>After</h1>\n") else [*found, page]


COMMONMARK = MarkdownIt("commonmark", {"html": True})
SCREENS: dict[str, Callable[[str], list[str]]] = {
    "web": live_html,
    "terminal": wrong_in_the_terminal,
    "slack": wrong_in_slack,
    "discord": wrong_in_discord,
    "transcript": live_in_a_transcript,
}
FRAMES = (
    "{}",
    "```\n{}\n```",
    "`{}`",
    "> {}",
    "- {}\n- {}",
    "| {} |\n|---|\n| {} |",
    "[{}]({})",
    "**{}** @channel <@U0ADA>",
)


@pytest.mark.parametrize("wrong_on", SCREENS.values(), ids=SCREENS)
@pytest.mark.parametrize("frame", FRAMES)
def test_strings_are_shown_without_effect(wrong_on: Callable[[str], list[str]], frame: str) -> None:
    """No ping, no escape sequence, no live HTML, nothing too long."""
    shown = {text: wrong_on(frame.replace("{}", text)) for text in naughty_strings()}
    assert {text: found for text, found in shown.items() if found} == {}


def test_strings_are_printed_without_effect(capsys: pytest.CaptureFixture[str]) -> None:
    """By the commands that list and show missions."""
    for text in naughty_strings():
        print_text(text)
        print_table(["Title"], [[text]])
        assert UNFIT.search(capsys.readouterr().out) is None, text
