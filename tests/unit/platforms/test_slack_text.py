"""What Slack's messages say, and what is said on Slack."""

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.slack_text import (
    JOINER,
    LIMIT,
    MAX_TITLE,
    UPDATE_TEXT_LIMIT,
    escaped,
    first,
    growing,
    inert,
    mentions,
    opens_for_somebody_else,
    readable,
    session_title,
    split,
    without_mention,
)
from bot.platforms.splitting import utf16_length

DATA = Path(__file__).parents[3] / os.environ.get("SECRET_AGENTS_TEST_DATA", "../shared/data")
BOT, ADA = "U0BOT", "U0ADA"
PINGS = re.compile(r"<(!(?i:channel|here|everyone|group|subteam\^|date\^)|@[UWB][A-Z0-9]{2}|#[CDG][A-Z0-9]{2})")
PIECES = [
    "<",
    ">",
    "!",
    "@",
    "#",
    "|",
    "`",
    "```\n",
    "&lt;",
    "&gt;",
    "channel",
    "here",
    "date^1",
    "subteam^S01",
    "U0ADA",
    "C01",
]
HOSTILE = st.lists(st.sampled_from([*PIECES, "<!channel>", "<!here|x>", "<@U0ADA>", "<!date^1|>", " ", "\n", "a"])).map(
    "".join
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<!channel> look", f"@{JOINER}channel look"),
        ("<!HERE>", f"@{JOINER}HERE"),
        ("<!here|here>", f"@{JOINER}here"),
        ("`<!everyone>`", f"`@{JOINER}everyone`"),
        ("```\n<!channel>\n```", f"```\n@{JOINER}channel\n```"),
        ("&lt;!channel&gt;", f"@{JOINER}channel"),
        ("<!subteam^S012|@ops>", f"@{JOINER}ops"),
        ("<!subteam^S012>", f"@{JOINER}S012"),
        ("<@U0ADA>", f"@{JOINER}U0ADA"),
        ("<@U0ADA|ada>", f"@{JOINER}ada"),
        ("<#C012|general> <#C012>", "#general #C012"),
        ("<!date^1392734382^{date}|today>", "today"),
        ("<https://a.b|the page>", "[the page](https://a.b)"),
        ("`<https://a.b|the page>`", "`<https://a.b|the page>`"),
        ("@channel, @here and @everyone!", f"@{JOINER}channel, @{JOINER}here and @{JOINER}everyone!"),
        ("`@channel` a@here.org https://a.b/@here", "`@channel` a@here.org https://a.b/@here"),
        ("@channels a < b > c <!DOCTYPE html> <!-- x -->", "@channels a < b > c <!DOCTYPE html> <!-- x -->"),
        ("[x](https://a.b/c) **bold**", "[x](https://a.b/c) **bold**"),
    ],
)
def test_a_models_words_ping_nobody(text: str, shown: str) -> None:
    assert inert(text) == shown


@given(HOSTILE)
def test_nothing_that_pings_survives_however_it_is_nested(text: str) -> None:
    assert PINGS.search(inert(text).replace("&lt;", "<")) is None


@given(HOSTILE)
def test_what_is_inert_stays_as_it_is(text: str) -> None:
    assert inert(inert(text)) == inert(text)


WHOLE = [
    "<!channel> ",
    "<!here|here>, ",
    "<@U0ADA|ada>\n",
    "&lt;!here&gt; ",
    "@here ",
    "@channels ",
    "<https://a.b|the page> ",
    "a < b > c & d ",
    "<!-- x -->",
    "word ",
    "\n\n",
]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello <", "Hello "),
        ("Hello <!chan", "Hello "),
        ("Hello <@U0A", "Hello "),
        ("Hello &lt;!ch", "Hello "),
        ("Hello <https://a.b|the p", "Hello "),
        ("Hello @cha", "Hello "),
        ("Hello @channel", "Hello "),
        ("Hello @channels!", "Hello @channels!"),
        ("Hello @channel ", f"Hello @{JOINER}channel "),
        ("Hello <!channel>", f"Hello @{JOINER}channel"),
        ("a < b", "a < b"),
        ("R&D", "R&D"),
    ],
)
def test_what_may_become_a_ping_is_held_back_while_the_text_grows(text: str, shown: str) -> None:
    assert growing(text) == shown


@given(st.lists(st.sampled_from(WHOLE), max_size=8).map("".join), st.integers(0, 120))
def test_what_was_shown_of_a_growing_text_stays(text: str, cut: int) -> None:
    assert growing(text).startswith(growing(text[:cut]))


@given(HOSTILE, st.integers(0, 40))
def test_a_growing_text_pings_nobody(text: str, cut: int) -> None:
    assert PINGS.search(growing(text[:cut]).replace("&lt;", "<")) is None


@given(st.one_of(st.text(), st.just("@here " * 400), st.just("\U0001f575" * 400)), st.integers(1, 500))
def test_a_growing_text_is_never_too_long(text: str, limit: int) -> None:
    assert utf16_length(growing(text, limit)) <= limit


