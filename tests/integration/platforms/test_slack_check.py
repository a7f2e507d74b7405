"""`secret-agents check` on Slack: what is wrong is found, named, and comes with what to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.finding import Finding
from bot.platforms.slack.check import check_slack
from bot.platforms.slack.manifest import EVENTS, PATH, SCOPES
from bot.platforms.slack.signed import SignedRequests
from tests.fakes.slack import ALICE, CAROL, SECRET, Attached, FakeSlack
from tests.slack import SIGNING_SECRET, settings_for
from tests.slack_scene import bot_on, stage

LOGGED_IN = "logged in as agent in Home (https://home.slack.com/)"
APP = "https://api.slack.com/apps/A0APP"
HTTP: dict[str, Any] = {"mode": "http", "public_url": "https://bot.example.org"}


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack.running() as slack:
        yield slack
        assert slack.take_violations() == []


async def checked(fake: FakeSlack, **secrets: str) -> Finding:
    """With these secrets in the place of the right ones."""
    settings = settings_for(fake).model_copy(update={name: SecretStr(value) for name, value in secrets.items()})
    return await check_slack(settings)


@asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[tuple[str, int]]:
    """Host and port."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    try:
        yield host, port
    finally:
        await runner.cleanup()


async def test_all_is_well_with_a_socket_and_none_is_opened(fake: FakeSlack) -> None:
    assert await checked(fake) == Finding("slack", "ok", f"{LOGGED_IN}; a socket can be opened")
    assert fake.socket_mode.hellos == 0


async def test_all_is_well_over_http(fake: FakeSlack) -> None:
    finding = await check_slack(settings_for(fake, **HTTP))
    assert finding == Finding("slack", "ok", f"{LOGGED_IN}; Slack has to reach https://bot.example.org{PATH}")
    assert fake.called("apps.connections.open", ok=False) == []


@pytest.mark.parametrize("word", ["account_inactive", "token_revoked", "invalid_auth", "token_expired"])
async def test_a_bot_token_that_is_not_accepted(fake: FakeSlack, word: str) -> None:
    fake.team.revoked = word
    finding = await checked(fake)
    assert (finding.state, finding.why.split(";")[0]) == ("failed", f"Slack does not accept the bot's token ({word})")
    assert f"copy it anew into SLACK_BOT_TOKEN, or install the app again: {APP} > OAuth & Permissions" in finding.todo


async def test_no_finding_repeats_a_secret(fake: FakeSlack) -> None:
    finding = await checked(fake, bot_token="xoxb-hush-hush", app_token="xapp-1-A0APP-hush-hush")
    assert finding.state == "failed"
    assert "hush" not in str(finding)


async def test_tokens_in_each_others_place_are_told_apart(fake: FakeSlack) -> None:
    finding = await checked(fake, bot_token=fake.app_token, app_token=fake.team.bot_token)
    assert finding.why == "SLACK_BOT_TOKEN is not a bot's token; SLACK_APP_TOKEN is not an app's token"
    assert "xoxb-: https://api.slack.com/apps > your app > OAuth & Permissions" in finding.todo
    assert "xapp-: https://api.slack.com/apps > your app > Basic Information" in finding.todo
    assert len(fake.take_violations()) == 2


async def test_a_persons_token_is_not_the_bots(fake: FakeSlack) -> None:
    fake.team.bot_id = ""
    finding = await checked(fake)
    assert (finding.state, finding.why.split(";")[0]) == ("failed", "SLACK_BOT_TOKEN is a person's token")
    assert "xoxb-" in finding.todo


@pytest.mark.parametrize("scope", SCOPES)
async def test_each_scope_is_looked_for(fake: FakeSlack, scope: str) -> None:
    fake.team.scopes -= {scope}
    finding = await checked(fake)
    assert (finding.state, finding.why) == ("warning", f"{LOGGED_IN}; it lacks {scope}; a socket can be opened")
    assert f"{APP} > App Manifest; then Install App > Reinstall" in finding.todo


async def test_an_app_token_that_is_not_accepted(fake: FakeSlack) -> None:
    finding = await checked(fake, app_token="xapp-1-A0APP-2-other")
    assert (finding.state, finding.why) == (
        "failed",
        f"{LOGGED_IN}; Slack does not accept the app's token (invalid_auth)",
    )
    assert finding.todo == (
        f"generate one and copy it into SLACK_APP_TOKEN: {APP} > Basic Information > App-Level Tokens"
    )


@pytest.mark.parametrize(
    ("word", "why", "todo"),
    [
        ("missing_scope", "the app's token lacks connections:write", "generate one that has it"),
        ("forbidden_team", "Slack opens no socket (forbidden_team)", f"{APP} > Socket Mode"),
    ],
)
async def test_a_socket_that_slack_refuses(fake: FakeSlack, word: str, why: str, todo: str) -> None:
    fake.fail_next("apps.connections.open", error=word)
    finding = await checked(fake)
    assert (finding.state, finding.why) == ("failed", f"{LOGGED_IN}; {why}")
    assert todo in finding.todo


async def test_everything_that_is_wrong_is_told_at_once(fake: FakeSlack) -> None:
    fake.team.scopes -= {"im:write", "users:read"}
    finding = await checked(fake, app_token="xapp-1-A0APP-2-other")
    assert "it lacks im:write, users:read" in finding.why
    assert "does not accept the app's token" in finding.why
    assert "Reinstall" in finding.todo
    assert "SLACK_APP_TOKEN" in finding.todo


