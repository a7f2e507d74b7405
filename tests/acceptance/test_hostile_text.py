"""The Big List of Naughty Strings, through the core, the database, an export and an import."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.agent.agent import EMPTY_ANSWER
from bot.agent.roster import Profile, Roster
from bot.models.model import Capabilities, Request, ToolCall
from bot.platforms.platform import Attachment, Author, ConversationKey, Inbound
from gadgets.gadget import gadget
from storage.database import Connection
from storage.export import export_to_file
from storage.importing import import_json
from storage.sqlite import SQLiteDatabase
from tests.core import Core, running_core
from tests.fakes.scripted_model import FUNCTION_CALLING, Script, ScriptedModel
from tests.fakes.stub_platform import StubPlatform
from tests.hostile import CONTROLS, NUL, UNFIT, naughty_strings

JSON_PROTOCOL = Capabilities(context_length=8192)
REPEATER = Profile("repeater", "Repeats", "You repeat.", ("repeat",))
ROSTER = Roster({REPEATER.name: REPEATER}, REPEATER.name)


@gadget()
async def repeat(text: str) -> str:
    """Give a text back.

    Args:
        text: the text
    """
    return text


class Parrot:
    """A model that calls the gadget with a string and answers with it, in either protocol. Which one: the question's
    file tells its number.
    """

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = strings

    def __call__(self, request: Request) -> Script:
        (number,) = {n for message in request.messages for n in re.findall(r"\[number (\d+)\]", message.text)}
        text = self._strings[int(number)]
        if request.schema is not None:
            call = {"tool": "repeat", "parameters": {"text": text}}
            return [json.dumps([{"action": "use_tools", "tools": [call]}])]
        asked = request.tools and len(request.messages) == 2
        return [ToolCall("c1", "repeat", {"text": text})] if asked else [text]


@dataclass(frozen=True, slots=True)
class Stored:
    title: str
    owner: str
    message: str
    author: str
    answer: str
    raw: str
    attachment: str
    argument: str
    result: str


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def as_message(text: str) -> str:
    """The documented cleaning of what people write (bot.agent.guard)."""
    return CONTROLS.sub("", lines(text).replace(NUL, "\ufffd"))


def as_answer(text: str) -> str:
    return CONTROLS.sub("", text.replace(NUL, "\ufffd")).strip() or EMPTY_ANSWER


def as_result(text: str) -> str:
    return UNFIT.sub("", text.replace("\r\n", "\n"))


def asked(number: int, text: str) -> Inbound:
    key = ConversationKey("stub", "w", "c", f"t{number}")
    file = Attachment(text, "text/plain", 9, f"[number {number}]")
    return Inbound(key, Author("u1", text), text, f"stub:{number}", (file,), shared=True, title=text)


def stored(connection: Connection) -> list[Stored]:
    rows = connection.execute(
        """SELECT title, owner_name, user_message, author_name, agent_response, llm_raw_response, attachments, body
           FROM turns JOIN conversations ON conversations.number = turns.conversation
           JOIN steps ON steps.turn = turns.id AND steps.kind = 'result' ORDER BY turns.id"""
    ).fetchall()
    return [_stored(*row) for row in rows]


def _stored(*row: str) -> Stored:
    *texts, attachments, body = row
    call = json.loads(body)
    fields = [*texts, json.loads(attachments)[0]["name"], call["parameters"]["text"], call["result"]]
    return Stored(*fields)


def wrong(text: str, found: Stored, posted: str) -> Iterator[str]:
    """What was not stored as it was sent, or as the documented cleaning leaves it."""
    if found.message != as_message(text):
        yield f"message {found.message!r}"
    if found.title not in as_message(text) or found.title.splitlines() not in ([found.title], []):
        yield f"title {found.title!r}"
    if found.author != found.owner or not is_a_name(found.author):
        yield f"name {found.author!r}"
    if found.attachment != text:
        yield f"attachment {found.attachment!r}"
    if found.argument != text or found.result != as_result(text):
        yield f"gadget {found.argument!r} → {found.result!r}"
    if not found.raw.endswith(text) or posted != found.answer or found.answer != as_answer(text):
        yield f"answer {found.answer!r}, shown {posted!r}"


def is_a_name(name: str) -> bool:
    return bool(name.strip()) and len(name) <= 80 and len(name.splitlines()) == 1 and not UNFIT.search(name)


@pytest.mark.parametrize("capabilities", [FUNCTION_CALLING, JSON_PROTOCOL], ids=["native", "json"])
async def test_strings_go_through_a_turn_and_come_back_as_they_were(tmp_path: Path, capabilities: Capabilities) -> None:
    """As message, name, title, file name, gadget argument, gadget result and answer; each is answered once."""
    strings = naughty_strings()
    model = ScriptedModel(answer=Parrot(strings), capabilities=capabilities)
    async with running_core(tmp_path / "db", model, gadgets=[repeat], roster=ROSTER) as core:
        turns = [(await core.inbox.admit(asked(number, text))).turn for number, text in enumerate(strings)]
        await core.platform.wait_for(len(strings))
        found = await core.database.read(stored)
        posted = {each.turn: each.text for each in core.platform.channel.messages.values()}
        assert [final.outcome for _, final in core.platform.channel.finals] == ["answered"] * len(strings)
        assert len(core.platform.channel.messages) == len(strings)
        triples = zip(strings, found, turns, strict=True)
        problems = {text: list(wrong(text, each, posted[turn])) for text, each, turn in triples}
        assert {text: each for text, each in problems.items() if each} == {}
        assert told(model.requests) == {f"{each.author}: {each.message}" for each in found}
        await comes_back(core, tmp_path)


def told(requests: Sequence[Request]) -> set[str]:
    """What the model read as somebody's words."""
    questions = [request.messages[1].text for request in requests if request.schema is None]
    return {text.partition("\n\n[Attached file ")[0] for text in questions}


async def comes_back(core: Core[StubPlatform], folder: Path) -> None:
    """An export can be read as what it is, and its import is the same again."""
    for format_ in ("jsonl", "markdown", "json"):
        await export_to_file(core.database, None, folder / format_, format_)
    assert all(json.loads(line) for line in (folder / "jsonl").read_text("utf-8").split("\n") if line)
    assert CONTROLS.search((folder / "markdown").read_text("utf-8")) is None
    async with SQLiteDatabase(str(folder / "other")) as other:
        await import_json(other, folder / "json")
        assert await other.read(stored) == await core.database.read(stored)
        await export_to_file(other, None, folder / "again", "json")
    assert (folder / "again").read_bytes() == (folder / "json").read_bytes()
