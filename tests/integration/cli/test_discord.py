"""The commands that help to set the bot up in Discord, as an operator types them."""

import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator

import pytest

from bot.platforms.discord.manifest import permission_integer
from tests.command import Command
from tests.fakes.discord import FakeDiscord, P

SECRET = "hush-hush"
ID = "1234567890123456789"
TOKEN = f"{urlsafe_b64encode(ID.encode()).decode().rstrip('=')}.Gabcde.{SECRET}"


@pytest.fixture
async def discord(command: Command) -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord.running(token=TOKEN) as fake:
        command.variables["DISCORD_TOKEN"] = TOKEN
        command.variables["SECRET_AGENTS_DISCORD__API_URL"] = fake.api_url
        yield fake


async def test_the_manifest_is_printed(command: Command) -> None:
    command.variables["DISCORD_TOKEN"] = TOKEN
    done = await command("manifest", "discord")
    assert (done.status, done.err) == (0, "")
    assert f"client_id={ID}&scope=bot+applications.commands&permissions={permission_integer()}\n" in done.out
    assert "Create Public Threads" in done.out
    assert "Message Content Intent" in done.out
    assert SECRET not in done.out


async def test_the_manifest_as_json(command: Command) -> None:
    command.variables["DISCORD_TOKEN"] = TOKEN
    done = await command("manifest", "discord", "--json")
    found = json.loads(done.out)
    assert found["application_id"] == ID
    assert found["permissions"] == permission_integer()
    assert found["invite_url"].startswith("https://discord.com/oauth2/authorize?")
    assert len(found["permission_names"]) == found["permissions"].bit_count()


async def test_the_manifest_needs_no_token(command: Command) -> None:
    done = await command("manifest", "discord")
    assert done.status == 0
    assert "client_id=YOUR_APPLICATION_ID&" in done.out
    assert "Application ID" in done.out


async def test_an_unknown_platform_is_wrong_usage(command: Command) -> None:
    done = await command("manifest", "carrier-pigeon")
    assert done.status == 2
    assert "invalid choice: 'carrier-pigeon'" in done.err


async def test_check_tells_that_discord_works(command: Command, discord: FakeDiscord) -> None:
    discord.make_guild("HQ")
    done = await command("check", "--json")
    finding = next(each for each in json.loads(done.out) if each["part"] == "discord")
    assert finding == {"part": "discord", "state": "ok", "why": "logged in as secret-agents, in 1 server", "todo": ""}
    assert (done.status, done.err) == (0, "")


async def test_check_warns_of_missing_permissions_and_succeeds(command: Command, discord: FakeDiscord) -> None:
    guild = discord.make_guild("HQ")
    guild.roles[guild.id].permissions &= ~P.ATTACH_FILES
    done = await command("check")
    line = next(line for line in done.out.splitlines() if line.startswith("discord"))
    assert line.split()[1] == "warning"
    assert "in HQ it lacks Attach Files" in line
    assert done.status == 0


async def test_check_fails_with_a_wrong_token_and_does_not_repeat_it(command: Command, discord: FakeDiscord) -> None:
    command.variables["DISCORD_TOKEN"] = f"{TOKEN}-not"
    done = await command("check")
    line = next(line for line in done.out.splitlines() if line.startswith("discord"))
    assert done.status == 1
    assert "Discord does not accept the token" in line
    assert SECRET not in done.out + done.err
    assert len(discord.requests("GET", "/users/@me")) == 1


async def test_check_asks_discord_nothing_while_it_is_off(command: Command, discord: FakeDiscord) -> None:
    command.variables["SECRET_AGENTS_DISCORD__ENABLED"] = "false"
    done = await command("check", "--json")
    finding = next(each for each in json.loads(done.out) if each["part"] == "discord")
    assert (finding["state"], done.status) == ("off", 0)
    assert discord.requests("GET", "/users/@me") == []
