"""What the /mission commands do, over a real database and engine."""

import asyncio
import gc
import gzip
import json
import re
import stat
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.command_specs import COMMANDS, FORMATS, Argument
from bot.commands import CommandAnswer, Invocation
from bot.errors import NotAllowed, UnknownAgent, UserError
from storage.conversations import Conversation
from storage.database import Connection
from tests.fakes.disks import tiny_disk
from tests.missions import NAMED_ADMIN, OTHER, OWNER, ROLE_ADMIN, Missions, at, missions
from tests.storage_builders import hold
from tests.waiting import until


@pytest.fixture
async def core(tmp_path: Path) -> AsyncIterator[Missions]:
    async with missions(tmp_path) as opened:
        yield opened


def argument(command: str, name: str) -> Argument:
    (spec,) = [spec for spec in COMMANDS if spec.name == command]
    (found,) = [each for each in spec.arguments if each.name == name]
    return found


async def test_every_declared_command_is_carried_out(core: Missions) -> None:
    for spec in COMMANDS:
        await core.begin(at("c", spec.name), "hello")
        answer = await core.run(spec.name, at("c", spec.name), NAMED_ADMIN)
        assert answer.text
        if answer.file is not None:
            answer.file.close()


async def test_what_is_no_command_is_told_those_there_are(core: Missions) -> None:
    with pytest.raises(UserError, match="`/mission export`"):
        await core.run("dance", at())


async def test_an_unknown_agent_is_told_the_known_ones(core: Missions) -> None:
    with pytest.raises(UnknownAgent, match=r"no agent called 'moneypenny'.* quartermaster, plain"):
        await core.run("new", at(), agent="moneypenny")


# Paging.


async def test_a_short_list_is_one_page(core: Missions) -> None:
    begun = [await core.begin(at("c", f"t{n}"), f"mission {n}") for n in range(3)]
    answer = await core.run("list", at())
    assert [each.id for each in answer.conversations] == [each.id for each in reversed(begun)]
    assert answer.text.splitlines() == [
        "Your latest missions:",
        *(f"- `{c.id}` active, plain, {c.last_updated[:16]}: {c.title}" for c in answer.conversations),
    ]
    assert answer.older is None


async def test_a_long_list_pages_through_every_mission_once(core: Missions) -> None:
    begun = [(await core.begin(at("c", f"t{n}"), f"mission {n}")).id for n in range(21)]
    seen: list[str] = []
    pages = [await core.run("list", at())]
    while (older := pages[-1].older) is not None:
        assert f"`/mission list {older}`" in pages[-1].text
        pages.append(await core.run("list", at(), before=str(older)))
    seen = [each.id for page in pages for each in page.conversations]
    assert [len(page.conversations) for page in pages] == [10, 10, 1]
    assert seen == begun[::-1]


async def test_an_empty_list_says_what_to_do(core: Missions) -> None:
    assert "one begins" in (await core.run("list", at())).text
    assert (await core.run("list", at(), before="1")).text == "You have no older missions."


async def test_show_pages_through_every_message_once(core: Missions) -> None:
    mission = await core.begin(at(), *(f"question {n}." for n in range(23)))
    pages = [await core.run("show", at())]
    while (older := pages[-1].older) is not None:
        assert f"`/mission show {mission.id} {older}`" in pages[-1].text
        pages.append(await core.run("show", at(), id=mission.id, before=str(older)))
    told = "\n".join(page.text for page in reversed(pages))
    assert [page.text.count("re: question") for page in pages] == [10, 10, 3]
    assert [told.index(f" question {n}.") for n in range(23)] == sorted(
        told.index(f" question {n}.") for n in range(23)
    )


async def test_long_messages_make_shorter_pages_of_at_least_one(core: Missions) -> None:
    await core.begin(at(), "short", *(letter * 5_000 for letter in "abc"))
    newest = await core.run("show", at())
    assert ("a" * 5_000 in newest.text, "c" * 5_000 in newest.text) == (False, True)
    assert len(newest.text) < 13_000
    assert newest.older is not None
    rest = await core.run("show", at(), before=str(newest.older))
    assert "b" * 5_000 in rest.text


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "²", "9" * 30])
async def test_what_is_no_place_in_a_list_is_refused(core: Missions, before: str) -> None:
    await core.begin(at(), "hello")
    for command in ("list", "show"):
        with pytest.raises(UserError, match="where that is"):
            await core.run(command, at(), before=before)


