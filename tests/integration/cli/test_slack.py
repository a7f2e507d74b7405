"""The commands that help to set the bot up in Slack, and running there alone, as an operator does it."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator

import pytest

from tests.command import SECONDS, Command
from tests.fakes.slack import ALICE, FakeSlack

SECRET = "hush-hush"


@pytest.fixture
async def slack(command: Command) -> AsyncIterator[FakeSlack]:
    async with FakeSlack.running() as fake:
        command.variables["SLACK_BOT_TOKEN"] = fake.team.bot_token
        command.variables["SLACK_APP_TOKEN"] = fake.app_token
        command.variables["SECRET_AGENTS_SLACK__API_URL"] = fake.api_url
        yield fake
        assert fake.take_violations() == []


def over_http(command: Command, public_url: str = "") -> None:
    command.variables["SECRET_AGENTS_SLACK__MODE"] = "http"
    command.variables["SLACK_SIGNING_SECRET"] = SECRET
    command.variables["SECRET_AGENTS_SLACK__PUBLIC_URL"] = public_url


async def found(command: Command) -> tuple[int, dict[str, str]]:
    """Exit status and finding of `check`."""
    done = await command("check", "--json")
    assert done.err == ""
    assert SECRET not in done.out
    finding: dict[str, str] = next(each for each in json.loads(done.out) if each["part"] == "slack")
    return done.status, finding


async def test_the_manifest_is_printed_as_json_with_and_without_being_asked(command: Command) -> None:
    command.variables |= {"SLACK_BOT_TOKEN": SECRET, "SLACK_APP_TOKEN": SECRET}
    plain, asked = await command("manifest", "slack"), await command("manifest", "slack", "--json")
    assert (plain.status, plain.err) == (0, "")
    assert json.loads(plain.out) == json.loads(asked.out)
    assert json.loads(plain.out)["settings"]["socket_mode_enabled"] is True
    assert SECRET not in plain.out + asked.out


async def test_the_manifest_needs_no_token(command: Command) -> None:
    done = await command("manifest", "slack")
    assert (done.status, done.err) == (0, "")
    assert "chat:write" in json.loads(done.out)["oauth_config"]["scopes"]["bot"]


async def test_the_manifest_holds_the_configured_address(command: Command) -> None:
    over_http(command, "https://bot.example.org/")
    done = await command("manifest", "slack")
    assert (done.status, done.err) == (0, "")
    url = json.loads(done.out)["settings"]["event_subscriptions"]["request_url"]
    assert url == "https://bot.example.org/slack/events"


async def test_a_manifest_without_an_address_is_still_json_and_says_so_besides(command: Command) -> None:
    over_http(command)
    done = await command("manifest", "slack")
    assert done.status == 0
    assert done.out.count("https://YOUR-HOST/slack/events") == 3
    assert json.loads(done.out)["settings"]["socket_mode_enabled"] is False
    assert done.err.startswith("[slack] public_url: is not set")
    assert len(done.err.splitlines()) == 1


async def test_an_address_that_slack_cannot_call_is_a_configuration_error(command: Command) -> None:
    over_http(command, "http://bot.example.org")
    done = await command("manifest", "slack")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("[slack] public_url: must be a URL that begins with https://")


async def test_check_tells_that_slack_works(command: Command, slack: FakeSlack) -> None:
    status, finding = await found(command)
    why = "logged in as agent in Home (https://home.slack.com/); a socket can be opened"
    assert (status, finding) == (0, {"part": "slack", "state": "ok", "why": why, "todo": ""})


async def test_check_tells_where_slack_has_to_come(command: Command, slack: FakeSlack) -> None:
    over_http(command, "https://bot.example.org")
    status, finding = await found(command)
    assert (status, finding["state"]) == (0, "ok")
    assert finding["why"].endswith("Slack has to reach https://bot.example.org/slack/events")


async def test_check_looks_at_the_port_that_slack_has_for_itself(command: Command, slack: FakeSlack) -> None:
    over_http(command, "https://bot.example.org")
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    command.variables["SECRET_AGENTS_WEB__ENABLED"] = "false"
    command.variables["SECRET_AGENTS_WEB__PORT"] = str(server.sockets[0].getsockname()[1])
    status, finding = await found(command)
    server.close()
    assert (status, finding["state"], finding["todo"]) == (1, "failed", "set another [web] port")


async def test_check_warns_of_missing_scopes_and_succeeds(command: Command, slack: FakeSlack) -> None:
    slack.team.scopes -= {"files:read"}
    status, finding = await found(command)
    assert (status, finding["state"]) == (0, "warning")
    assert "it lacks files:read" in finding["why"]


async def test_check_fails_with_a_wrong_token_and_does_not_repeat_it(command: Command, slack: FakeSlack) -> None:
    command.variables["SLACK_BOT_TOKEN"] = f"xoxb-{SECRET}"
    status, finding = await found(command)
    assert (status, finding["state"]) == (1, "failed")
    assert "Slack does not accept the bot's token (invalid_auth)" in finding["why"]


async def test_check_asks_slack_nothing_while_it_is_off(command: Command, slack: FakeSlack) -> None:
    command.variables["SECRET_AGENTS_SLACK__ENABLED"] = "false"
    status, finding = await found(command)
    assert (status, finding["state"]) == (0, "off")
    assert slack.calls == []


async def test_slack_alone_is_enough_to_run(command: Command, slack: FakeSlack) -> None:
    command.variables["SECRET_AGENTS_WEB__ENABLED"] = "false"
    async with command.running("run") as process:
        async with asyncio.timeout(SECONDS):
            await slack.socket_mode.connected()
            question = slack.team.say(slack.team.dm(ALICE), ALICE, "hello")
            await slack.team.answered(question.channel, thread_ts=question.ts)
        process.send_signal(signal.SIGTERM)
        _, err = await asyncio.wait_for(process.communicate(), SECONDS)
    assert (process.returncode, b"Traceback" in err) == (0, False)


async def test_a_token_that_slack_does_not_accept_ends_the_program(command: Command, slack: FakeSlack) -> None:
    command.variables["SLACK_BOT_TOKEN"] = f"xoxb-{SECRET}"
    done = await command("run")
    assert done.status == 2
    assert done.err.splitlines()[-1].startswith("[slack] bot_token: ")
    assert SECRET not in done.err
