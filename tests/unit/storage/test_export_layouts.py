"""What exports look like besides the mission log, and which missions of a place are in them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from storage import conversations, turns
from storage.conversations import Conversation, NewConversation, Place
from storage.database import Connection
from storage.export import export_pieces, export_to_file
from storage.export_formats import ExportSummary, Format
from storage.export_markdown import escaped
from storage.export_selection import Chosen
from storage.sqlite import SQLiteDatabase
from storage.turns import NewTurn
from tests.storage_builders import answer, message, opening, result


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SQLiteDatabase]:
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as opened:
        yield opened


async def exported(database: SQLiteDatabase, format_: Format, chosen: Chosen = None) -> str:
    pieces: list[bytearray] = []
    await export_pieces(database, chosen, pieces.append, format_)
    return b"".join(pieces).decode()


async def lines_of(database: SQLiteDatabase, chosen: Chosen = None) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (await exported(database, "jsonl", chosen)).splitlines()]


def talk(connection: Connection, question: str = "decrypt IFMMP", said: str = "HELLO", *, channel: str = "c") -> str:
    """A mission with an answered question, which used a gadget; its id."""
    admitted = turns.admit(connection, message(f"{channel}:{question}", question, channel=channel))
    claim = turns.claim(connection, admitted.conversation, window=0)
    assert claim is not None
    turns.record_step(connection, claim.turn, claim.attempt, result(0))
    turns.conclude(connection, claim.turn, claim.attempt, answer(said))
    turns.finish(connection, claim.turn, claim.attempt)
    return admitted.conversation_id


def elsewhere(connection: Connection, platform: str, workspace: str, channel: str = "c") -> Conversation:
    return conversations.open_(connection, NewConversation(platform, workspace, channel, "", "u1", "M", "q", "secret"))


# JSONL.


async def test_jsonl_has_a_turn_a_line_with_its_mission(database: SQLiteDatabase) -> None:
    identity = await database.write(talk)
    await database.write(turns.admit, message("2", "and\nnow?", channel="c"))
    await database.write(conversations.open_, opening("silent"))
    first, second = await lines_of(database)
    assert list(first)[:8] == [
        "conversation_id", "platform", "workspace", "channel", "thread", "owner", "agent", "title",
    ]  # fmt: skip
    assert list(first)[8:] == [
        "timestamp", "user_message", "agent_response", "llm_raw_response", "tool_calls", "turn",
    ]  # fmt: skip
    assert (first["conversation_id"], first["platform"], first["agent_response"]) == (identity, "discord", "HELLO")
    assert first["tool_calls"] == [{"tool": "decrypt", "parameters": {"shift": 1}, "result": "HELLO"}]
    assert (second["user_message"], second["turn"]["status"]) == ("and\nnow?", "queued")


async def test_a_line_of_jsonl_says_what_the_mission_log_says(database: SQLiteDatabase) -> None:
    await database.write(talk)
    (line,) = await lines_of(database)
    (mission,) = json.loads(await exported(database, "json"))["conversations"]
    assert {name: line[name] for name in mission["messages"][0]} == mission["messages"][0]


async def test_nothing_said_is_an_empty_file_of_lines(database: SQLiteDatabase) -> None:
    assert await exported(database, "jsonl") == ""


# Markdown.


def headings(markdown: str) -> list[str]:
    """The headings that a Markdown parser finds outside of quotes."""
    tokens = MarkdownIt().parse(markdown)
    return [tokens[n + 1].content for n, token in enumerate(tokens) if token.type == "heading_open" and not token.level]


async def test_a_transcript_tells_who_said_what_and_how(database: SQLiteDatabase) -> None:
    identity = await database.write(talk)
    text = await exported(database, "markdown")
    title, asked, answered = headings(text)
    assert title == "decrypt IFMMP"
    assert asked.endswith(" UTC, Moneypenny")
    assert answered == "quartermaster"
    assert f"- Mission: {identity} (active)" in text
    assert "\n> decrypt IFMMP\n" in text
    assert "\n> HELLO\n\n*qwen; used decrypt*\n" in text


@pytest.mark.parametrize(
    "said",
    [
        "```python\nprint('never closed')",
        "# a heading\n\nSetext\n======",
        "line\r# carriage return\r\n## both",
        "<!-- a comment that never ends",
        "<pre>\n\n# inside",
        "- a list\n\n  # in it",
        "> > quoted\n# deep",
        "[id]: http://example.org\n\n# after",
        "    code\n\n\n# after blank lines",
        "\u2028# separators\u0085# and more",
    ],
)
async def test_no_text_gets_out_of_its_quote(database: SQLiteDatabase, said: str) -> None:
    await database.write(talk, said, said)
    await database.write(talk, "next", "fine", channel="other")
    found = headings(await exported(database, "markdown"))
    assert len(found) == 6
    assert [found[2], *found[3:4], found[5]] == ["quartermaster", "next", "quartermaster"]


async def test_names_titles_and_files_are_escaped(database: SQLiteDatabase) -> None:
    bad = "*_[x](y)<b>`#"
    new = NewTurn("e", "u1", bad, "hi", opening("c", title=f"{bad}\n# no"), attachments=({"name": f"{bad}.txt"},))
    await database.write(turns.admit, new)
    text = await exported(database, "markdown")
    html = MarkdownIt().render(text)
    assert "<b>" not in html
    assert "<a " not in html
    assert html.count("*_[x](y)&lt;b&gt;`#") == 3
    assert html.count("<h1>") == 1


def test_escaping_makes_one_line() -> None:
    assert escaped(" a\n\tb\x00c ") == "a b c"


async def test_an_unanswered_message_says_how_it_is(database: SQLiteDatabase) -> None:
    await database.write(turns.admit, message("1", "anybody?"))
    assert "\n### quartermaster\n\n*(queued)*\n" in await exported(database, "markdown")


# All formats.


@pytest.mark.parametrize("format_", ["json", "jsonl", "markdown", "html", "csv"])
async def test_every_format_comes_in_pieces_of_bounded_size(database: SQLiteDatabase, format_: Format) -> None:
    def fill(connection: Connection) -> None:
        for n in range(150):
            turns.admit(connection, message(f"discord:{n}", f"no{n}. " + "x" * 50_000, channel=f"c{n % 2}"))

    await database.write(fill)
    pieces: list[bytearray] = []
    assert await export_pieces(database, None, pieces.append, format_) == ExportSummary(2, 150)
    assert max(map(len, pieces)) < 2_200_000
    text = b"".join(pieces).decode()
    assert [text.count(f"no{n}. xxx") for n in range(2, 150)] == [1] * 148  # the first ones are in the titles, too


@pytest.mark.parametrize("format_", ["json", "jsonl", "markdown", "html", "csv"])
async def test_a_file_has_the_format_asked_for(database: SQLiteDatabase, format_: Format, tmp_path: Path) -> None:
    await database.write(talk)
    await export_to_file(database, None, tmp_path / "out", format_)
    assert (tmp_path / "out").read_bytes().decode() == await exported(database, format_)


@pytest.mark.parametrize("format_", ["json", "jsonl", "markdown", "html", "csv"])
async def test_a_place_has_its_own_missions_and_no_others(database: SQLiteDatabase, format_: Format) -> None:
    def fill(connection: Connection) -> list[str]:
        ours = [talk(connection, f"ours {n}", channel=f"c{n}") for n in (0, 1)]
        for platform, workspace in (("discord", "other"), ("discord", ""), ("slack", "guild")):
            elsewhere(connection, platform, workspace)
        return [*ours, talk(connection, "ours 2", channel="c2")]

    ours = await database.write(fill)
    text = await exported(database, format_, Place("discord", "guild"))
    assert [text.find(one) for one in ours] == sorted(text.find(one) for one in ours)
    assert all(one in text for one in ours)
    assert "secret" not in text


async def test_a_place_is_as_narrow_as_it_says(database: SQLiteDatabase) -> None:
    await database.write(talk, "one", channel="c1")
    await database.write(talk, "two", channel="c2")
    assert len(await lines_of(database, Place("discord"))) == 2
    assert [line["user_message"] for line in await lines_of(database, Place(channel="c2"))] == ["two"]
    assert await lines_of(database, Place("discord", "guild", owner="nobody")) == []
    assert len(await lines_of(database, Place())) == 2