# Which mission is meant.


async def test_without_an_id_the_active_mission_of_the_place_is_meant(core: Missions) -> None:
    await core.begin(at("c", "t2"), "later elsewhere")
    here = await core.begin(at("c", "t1"), "here")
    await core.begin(at("c", "t3"), "latest elsewhere")
    answer = await core.run("end", at("c", "t1"))
    assert (answer.text, answer.conversation) == (f"Mission `{here.id}` ended.", here)


@pytest.mark.parametrize("thread", ["", "without a mission"])
async def test_where_the_place_has_none_the_askers_latest_of_the_channel_is_meant_and_named(
    core: Missions, thread: str
) -> None:
    await core.begin(at("c", "t1"), "mine, before")
    mine = await core.begin(at("c", "t2"), "find the mole", open_turn=True)
    await core.begin(at("c", "t3"), "of another", owner=OTHER)
    await core.begin(at("c2", "t4"), "in another channel")
    await core.begin(at("c", "t5", workspace="w2"), "in another workspace")
    name = f"`{mine.id}` (find the mole)"
    key = at("c", thread)
    assert (await core.run("stop", key)).text == f"Stopping in mission {name}."
    assert "find the mole" in (await core.run("show", key)).text
    assert (await core.run("end", key)).text == f"Mission {name} ended."
    assert (await core.now(mine)).status == "completed"


@pytest.mark.parametrize("command", ["show", "end", "stop"])
async def test_nothing_active_is_a_sentence(core: Missions, command: str) -> None:
    mission = await core.begin(at("c", "t1"), "done")
    await core.commands.end(mission, at("c", "t1"), OWNER)
    with pytest.raises(UserError, match="no active mission here"):
        await core.run(command, at("c", "t1"))


async def test_ending_somebody_elses_mission_is_refused_though_one_has_an_own(core: Missions) -> None:
    """The mission of the place is meant, not another one that could be ended."""
    own = await core.begin(at("c", "t2"), "own", owner=OTHER)
    theirs = await core.begin(at("c", "t1"), "theirs")
    with pytest.raises(NotAllowed, match="not your mission"):
        await core.run("end", at("c", "t1"), OTHER)
    assert [(await core.now(each)).status for each in (own, theirs)] == ["active", "active"]


async def test_endable_tells_what_end_would_end_and_ends_nothing(core: Missions) -> None:
    mission = await core.begin(at("c", "t1"), "mine")
    for key, arguments in ((at("c", "t1"), {}), (at("c"), {}), (at("c2"), {"id": mission.id[:5]})):
        assert await core.commands.endable(Invocation("end", arguments, key, OWNER)) == mission
    with pytest.raises(NotAllowed):
        await core.commands.endable(Invocation("end", {}, at("c", "t1"), OTHER))
    assert (await core.now(mission)).status == "active"


async def test_a_prefix_means_the_one_mission_that_the_asker_may_see(core: Missions) -> None:
    """Missions of other workspaces do not make a prefix ambiguous."""
    here, there = await core.begin(at(), "here"), await core.begin(at(workspace="w2"), "there")

    def rename(connection: object, number: int, identity: str) -> None:
        connection.execute("UPDATE conversations SET id = :id WHERE number = :n", {"id": identity, "n": number})  # type: ignore[attr-defined]

    await core.database.write(rename, here.number, "abcdefghjk")
    await core.database.write(rename, there.number, "abcdxxxxxx")
    assert (await core.commands.find("ABCD", at(), OWNER)).number == here.number
    await core.database.write(rename, (await core.begin(at("c2"), "more")).number, "abcdyyyyyy")
    with pytest.raises(UserError, match="no such mission"):
        await core.commands.find("abcd", at(), OWNER)


# Completion.


async def completed(core: Missions, typed: str, author: str = "owner", name: str = "show") -> list[str]:
    who = {"owner": OWNER, "other": OTHER, "admin": ROLE_ADMIN}[author]
    return [value for _, value in await core.commands.complete(argument(name, "id"), typed, at(), who)]


async def test_missions_are_offered_by_id_title_and_status(core: Missions) -> None:
    first = await core.begin(at("c2"), "Find  the\nmole")
    second = await core.begin(at("c3"), "Weather in Paris")
    assert await core.commands.complete(argument("show", "id"), "", at(), OWNER) == [
        (f"{second.id} · Weather in Paris · active", second.id),
        (f"{first.id} · Find the mole · active", first.id),
    ]
    assert await completed(core, "PARIS") == [second.id]
    assert await completed(core, f" {first.id[:3]} ") == [first.id]
    assert await completed(core, "nothing like it") == []


