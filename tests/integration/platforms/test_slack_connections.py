"""Tokens that are refused, and a Slack that is away: what can be waited for is waited for, the rest is a sentence."""

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.errors import ConfigurationError
from bot.platforms.files import FileLimits
from bot.platforms.slack.platform import SlackPlatform
from storage.sqlite import SQLiteDatabase
from tests.core import core_around
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.slack import ALICE, GENERAL, FakeSlack
from tests.slack import running_bot, settings_for
from tests.slack_scene import bot_on, scene, stage
from tests.waiting import until

POST, UPDATE = "chat.postMessage", "chat.update"
FAULTS: list[dict[str, Any]] = [{"status": 502}, {"drop": True}, {"error": "internal_error"}]


@pytest.mark.parametrize("why", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_an_answer_waits_while_the_token_is_revoked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    go_on = asyncio.Event()
    model = ScriptedModel(["First ", go_on, "then the rest."], answer=echo)
    async with scene(tmp_path, model) as at:
        begun = at.ask("one")
        await at.shows(begun, "First")
        at.team.revoked = why
        go_on.set()
        waiting = at.ask("two")
        await at.slack.until(lambda: [c for c in at.slack.called(UPDATE, ok=False) if c.error == why])
        await at.slack.until(lambda: [c for c in at.slack.called(POST, ok=False) if c.error == why])
        at.team.revoked = None
        assert (await at.answer(begun)).shown == "First then the rest."
        assert (await at.answer(waiting)).shown.endswith("two")
        await at.until_stored("status", "answered", "answered")
        assert [len(at.said(question)) for question in (begun, waiting)] == [1, 1]
    told = "\n".join(r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING)
    assert f"{why} (the token is not valid any more; install the app again and set SLACK_BOT_TOKEN)" in told
    assert at.team.bot_token not in caplog.text


@pytest.mark.parametrize("why", ["token_revoked", "account_inactive", "invalid_auth"])
async def test_a_token_that_slack_does_not_accept_is_a_configuration_error(tmp_path: Path, why: str) -> None:
    async with stage() as slack, SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        slack.team.revoked = why
        platform = SlackPlatform(settings_for(slack), database, FileLimits())
        with pytest.raises(ConfigurationError, match=rf"\[slack\] bot_token: .*{why}") as refused:
            await platform.run()
        assert slack.team.bot_token not in str(refused.value)


@pytest.mark.parametrize("token", ["xapp-1-wrong", "the bot's"])
async def test_a_wrong_app_token_is_a_configuration_error(tmp_path: Path, token: str) -> None:
    async with stage() as slack, SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        wrong = slack.team.bot_token if token == "the bot's" else token
        settings = settings_for(slack).model_copy(update={"app_token": SecretStr(wrong)})
        platform = SlackPlatform(settings, database, FileLimits())
        async with core_around(database, ScriptedModel(), platform):
            with pytest.raises(ConfigurationError, match=r"\[slack\] app_token: ") as refused:
                await platform.run()
        assert wrong not in str(refused.value)
        slack.take_violations()


async def test_an_app_token_that_is_revoked_later_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as at:
        at.slack.fail_next("apps.connections.open", error="token_revoked", times=2)
        await at.slack.socket_mode.kick()
        question = at.ask("one")
        await at.answer(question)
    assert "set SLACK_APP_TOKEN" in caplog.text
    assert at.slack.app_token not in caplog.text


@pytest.mark.parametrize("fault", FAULTS, ids=str)
@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
async def test_slack_that_fails_at_the_start_is_waited_for(tmp_path: Path, fault: dict[str, Any], method: str) -> None:
    async with stage() as slack:
        slack.fail_next(method, **fault)
        async with bot_on(slack, tmp_path) as at:
            await at.answered("one")


async def test_slack_that_is_not_there_at_the_start_is_waited_for(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeSlack.running() as earlier:
        port = int(earlier.hub.base.rpartition(":")[2])
    model = ScriptedModel(answer=echo)
    async with running_bot(tmp_path / "bot.db", earlier, model, connected=False):
        await until(lambda: "not there" in caplog.text)
        async with FakeSlack.running(port=port) as slack:
            question = slack.team.say(GENERAL, ALICE, f"{slack.team.mention} one")
            await slack.team.answered(GENERAL, "one", thread_ts=question.ts)
            await slack.until(lambda: slack.team.sessions[GENERAL, question.ts].status == "active")


async def test_a_ticket_that_is_used_up_is_not_tried_again(tmp_path: Path) -> None:
    """The line breaks while a socket is being opened: its address is good for nothing any more."""
    async with scene(tmp_path) as at:
        at.slack.socket_mode.broken = 1
        await at.slack.socket_mode.kick()
        await at.answered("one")


async def test_an_app_with_too_many_sockets_gets_one_when_there_is_room(tmp_path: Path) -> None:
    model = ScriptedModel(answer=echo)
    async with stage() as slack, AsyncExitStack() as others:
        http = await others.enter_async_context(aiohttp.ClientSession())
        for _ in range(10):
            address = f"{slack.hub.base}/link/?ticket={slack.socket_mode.ticket()}"
            await others.enter_async_context(http.ws_connect(address))
        async with running_bot(tmp_path / "bot.db", slack, model, connected=False):
            await slack.until(lambda: len(slack.called("apps.connections.open")) == 3)
            await others.aclose()
            question = slack.team.say(GENERAL, ALICE, f"{slack.team.mention} one")
            await slack.team.answered(GENERAL, "one", thread_ts=question.ts)