async def test_an_unknown_public_address_is_said(fake: FakeSlack) -> None:
    finding = await check_slack(settings_for(fake, mode="http"))
    assert (finding.state, "[slack] public_url is not set" in finding.why) == ("ok", True)
    assert '"https://bot.example.org"' in finding.todo


async def test_an_empty_signing_secret_is_a_failure(fake: FakeSlack) -> None:
    settings = settings_for(fake, **HTTP).model_copy(update={"signing_secret": SecretStr(" ")})
    finding = await check_slack(settings)
    assert (finding.state, "the signing secret is empty" in finding.why) == ("failed", True)
    assert f"{APP} > Basic Information > Signing Secret" in finding.todo


async def test_a_port_of_its_own_that_is_free(fake: FakeSlack) -> None:
    finding = await check_slack(settings_for(fake, **HTTP), ("127.0.0.1", 0))
    assert finding.state == "ok"
    assert f"http://127.0.0.1:0{PATH} is free to be served by `secret-agents run`" in finding.why


async def test_a_port_of_its_own_that_another_program_has(fake: FakeSlack) -> None:
    async with served(web.Application()) as place:
        finding = await check_slack(settings_for(fake, **HTTP), place)
    assert (finding.state, finding.todo) == ("failed", "set another [web] port")
    assert f"http://127.0.0.1:{place[1]}{PATH} cannot be served: Address already in use" in finding.why


async def test_a_port_that_a_running_bot_has_is_well(fake: FakeSlack) -> None:
    app = web.Application()
    app.router.add_post(PATH, SignedRequests(SIGNING_SECRET).receive)
    async with served(app) as place:
        finding = await check_slack(settings_for(fake, **HTTP), place)
    assert finding.state == "ok"
    assert f"http://127.0.0.1:{place[1]}{PATH} is served by a running secret-agents" in finding.why


async def test_a_host_that_is_none_of_this_machine(fake: FakeSlack) -> None:
    finding = await check_slack(settings_for(fake, **HTTP), ("192.0.2.1", 0))
    assert (finding.state, finding.todo) == ("failed", "set another [web] host or port")


async def test_a_slack_that_is_down_is_a_sentence() -> None:
    async with FakeSlack.running() as gone:
        settings = settings_for(gone)
    finding = await check_slack(settings)
    assert finding.state == "failed"
    assert finding.why.startswith("Slack cannot be reached: ")
    assert finding.todo == "look at [slack] api_url"


@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
async def test_a_connection_that_breaks_is_a_sentence(fake: FakeSlack, method: str) -> None:
    fake.fail_next(method, drop=True, times=2)  # aiohttp tries again once
    finding = await checked(fake)
    assert (finding.state, finding.why[:24]) == ("failed", "Slack cannot be reached:")


@pytest.mark.parametrize("method", ["auth.test", "apps.connections.open"])
@pytest.mark.parametrize(("status", "word"), [(503, "503"), (429, "ratelimited")])
async def test_a_slack_in_trouble_is_a_sentence(fake: FakeSlack, method: str, status: int, word: str) -> None:
    fake.fail_next(method, status=status)
    finding = await checked(fake)
    assert (finding.state, finding.why) == ("failed", f"Slack answered with an error: {word}")
    assert "https://slack-status.com" in finding.todo


@pytest.mark.parametrize("answer", ["<html>Log in to the café's network</html>", "{}", "[]", "{", '{"ok": true}'])
async def test_another_server_in_slacks_place_is_a_sentence(fake: FakeSlack, answer: str) -> None:
    async def anything(_: web.Request) -> web.Response:
        return web.Response(text=answer, content_type="text/html" if answer[0] == "<" else "application/json")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", anything)
    async with served(app) as (host, port):
        settings = settings_for(fake).model_copy(update={"api_url": f"http://{host}:{port}"})
        finding = await check_slack(settings)
    assert finding.why == "Slack cannot be reached: what answers there is not Slack"


async def test_a_slack_that_does_not_answer_is_a_sentence(fake: FakeSlack) -> None:
    async def never(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", never)
    async with served(app) as (host, port):
        settings = settings_for(fake).model_copy(update={"api_url": f"http://{host}:{port}"})
        finding = await check_slack(settings, seconds=0.5)
    assert finding.why == "Slack cannot be reached: no answer within 0.5 seconds"


async def test_what_the_manifest_asks_for_is_enough(tmp_path: Path, mode: str) -> None:
    """Scopes and events. Everything that calls a method of its own is done once."""
    async with stage() as slack:
        slack.team.scopes = set(SCOPES)
        slack.hub.subscriptions = set(EVENTS)
        async with bot_on(slack, tmp_path, mode=mode) as at:
            await at.answer(at.tell("hello"))
            question = at.ask("hello", channel=SECRET, files=[Attached("note.txt", b"the note")])
            await at.answer(question)
            await at.answer(at.follow(question, "more"), 2)
            at.team.open_messages_tab(ALICE)
            await at.mission("new")
            await at.mission("export all", by=CAROL)
            await slack.until(lambda: at.team.prompts)
            assert "the note" in str(at.model.requests)
            assert at.team.bot_files(at.team.dm(CAROL)) != []
        assert {call.error for call in slack.calls} == {None}