async def test_offers_are_few_and_short(core: Missions) -> None:
    for n in range(30):
        await core.begin(at("c", f"t{n}"), f"{n} " + "e\u0301" * 39)
    offers = await core.commands.complete(argument("show", "id"), "", at(), OWNER)
    assert len(offers) == 25
    assert all(len(label) <= 100 and label.endswith(" · active") for label, _ in offers)


async def test_others_missions_are_offered_where_they_are_and_to_admins_of_the_channel(core: Missions) -> None:
    here, thread = await core.begin(at(), "here"), await core.begin(at(thread="t"), "in a thread")
    elsewhere = await core.begin(at("c2"), "elsewhere")
    assert await completed(core, "", "other") == [here.id]
    assert await completed(core, "", "admin") == [thread.id, here.id]
    assert await completed(core, elsewhere.id[:6], "admin") == [elsewhere.id]
    assert await completed(core, elsewhere.id[:6], "other") == []


async def test_agents_and_choices_are_offered(core: Missions) -> None:
    agents = await core.commands.complete(argument("new", "agent"), "PLA", at(), OWNER)
    assert agents == [("plain · Uses nothing", "plain")]
    formats = await core.commands.complete(argument("export", "format"), "json", at(), OWNER)
    assert [value for _, value in formats] == ["json", "jsonl"]
    assert (await completed(core, "al", "admin", "export"))[0] == "all"


# Export.


def content(answer: CommandAnswer) -> bytes:
    assert answer.file is not None
    return answer.file.path.read_bytes()


async def test_an_export_is_a_private_file_that_goes_when_it_was_sent(core: Missions) -> None:
    mission = await core.begin(at(), "hello")
    answer = await core.run("export", at(), NAMED_ADMIN)
    assert answer.text == f"Mission `{mission.id}`: 1 mission with 1 message."
    assert answer.conversation == mission
    assert answer.file is not None
    async with answer.file as file:
        assert file.name == f"mission-{mission.id}.json"
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700
        assert json.loads(file.path.read_bytes())["conversations"][0]["conversation_id"] == mission.id
    assert not file.path.exists()


@pytest.mark.parametrize(
    ("arguments", "name", "begins"),
    [
        ({"id": "all"}, "missions.json", b'{"version":2,'),
        ({"id": "ALL", "format": "JSONL"}, "missions.jsonl", b'{"conversation_id":'),
        ({"id": "all", "format": "md"}, "missions.md", b"# "),
        ({"id": "markdown"}, "mission-{}.md", b"# "),
        ({"format": "jsonl"}, "mission-{}.jsonl", b'{"conversation_id":'),
        ({"id": "HTML"}, "mission-{}.html", b"<!DOCTYPE html>"),
        ({"id": "all", "format": "htm"}, "missions.html", b"<!DOCTYPE html>"),
        ({"id": "all", "format": "csv"}, "missions.csv", b"\xef\xbb\xbfconversation_id,"),
        ({"id": "finetune"}, "mission-{}.finetune.jsonl", b'{"messages":[{"role":"user",'),
    ],
)
async def test_the_format_asked_for_is_sent(
    core: Missions, arguments: dict[str, str], name: str, begins: bytes
) -> None:
    await core.begin(at("c2"), "older")
    mission = await core.begin(at(), "hello")
    answer = await core.run("export", at(), NAMED_ADMIN, **arguments)
    assert answer.file is not None
    assert answer.file.name == name.format(mission.id)
    assert content(answer).startswith(begins)
    answer.file.close()


@pytest.mark.parametrize(
    "identity",
    [
        "../../etc/passwd",
        "..",
        "/etc/passwd",
        "a\\..\\b",
        "C:\\x",
        "\x00",
        "a\nb",
        ".bashrc",
        "~root",
        "\u2215\uff0f",
        "x" * 300,
    ],
)
async def test_no_name_of_a_file_leads_anywhere(core: Missions, identity: str) -> None:
    """Ids can be anything in a log that was imported."""
    mission = await core.begin(at(), identity)
    await core.database.write(rename, mission.number, identity)
    mission = await core.now(mission)
    exported = await core.commands.export(mission, "html", at(), NAMED_ADMIN)
    assert re.fullmatch(r"mission-[A-Za-z0-9_-]{1,40}\.html", exported.file.name)
    assert exported.file.path.parent.parent == core.files
    exported.file.close()


