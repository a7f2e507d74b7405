"""`/mission forget` in a real core: what is answered, what is stopped, what is left."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.agent.roster import Roster
from bot.command_rights import Rights
from bot.commands import CommandAnswer, Commands, Invocation
from bot.errors import NotAllowed, UserError
from bot.forgetting import Forgetting
from bot.platforms.platform import Author, ConversationKey
from bot.recollection import Bounds, fold, retell
from storage import audit, conversations, notes, summaries
from storage.database import Connection
from storage.pruning_file import list_file, read_list
from tests.core import BOSS, PLAIN, PROFILE, Core, running_core
from tests.fakes.scripted_model import ScriptedModel
from tests.fakes.stub_platform import StubPlatform, message
from tests.forgotten import traces
from tests.missions import NAMED_ADMIN, OTHER, OWNER, ROLE_ADMIN, Missions, at, missions
from tests.storage_builders import count
from tests.waiting import until

CANARY = "canary-4711"
HERE = ConversationKey("stub", "w", "c", "t")
ALICE = Author("alice", "Alice")


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Missions]:
    async with missions(tmp_path) as opened:
        yield opened


async def forget(core: Missions, author: Author = OWNER, **arguments: str) -> CommandAnswer:
    return await core.run("forget", at("elsewhere", workspace="w2"), author, **arguments)


# What is said.


async def test_first_it_is_told_what_is_there_and_nothing_happens(core: Missions) -> None:
    await core.begin(at(), "one", "two", open_turn=True)
    await core.begin(at("c2"), "of another", owner=OTHER)
    await core.database.write(notes.add, f"stub:{OWNER.id}", "a note", limit=9)
    before = await core.rows()
    answer = await forget(core)
    assert answer.text.startswith("Of yours I have 1 mission, 3 messages with their answers and 1 note.\n")
    assert "`/mission forget yes` erases it, which cannot be undone" in answer.text
    assert answer.confirm == {"action": "yes"}
    assert await core.rows() == before


async def test_of_whom_there_is_nothing_nothing_is_asked(core: Missions) -> None:
    answer = await forget(core)
    assert (answer.text, answer.confirm) == ("I have nothing of yours.", None)


async def test_a_receipt_tells_when_and_how_much_and_nothing_of_it(core: Missions) -> None:
    mine = await core.begin(at(), CANARY, "two")
    theirs = await core.begin(at("c2"), "of another", owner=OTHER)
    text = (await forget(core, action="yes")).text
    assert text.startswith("Forgotten. Receipt `")
    assert "UTC, of yours: 1 mission and 2 messages with their answers." in text
    assert CANARY not in text
    assert mine.id not in text
    assert await core.database.read(count, "conversations") == 1
    assert (await core.now(theirs)).title == "of another"
    assert (await forget(core)).text == "I have nothing of yours."


@pytest.mark.parametrize("word", ["confirm:yes", "YES", "Confirm:Yes"])
async def test_yes_can_be_said_in_several_ways(core: Missions, word: str) -> None:
    await core.begin(at(), "one")
    await forget(core, action=word)
    assert await core.database.read(count, "turns") == 0


@pytest.mark.parametrize("arguments", [{"action": "no"}, {"action": "yes", "user": "a b"}, {"action": "u1"}])
async def test_what_is_not_understood_erases_nothing(core: Missions, arguments: dict[str, str]) -> None:
    await core.begin(at(), "one")
    with pytest.raises(UserError, match="then `yes` or `export`"):
        await forget(core, NAMED_ADMIN, **arguments)
    assert await core.database.read(count, "turns") == 1


# For somebody else.


@pytest.mark.parametrize("user", ["u1", "user:u1", "<@u1>", "<@!u1>", "<@u1|alice>"])
async def test_an_admin_whom_the_settings_name_forgets_others(core: Missions, user: str) -> None:
    await core.begin(at(), "one")
    answer = await forget(core, NAMED_ADMIN, user=user)
    assert answer.confirm == {"action": "yes", "user": "u1"}
    assert "Of `u1` I have 1 mission" in answer.text
    done = await forget(core, NAMED_ADMIN, action="yes", user=user)
    assert await core.database.read(count, "turns") == 0
    (act, *_) = await core.database.read(audit.recent, limit=9)
    assert (act.act.actor.id, act.act.act) == (f"stub:{NAMED_ADMIN.id}", "forget")
    assert act.act.target in done.text
    assert act.act.target.startswith("forgotten:")


async def test_the_id_alone_is_understood_behind_user(core: Missions) -> None:
    await core.begin(at(), "one")
    assert "Of `u1` I have" in (await forget(core, NAMED_ADMIN, action="user:u1")).text


@pytest.mark.parametrize("author", [OTHER, ROLE_ADMIN], ids=str)
@pytest.mark.parametrize("action", ["", "yes", "export"])
async def test_nobody_else_may(core: Missions, author: Author, action: str) -> None:
    await core.begin(at(), "one")
    before = await core.rows()
    with pytest.raises(NotAllowed, match="Only admins whom the settings name"):
        await core.run("forget", at(), author, user="u1", **({"action": action} if action else {}))
    assert await core.rows() == before


async def test_who_names_themselves_needs_no_right(core: Missions) -> None:
    await core.begin(at(), "one")
    assert "Of yours" in (await forget(core, OWNER, user=OWNER.id)).text


# As a file.


async def test_they_get_all_of_theirs_as_a_file_and_nothing_of_others(core: Missions) -> None:
    await core.begin(at(), *(f"message {n}" for n in range(60)))
    await core.begin(at("c2"), "of another", owner=OTHER)
    await core.database.write(notes.add, f"stub:{OWNER.id}", "a note", limit=9)
    answer = await forget(core, action="export")
    assert answer.file is not None
    async with answer.file as file:
        told = json.loads(file.path.read_bytes())
    assert (told["person"], [note["text"] for note in told["notes"]]) == (f"stub:{OWNER.id}", ["a note"])
    assert [(each["message"], each["answer"]) for each in told["messages"]] == [
        (f"message {n}", f"re: message {n}") for n in range(60)
    ]
    assert await core.database.read(count, "turns") == 61


async def test_where_no_files_can_be_sent_they_are_told_who_can(core: Missions) -> None:
    with pytest.raises(UserError, match=r"`secret-agents forget stub:u1 --export FILE`"):
        await core.commands.run(Invocation("forget", {"action": "export"}, at(), OWNER))


# While answers are made.


async def ask(core: Core[StubPlatform], text: str, number: int, *, author: str = "alice", thread: str = "t") -> int:
    inbound = message(text, number, thread=thread)
    said = replace(inbound, author=Author(author, author.title()), shared=True)
    return (await core.inbox.admit(said)).turn


def commands_of(core: Core[StubPlatform], file: Path, memory: list[str] | None = None) -> Commands:
    kept = memory if memory is not None else []
    roster = Roster({PROFILE.name: PROFILE, PLAIN.name: PLAIN}, PROFILE.name)
    forgetting = Forgetting(core.database, core.engine, file=file, memory=kept.append)
    rights = Rights({"stub": frozenset({BOSS})})
    return Commands(core.database, core.engine, roster, rights, forgetting=forgetting)


async def test_a_running_answer_stops_and_others_behind_it_are_answered(tmp_path: Path) -> None:
    gate, path = asyncio.Event(), tmp_path / "db"
    model = ScriptedModel(["I was saying ", gate, CANARY], ["For Bob."])
    async with running_core(path, model) as core:
        first = await ask(core, f"{CANARY} one", 1)
        await until(lambda: "I was saying" in "".join(core.platform.channel.answers()))
        await ask(core, f"{CANARY} two", 2)
        await ask(core, "three", 3, author="bob")
        memory: list[str] = []
        answer = await commands_of(core, path, memory).run(Invocation("forget", {"action": "yes"}, HERE, ALICE))
        assert "1 part in a mission with others and 2 messages with their answers." in answer.text
        assert "traces" not in answer.text
        await until(lambda: "For Bob." in core.platform.channel.answers())
        await until(lambda: core.engine.idle)
        assert core.platform.channel.finals[0][0] == first
        assert (memory, gate.is_set()) == (["stub:alice"], False)
        assert await core.database.read(count, "turns") == 1
    assert (traces(path, CANARY), traces(path, "alice"), traces(path, "Alice")) == (0, 0, 0)
    assert traces(path, "For Bob.") > 0


async def test_an_event_that_is_repeated_afterwards_is_not_answered(tmp_path: Path) -> None:
    path = tmp_path / "db"
    async with running_core(path, ScriptedModel(answer=lambda _: ["Hello."])) as core:
        await ask(core, "one", 1)
        await core.platform.wait_for(1)
        await commands_of(core, path).run(Invocation("forget", {"action": "yes"}, HERE, ALICE))
        again = await core.inbox.admit(replace(message("one", 1, thread="t"), author=ALICE))
        assert again.duplicate
        assert await core.database.read(count, "turns") == 0
        await ask(core, "two", 2)
        await core.platform.wait_for(2)
        assert core.platform.channel.answers() == ["Hello.", "Hello."]
        assert len(read_list(list_file(path)).events) == 1


async def test_a_story_that_was_begun_before_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "db"
    async with running_core(path, ScriptedModel(answer=lambda _: ["Hello."])) as core:
        for number, author in ((1, "alice"), (2, "bob"), (3, "alice"), (4, "bob")):
            await ask(core, f"{number}", number, author=author)
            await core.platform.wait_for(number)
        number = await core.database.read(only_number)
        done = await core.database.write(fold, number, bounds())
        assert done is not None
        await commands_of(core, path).run(Invocation("forget", {"action": "yes"}, HERE, ALICE))
        await core.database.write(retell, number, f"Alice said {CANARY}.", done.forgotten)
        assert await core.database.read(summaries.read, number) == ""
        anew = await core.database.write(fold, number, bounds())
        assert anew is not None
        assert [each.user_message for each in anew.exchanges] == ["2", "4"]
        await core.database.write(retell, number, "Bob spoke.", anew.forgotten)
        assert (await core.database.read(summaries.read, number)).startswith("Bob spoke.")


def bounds() -> Bounds:
    return Bounds(turns=0, tokens=0)


def only_number(connection: Connection) -> int:
    (found,) = conversations.recent(connection, conversations.Place(), limit=9)
    return found.number
