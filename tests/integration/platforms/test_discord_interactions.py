"""Slash commands as Discord knows them, and interactions that are late, repeated or revoked."""

import logging
from pathlib import Path

import pytest

from tests.discord_scene import Scene, bot_on, scene, stage

FOLLOW_UP = "/webhooks/{webhook_id}/{webhook_token}"
CALLBACK = "/interactions/{interaction_id}/{interaction_token}/callback"


async def declared(at: Scene) -> None:
    """Wait until the bot has compared the commands."""
    await at.discord.wait_for(lambda: at.discord.requests("GET", "/applications/{application_id}/commands"))


async def test_the_command_is_declared_once(tmp_path: Path) -> None:
    async with stage() as set_:
        for _ in range(2):
            async with bot_on(set_, tmp_path) as at:
                await at.mission(at.alice, at.general, "help")
        assert (set_.discord.commands.creates, set_.discord.commands.writes) == (1, 1)
        asked = set_.discord.requests("GET", "/applications/{application_id}/commands")
        assert len(asked) == 2


async def test_a_command_that_differs_is_declared_again(tmp_path: Path) -> None:
    async with stage() as set_:
        async with bot_on(set_, tmp_path) as at:
            await at.mission(at.alice, at.general, "help")
        (command,) = set_.discord.commands.all(None)
        older = command["options"][:-1]
        set_.discord.commands.edit(None, int(command["id"]), {"options": older})
        async with bot_on(set_, tmp_path) as at:
            await at.discord.wait_for(lambda: len(at.discord.commands.all(None)[0]["options"]) > len(older))
        assert (set_.discord.commands.creates, set_.discord.commands.writes) == (1, 3)


async def test_the_bot_talks_even_if_its_commands_cannot_be_declared(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with stage() as set_:
        set_.discord.fail_next("PUT", "/applications/{application_id}/commands", status=400, code=30034)
        async with bot_on(set_, tmp_path) as at:
            await at.answered("hello")
            await at.discord.wait_for(lambda: at.discord.requests("PUT", "/applications/{application_id}/commands"))
    assert "declaring the commands failed: 400 (30034)" in caplog.text


async def test_a_repeated_interaction_acts_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        shown = await at.slash(at.alice, at.general, "new")
        await shown.answer()
        at.discord.tell_interaction(shown)
        await at.discord.wait_for(lambda: len(at.discord.requests("POST", CALLBACK)) == 2)
        await at.mission(at.alice, at.general, "help")
        assert len(at.discord.threads(at.general)) == 1
        assert at.discord.requests("POST", CALLBACK)[1].status == 400


async def test_a_command_that_discord_gave_up_waiting_for_does_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with scene(tmp_path) as at:
        await at.mission(at.alice, at.general, "help")
        late = await at.slash(at.alice, at.general, "new")
        at.discord.advance(4)
        await at.discord.wait_for(lambda: len(at.discord.requests("POST", CALLBACK)) == 2)
        await at.mission(at.alice, at.general, "help")
        assert (late.callback, at.discord.threads(at.general)) == (None, [])
    assert "an interaction could not be answered: 404 (10062)" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_an_answer_whose_token_has_expired_leaves_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with scene(tmp_path) as at:
        await at.mission(at.alice, at.general, "help")
        hold = at.discord.hold_next("POST", FOLLOW_UP)
        shown = await at.slash(at.alice, at.general, "list")
        await hold.reached.wait()
        at.discord.advance(901)
        hold.release()
        await at.discord.wait_for(lambda: at.discord.requests("POST", FOLLOW_UP)[-1].status == 401)
        assert (await at.mission(at.alice, at.general, "help")).content
        assert shown.loading
    assert "an interaction could not be answered: 401 (50027)" in caplog.text
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
