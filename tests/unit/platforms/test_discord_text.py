"""What Discord's messages say, and what is said on Discord."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.discord_text import (
    LIMIT,
    MAX_THREAD_NAME,
    first,
    opens_for_somebody_else,
    readable,
    split,
    thread_name,
    with_reference,
    with_status,
    without_mention,
)
from bot.platforms.splitting import utf16_length

DATA = Path(__file__).parents[3] / os.environ.get("SECRET_AGENTS_TEST_DATA", "../shared/data")
BOT, ROLE, ADA = "100", "200", "300"
PIECES = [
    "word ",
    "x" * 90,
    "\n",
    "\n\n",
    "```py\n",
    "```\n",
    "~~~\n",
    "- item\n",
    "`",
    "\U0001f600" * 50,
    "#### Deep\n",
]
TABLES = ["| a | b |\n|---|--:|\n", "| 1 | **2** |\n", "![cat](https://a.b/c.png)"]
MARKDOWN = st.lists(st.sampled_from([*PIECES, *TABLES]), max_size=80).map("".join)
ANYTHING = st.one_of(MARKDOWN, st.text())


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"<@{BOT}> hello", "hello"),
        (f"  <@!{BOT}>, hello", "hello"),
        (f"<@{BOT}>: hello", "hello"),
        (f"<@{BOT}><@{BOT}> hello", "hello"),
        (f"<@&{ROLE}> hello", "hello"),
        (f"<@{BOT}> <@{ADA}> hello", f"<@{ADA}> hello"),
        (f"<@{ADA}> <@{BOT}> hello", f"<@{ADA}> hello"),
        (f"hello <@{BOT}>", "hello"),
        (f"what time is it, <@{BOT}>?", "what time is it?"),
        (f"tell <@{BOT}> a joke", f"tell <@{BOT}> a joke"),
        (f"<@{ADA}>, hello", f"<@{ADA}>, hello"),
        (f"<@{BOT}>", ""),
        (f"<@{BOT}> !end", "!end"),
        (f"<@{BOT}> -1 + 1", "-1 + 1"),
        ("hello", "hello"),
    ],
)
def test_the_bots_own_mention_is_not_part_of_the_question(text: str, left: str) -> None:
    assert without_mention(text, BOT, ROLE) == left


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        (f"<@{ADA}> look", True),
        (f"  <@!{ADA}> look", True),
        ("<@&999> look", True),
        (f"<@{ADA}> <@{BOT}> look", False),
        (f"<@{BOT}> <@{ADA}> look", False),
        (f"<@&{ROLE}> look", False),
        (f"look <@{ADA}>", False),
        ("<#123> look", False),
        ("look", False),
        ("", False),
    ],
)
def test_a_message_that_opens_by_mentioning_others_is_for_them(text: str, is_so: bool) -> None:
    assert opens_for_somebody_else(text, {BOT, ROLE}) is is_so


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"ask <@{ADA}> or <@!{ADA}>", "ask @Ada or @Ada"),
        ("<@404>", "@404"),
        ("in <#7> for <@&8>", "in #general for @agents"),
        ("<:wave:123> <a:party_1:456>", ":wave: :party_1:"),
        ("<t:1618953630:R>", "2021-04-20T21:20:30Z"),
        ("<t:1618953630>", "2021-04-20T21:20:30Z"),
        ("<t:-1>", "1969-12-31T23:59:59Z"),
        ("<t:999999999999999>", "<t:999999999999999>"),
        ("</mission end:42>", "/mission end"),
        (f"`<@{ADA}>` <@{ADA}>", f"`<@{ADA}>` @Ada"),
        (f"```\n<@{ADA}>\n```\n<@{ADA}>", f"```\n<@{ADA}>\n```\n@Ada"),
        ("a < b <> <@> <https://a.b>", "a < b <> <@> <https://a.b>"),
    ],
)
def test_discords_formats_are_put_into_words(text: str, words: str) -> None:
    assert readable(text, {ADA: "Ada", "7": "general", "8": "agents"}) == words


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"<@{BOT}> what is the weather in Oslo?\nthanks", "what is the weather in Oslo?"),
        ("\n\n## **Bold** plan\nx", "Bold plan"),
        ("- [ ] buy `milk` *now*", "buy milk now"),
        ("> quoted  [link](https://a.b/c)", "quoted link"),
        ("```python\nprint(1)\n```", "print(1)"),
        ("what is __init__ and 2*3*4?", "what is __init__ and 2*3*4?"),
        ("\u200b\n\u202eworks", "works"),
        ("<:wave:1> hi", ":wave: hi"),
        (f"<@{BOT}>", "New mission"),
        ("", "New mission"),
        ("---\n***\nx", "---"),
    ],
)
def test_a_thread_is_named_after_the_first_line_that_says_something(text: str, name: str) -> None:
    assert thread_name(text) == name


def test_a_long_name_is_cut_at_a_word() -> None:
    assert thread_name("abcd " * 40) == "abcd " * 19 + "abcd…"
    assert thread_name("x" * 200) == "x" * 99 + "…"
    assert thread_name("\U0001f468\u200d\U0001f469" * 40) == "\U0001f468\u200d\U0001f469" * 19 + "…"


@given(ANYTHING)
def test_every_name_is_one_discord_takes(text: str) -> None:
    name = thread_name(text)
    assert 1 <= utf16_length(name) <= MAX_THREAD_NAME
    assert name == " ".join(name.split())


@given(ANYTHING, st.text(max_size=300))
def test_a_growing_answer_is_within_the_limit_and_never_empty(text: str, status: str) -> None:
    content = with_status(text, status)
    assert 0 < utf16_length(content) <= LIMIT
    assert content.strip()


@pytest.mark.parametrize(
    ("text", "status", "content"),
    [
        ("", "", "-# thinking…"),
        ("", "using weather…", "-# using weather…"),
        ("Hello", "", "Hello"),
        ("Hello\n", "using\nweather…", "Hello\n-# using weather…"),
        ("```py\nx = 1", "", "```py\nx = 1\n```"),
        ("```py\nx = 1", "writing…", "```py\nx = 1\n```\n-# writing…"),
    ],
)
def test_a_status_stands_below_what_is_there(text: str, status: str, content: str) -> None:
    assert with_status(text, status) == content


def test_a_reply_brings_what_it_replies_to() -> None:
    assert with_reference("why?", "Ada", "It rains.\n\nA lot.") == "In reply to Ada:\n> It rains.\n>\n> A lot.\n\nwhy?"
    assert with_reference("why?", "Ada", " \n") == "why?"
    assert len(with_reference("why?", "Ada", "x" * 10_000)) < 2_100


@given(ANYTHING)
def test_the_first_message_can_be_had_alone(text: str) -> None:
    parts = split(text)
    assert first(text) == parts[0]
    assert max(map(utf16_length, parts)) <= LIMIT


def test_the_first_message_of_a_long_answer_can_be_had_alone() -> None:
    text = (
        "| a | b |\n|---|---|\n" + "| 1 | ![x](https://a.b/c) |\n" * 50 + "\n\n" + "#### Words\nand more words\n" * 500
    )
    assert first(text) == split(text)[0]
    assert first("\n" * 9_000 + text) == split("\n" * 9_000 + text)[0]


def test_naughty_strings_pass() -> None:
    path = DATA / "blns.json"
    if not path.exists():
        pytest.skip(f"no {path}: set SECRET_AGENTS_TEST_DATA to the folder with blns.json")
    for text in json.loads(path.read_text("utf-8")):
        assert 1 <= utf16_length(thread_name(text)) <= MAX_THREAD_NAME
        assert split(readable(without_mention(text, BOT), {})) == [readable(without_mention(text, BOT), {})]