def rename(connection: Connection, number: int, identity: str) -> None:
    connection.execute("UPDATE conversations SET id = :id WHERE number = :number", {"id": identity, "number": number})


async def test_the_help_tells_admins_the_formats(core: Missions) -> None:
    told = (await core.run("help", at(), NAMED_ADMIN)).text
    assert "file: json, jsonl, markdown, html, csv or finetune" in told


async def test_an_unknown_format_is_told_the_known_ones(core: Missions) -> None:
    with pytest.raises(UserError, match="json, jsonl, markdown, html, csv, finetune"):
        await core.run("export", at(), NAMED_ADMIN, id="all", format="xml")


@pytest.mark.parametrize("format_", FORMATS)
async def test_nothing_to_export_is_a_sentence_and_no_file(core: Missions, format_: str) -> None:
    with pytest.raises(UserError, match="nothing to export"):
        await core.run("export", at(), NAMED_ADMIN, id="all", format=format_)
    assert [file.name for folder in core.files.iterdir() for file in folder.iterdir()] == [".lock"]


async def test_where_no_file_can_be_sent_none_is_written(core: Missions) -> None:
    with pytest.raises(UserError, match=r"cannot send files here\. `secret-agents export`"):
        await core.commands.run(Invocation("export", {"id": "all"}, at(), NAMED_ADMIN))
    assert list(core.files.iterdir()) == []


async def test_a_large_export_is_compressed(tmp_path: Path) -> None:
    async with missions(tmp_path, file_bytes=20_000) as core:
        for n in range(30):
            await core.begin(at("c", f"t{n}"), f"mission {n} " + "x" * 4_000)
        answer = await core.run("export", at(), NAMED_ADMIN, id="all")
        assert answer.file is not None
        assert answer.text == "All missions here: 30 missions with 30 messages, compressed with gzip."
        async with answer.file as file:
            assert file.name == "missions.json.gz"
            assert file.path.stat().st_size <= 20_000
            assert len(json.loads(gzip.decompress(file.path.read_bytes()))["conversations"]) == 30


async def test_what_stays_too_large_names_the_command_that_has_no_limit(tmp_path: Path) -> None:
    async with missions(tmp_path, file_bytes=300) as core:
        mission: Conversation = await core.begin(at(), "hello " * 100)
        for wanted in ("all", mission.id):
            with pytest.raises(UserError, match=f"too large .* `secret-agents export {wanted} FILE`"):
                await core.run("export", at(), NAMED_ADMIN, id=wanted)
        assert [file.name for folder in core.files.iterdir() for file in folder.iterdir()] == [".lock"]


async def test_an_export_that_is_cancelled_leaves_nothing_and_lets_the_next_one_in(core: Missions) -> None:
    await core.begin(at(), "hello")
    started, go_on = threading.Event(), threading.Event()
    reading = asyncio.create_task(core.database.read(hold, started, go_on))
    exporting = asyncio.create_task(core.run("export", at(), NAMED_ADMIN, id="all"))
    await until(lambda: any(path.is_file() and path.name != ".lock" for path in core.files.glob("*/*")))
    exporting.cancel()
    go_on.set()
    await reading
    with pytest.raises(asyncio.CancelledError):
        await exporting
    assert [path.name for path in core.files.glob("*/*")] == [".lock"]
    (await core.commands.export(None, "json", at(), NAMED_ADMIN)).file.close()


async def test_exports_at_once_have_files_of_their_own(core: Missions) -> None:
    await core.begin(at(), "hello")
    answers = await asyncio.gather(*(core.run("export", at(), NAMED_ADMIN, id="all") for _ in range(5)))
    files = [answer.file for answer in answers if answer.file is not None]
    assert len({file.path for file in files}) == 5
    assert len({file.path.read_bytes() for file in files}) == 1


async def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    with tiny_disk(tmp_path / "files", "size=64k"):
        async with missions(tmp_path) as core:
            await core.begin(at(), "x" * 200_000)
            with pytest.raises(UserError, match="cannot write the file: No space left on device"):
                await core.run("export", at(), NAMED_ADMIN)
        del core
        gc.collect()  # with the folder goes its lock, which would keep the disk mounted
