"""The buttons below a question whether a gadget may run, in the fake Discord."""

import asyncio
from pathlib import Path
from typing import Any

from bot.models.model import ToolCall
from storage.database import Connection
from tests.core import launch
from tests.discord_scene import Scene, bot_on, scene, stage
from tests.fakes.discord import Channel, Message
from tests.fakes.discord.drafts import Draft
from tests.fakes.scripted_model import Script, ScriptedModel
from tests.waiting import until_found

CALL = ToolCall("c1", "launch", {"target": "moon"})
ARMED: dict[str, Any] = {"gadgets": [launch]}
BUTTONS = ["approval:1:approve", "approval:1:decline", "turn:1:stop"]


def armed(*scripts: Script) -> ScriptedModel:
    return ScriptedModel([CALL], *scripts)


async def asked(at: Scene, channel: Channel | None = None) -> Message:
    """Alice says something that leads to a question; the question."""
    place = channel or await at.thread_of(at.ask("go"))
    await at.discord.wait_for(lambda: any("launch" in each.content for each in at.discord.messages(place)))
    message = at.discord.messages(place, by=at.discord.bot)[-1]
    await until_found(lambda: verdicts(at), lambda found: found)
    return message


async def verdicts(at: Scene) -> list[str | None]:
    return await at.bot.core.database.read(_verdicts)


def _verdicts(connection: Connection) -> list[str | None]:
    found = connection.execute("SELECT verdict FROM approvals WHERE remote_id IS NOT NULL").fetchall()
    return [verdict for (verdict,) in found]


async def test_the_buttons_are_there_until_the_answer_goes_on(tmp_path: Path) -> None:
    go_on = asyncio.Event()
    async with scene(tmp_path, armed([go_on, "Launched."]), **ARMED) as at:
        message = await asked(at)
        assert list(message.buttons) == BUTTONS
        await at.press(at.alice, message, "approve").acknowledged()
        await at.discord.wait_for(lambda: list(message.buttons) == ["turn:1:stop"])
        assert "May I" not in message.content
        go_on.set()
        answer = await at.answer(message.channel)
        assert (answer.id, answer.content) == (message.id, "Launched.")
        assert len(at.discord.messages(message.channel, by=at.discord.bot)) == 1


async def test_who_decides_is_told_in_private(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(["Not launched."]), **ARMED) as at:
        message = await asked(at)
        told = await at.press(at.alice, message, "decline").followup()
        assert (told.content, told.ephemeral) == ("Declined: I go on without `launch`.", True)
        assert (await at.answer(message.channel)).content == "Not launched."


async def test_others_are_refused_in_private_and_nothing_happens(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(), **ARMED) as at:
        message = await asked(at)
        for what in ("approve", "decline"):
            told = await at.press(at.bob, message, what).followup()
            assert (told.content, told.ephemeral) == ("Only who asked, or an admin, may decide this.", True)
        assert await verdicts(at) == [None]
        assert list(message.buttons) == BUTTONS


async def test_who_is_denied_decides_nothing_not_even_their_own(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path, armed(), **ARMED) as at:
            message = await asked(at)
        async with bot_on(set_, tmp_path, deny_users=[str(set_.alice.id)], **ARMED) as at:
            told = await at.press(at.alice, message, "approve").followup()
            assert (told.content, told.ephemeral) == ("You may not use me here.", True)
            assert await verdicts(at) == [None]


async def test_the_buttons_work_after_a_restart_and_once(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path, armed(), **ARMED) as at:
            message = await asked(at)
            await at.bot.kill()
        async with bot_on(set_, tmp_path, ScriptedModel(["Launched."]), **ARMED) as at:
            clicks = [at.press(at.alice, message, what) for what in ("approve", "decline", "approve")]
            told = [(await click.followup()).content for click in clicks]
            assert sorted(text.split()[-1] for text in told) in (
                ["`launch`.", "already.", "already."],
                ["already.", "already.", "`launch`."],
            )
            await at.answer(message.channel)
            assert len(await verdicts(at)) == 1


async def test_a_repeated_click_is_one(tmp_path: Path) -> None:
    second = ToolCall("c2", "launch", {"target": "mars"})
    async with scene(tmp_path, ScriptedModel([CALL, second], ["Launched."]), **ARMED) as at:
        message = await asked(at)
        click = at.press(at.alice, message, "approve")
        await at.discord.wait_for(lambda: "mars" in message.content)
        at.discord.tell_interaction(click)
        told = await at.press(at.alice, message, "decline").followup()
        assert told.content == "Declined: I go on without `launch`."
        await at.answer(message.channel)
        assert await verdicts(at) == ["approved", "declined"]


async def test_the_same_buttons_in_another_server_decide_nothing(tmp_path: Path) -> None:
    async with stage() as set_:
        other = set_.discord.make_guild("Elsewhere")
        set_.discord.join(other, set_.alice)
        lobby = set_.discord.make_text_channel(other, "lobby")
        async with bot_on(set_, tmp_path, armed(), **ARMED) as at:
            message = await asked(at)
            copied: list[dict[str, Any]] = message.components
            draft = Draft("copied", components=copied, flags=message.flags)
            copy = at.discord.changes.post(lobby, at.discord.bot, draft)
            told = await at.press(at.alice, copy, "approve").followup()
            assert (told.content, told.ephemeral) == ("I know no such question.", True)
            assert await verdicts(at) == [None]


async def test_the_command_decides_what_waits_in_the_thread(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(["Launched."]), **ARMED) as at:
        message = await asked(at)
        shown = await at.mission(at.alice, message.channel, "show")
        assert "/mission approve" in shown.content
        assert '"moon"' in shown.content
        told = await at.mission(at.alice, message.channel, "approve")
        assert (told.content, told.ephemeral) == ("Approved: I use `launch`.", True)
        assert (await at.answer(message.channel)).content == "Launched."


async def test_from_the_channel_the_command_says_which_mission_it_decided(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(["Launched."]), **ARMED) as at:
        message = await asked(at)
        told = await at.mission(at.alice, at.general, "approve")
        assert told.content.startswith("Approved: I use `launch` in mission `")
        await at.answer(message.channel)


async def test_what_nobody_decides_is_answered_without(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(["Without."]), **ARMED) as at:
        message = await asked(at)
        await at.bot.core.database.write(_expire)
        told = await at.press(at.alice, message, "approve").followup()
        assert told.content == "It is too late to decide that."
        assert (await at.answer(message.channel)).content == "Without."
        assert await verdicts(at) == ["expired"]


def _expire(connection: Connection) -> None:
    connection.execute("UPDATE approvals SET expires_at = '2020-01-01T00:00:00.000Z'")


async def test_where_the_thread_is_gone_the_turn_ends_without_it(tmp_path: Path) -> None:
    async with scene(tmp_path, armed(["Nobody sees this."]), **ARMED) as at:
        hold = at.discord.hold_next("PATCH", "/channels/{channel_id}/messages/{message_id}")
        thread = await at.thread_of(at.ask("go"))
        await hold.reached.wait()
        at.discord.delete_channel(thread)
        hold.release()
        await at.until_stored("status", "answered")
        found = await at.bot.core.database.read(_all_verdicts)
        assert found == ["expired"]


def _all_verdicts(connection: Connection) -> list[str | None]:
    return [verdict for (verdict,) in connection.execute("SELECT verdict FROM approvals").fetchall()]