@given(HOSTILE)
def test_in_slacks_own_markup_nothing_pings_either(text: str) -> None:
    shown = escaped(text)
    assert "<" not in shown
    assert re.search(r"(?<!\w)@channel\b", shown) is None


@pytest.mark.parametrize(
    ("text", "is_so"),
    [(f"hello <@{BOT}>", True), (f"<@{BOT}|agent>?", True), (f"<@{BOT}2> hello", False), (BOT, False), ("", False)],
)
def test_a_mention_is_one_of_the_whole_id(text: str, is_so: bool) -> None:
    assert mentions(text, BOT) is is_so


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"<@{BOT}> hello", "hello"),
        (f" <@{BOT}|agent>, hello", "hello"),
        (f"<@{BOT}> <@{ADA}|Ada L> hello", f"<@{ADA}|Ada L> hello"),
        (f"is it late <@{BOT}>?", "is it late?"),
        (f"tell <@{BOT}> a joke", f"tell <@{BOT}> a joke"),
        (f"<@{BOT}> !end", "!end"),
        (f"<@{BOT}>", ""),
    ],
)
def test_the_bots_own_mention_is_not_part_of_the_question(text: str, left: str) -> None:
    assert without_mention(text, BOT) == left


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        (f"<@{ADA}> look", True),
        (f" <@{ADA}|Ada L>: look", True),
        ("<!subteam^S012|@ops> look", True),
        (f"<@{ADA}> <@{BOT}> look", False),
        (f"<@{BOT}> look at <@{ADA}>", False),
        (f"look <@{ADA}>", False),
        ("<!here> look", False),
        ("", False),
    ],
)
def test_a_message_that_opens_by_mentioning_others_is_for_them(text: str, is_so: bool) -> None:
    assert opens_for_somebody_else(text, BOT) is is_so


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"ask <@{ADA}> or <@U404|ada>", "ask @Ada or @ada"),
        ("<@U404>", "@U404"),
        ("in <#C1|general>, <#C2|>, <#C404>", "in #general, #random, #C404"),
        ("<!here> <!subteam^S1|@ops> <!subteam^S2>", "@here @ops @S2"),
        ("<!date^1392734382^{date} at {time}|yesterday>", "yesterday"),
        ("<https://a.b/c?x=1&amp;y=2|the page>", "[the page](https://a.b/c?x=1&y=2)"),
        ("<https://a.b> <http://a.b|a.b>", "https://a.b http://a.b"),
        ("<mailto:a@b.c|a@b.c> <tel:+123|+1 23>", "a@b.c +1 23"),
        ("`<https://a.b|a.b>` `<https://a.b>`", "`a.b` `https://a.b`"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2, &amp;lt;", "1 < 2 && 3 > 2, &lt;"),
        ("```\n&lt;b&gt;\n```", "```\n<b>\n```"),
    ],
)
def test_slacks_sequences_are_put_into_words(text: str, words: str) -> None:
    assert readable(text, {ADA: "Ada", "C2": "random"}) == words


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"<@{BOT}> what's up in <#C1|general>?", "what's up in #general?"),
        ("&gt; *quoted* <https://a.b|page>", "quoted page"),
        ("", "New mission"),
    ],
)
def test_a_session_is_titled_after_the_first_line_that_says_something(text: str, title: str) -> None:
    assert session_title(text) == title


@given(st.one_of(HOSTILE, st.text(), st.text(min_size=300)))
def test_every_title_is_one_slack_takes(text: str) -> None:
    assert 1 <= utf16_length(session_title(text)) <= MAX_TITLE


@given(
    st.lists(st.sampled_from(["<!here> word " * 60, "x" * 900, "\n\n", "```\n", "`", "@channel\n"]), max_size=60).map(
        "".join
    )
)
def test_the_first_message_can_be_had_alone(text: str) -> None:
    parts = split(text)
    assert first(text) == parts[0]
    assert max(map(utf16_length, parts)) <= LIMIT
    assert utf16_length(first(text, UPDATE_TEXT_LIMIT)) <= UPDATE_TEXT_LIMIT


def test_a_tables_header_is_repeated() -> None:
    parts = split("| a | b |\n|---|---|\n" + "| some words | more |\n" * 1_000)
    assert len(parts) > 1
    assert all(part.startswith("| a | b |\n|---|---|\n| some") for part in parts)


def test_naughty_strings_pass() -> None:
    path = DATA / "blns.json"
    if not path.exists():
        pytest.skip(f"no {path}: set SECRET_AGENTS_TEST_DATA to the folder with blns.json")
    for text in json.loads(path.read_text("utf-8")):
        assert PINGS.search(inert(text)) is None
        assert 1 <= utf16_length(session_title(text)) <= MAX_TITLE
        assert len(split(readable(text, {}))) == 1
