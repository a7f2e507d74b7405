"""The connection to Discord is cut, refused or not there yet: nothing is lost, and an operator is told what to do."""

import logging
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.errors import ConfigurationError
from bot.platforms.discord.platform import REFUSED
from tests.discord import running_bot
from tests.discord_scene import begun, bot_on, halting, said, scene, stage
from tests.fakes.discord import FakeDiscord
from tests.fakes.scripted_model import ScriptedModel, echo

KICKS: list[dict[str, Any]] = [
    {},
    {"op": 7},
    {"op": 9},
    {"op": 9, "resumable": False},
    {"code": 4000},
    {"code": 4009},
    {"code": 1001},
    {"code": 1000},
]


@pytest.mark.parametrize("how", KICKS, ids=str)
async def test_what_is_said_while_the_line_is_cut_is_answered_once(tmp_path: Path, how: dict[str, Any]) -> None:
    async with scene(tmp_path) as at:
        thread = (await at.answered("one")).channel
        at.discord.kick(**how)
        await at.discord.wait_for(lambda: not at.discord.gateway.connected)
        at.discord.say(thread, at.alice, "two")
        in_general = at.ask("three")
        assert (await at.answer(thread, 2)).content == "You said: Alice: two"
        assert (await at.answer(await at.thread_of(in_general))).content == "You said: Alice: three"
        assert len(said(at, thread)) == 2


async def test_an_answer_goes_on_while_the_line_is_cut(tmp_path: Path) -> None:
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        thread = await at.thread_of(at.ask("one"))
        await begun(at, thread)
        at.discord.pause_gateway()
        go_on.set()
        assert (await at.answer(thread)).content == "First then the rest."
        at.discord.unpause_gateway()


@pytest.mark.parametrize("code", [4010, 4011, 4012, 4013])
async def test_a_connection_ended_for_good_is_begun_anew_and_answers_go_on_there(tmp_path: Path, code: int) -> None:
    """These codes say that the client did something wrong: discord.py gives up."""
    model, go_on = halting()
    async with scene(tmp_path, model) as at:
        thread = await at.thread_of(at.ask("one"))
        await begun(at, thread)
        at.discord.kick(code=code)
        await at.discord.wait_for(lambda: at.discord.counts.identifies == 2)
        go_on.set()
        assert (await at.answer(thread)).content == "First then the rest."
        at.discord.say(thread, at.alice, "two")
        assert (await at.answer(thread, 2)).content == "You said: Alice: two"


async def test_a_token_that_is_revoked_ends_the_program_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        await _revoked(tmp_path)
    assert str(caught.value) == REFUSED
    assert "[discord] token" in REFUSED


async def _revoked(path: Path) -> None:
    async with scene(path) as at:
        at.discord.kick(code=4004)
        await at.bot.serving


async def test_a_wrong_token_ends_the_program_with_what_to_do_and_is_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with FakeDiscord.running(token="right-token") as discord:
        settings: dict[str, Any] = {"token": SecretStr("wrong-token-4711")}
        with pytest.raises(ConfigurationError, match=r"\[discord\] token") as caught:
            async with running_bot(tmp_path / "bot.db", discord, ScriptedModel(), connected=False, **settings) as bot:
                await bot.serving
    assert "4711" not in caplog.text + repr(caught.value) + repr(caught.value.__cause__)


async def test_discord_may_come_up_after_the_bot(tmp_path: Path) -> None:
    down = FakeDiscord()
    await down.start()
    await down.stop()
    async with running_bot(tmp_path / "bot.db", down, ScriptedModel(answer=echo), connected=False):
        port = int(down.api_url.split(":")[2].split("/")[0])
        async with FakeDiscord.running(port=port) as discord:
            alice = discord.make_user("alice")
            await discord.connected()
            direct = discord.dm(alice)
            discord.say(direct, alice, "hello")
            await discord.wait_for(lambda: any("hello" in m.content for m in discord.messages(direct, by=discord.bot)))


@pytest.mark.parametrize("route", ["/users/@me", "/oauth2/applications/@me", "/gateway/bot"])
async def test_discord_failing_while_the_bot_connects_is_waited_for(tmp_path: Path, route: str) -> None:
    async with stage() as set_:
        set_.discord.fail_next("GET", route, status=503)
        async with bot_on(set_, tmp_path) as at:
            assert (await at.answered("hello")).content == "You said: Alice: hello"
