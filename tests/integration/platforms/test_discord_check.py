"""`secret-agents check` on Discord: what is wrong is found, named, and comes with what to do."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.finding import Finding
from bot.platforms.discord.check import MAX_NAMED, PAGE, check_discord
from bot.platforms.discord.manifest import PERMISSIONS, Manifest, Needed
from bot.settings.sections import Discord
from tests.discord import settings_for
from tests.discord_client import pointed_at
from tests.fakes.discord import FakeDiscord, Guild, Intent, P


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord.running() as discord, pointed_at(discord):
        yield discord


async def checked(fake: FakeDiscord) -> Finding:
    return await check_discord(settings_for(fake))


def take(guild: Guild, *permissions: P) -> None:
    """From everyone in it."""
    for each in permissions:
        guild.roles[guild.id].permissions &= ~each


async def test_all_is_well(fake: FakeDiscord) -> None:
    fake.make_guild("HQ")
    assert await checked(fake) == Finding("discord", "ok", "logged in as secret-agents, in 1 server")
    assert fake.counts.identifies == 0


async def test_a_token_that_is_not_accepted(fake: FakeDiscord) -> None:
    settings = settings_for(fake).model_copy(update={"token": SecretStr("hush-hush")})
    finding = await check_discord(settings)
    assert (finding.state, finding.why) == ("failed", "Discord does not accept the token")
    assert "Reset Token" in finding.todo
    assert "hush" not in str(finding)


async def test_the_intent_that_is_off_comes_with_its_switch() -> None:
    async with FakeDiscord.running(allowed_intents=Intent(0)) as fake, pointed_at(fake):
        fake.make_guild("HQ")
        finding = await checked(fake)
    assert finding.state == "warning"
    assert "the Message Content intent is off" in finding.why
    page = f"https://discord.com/developers/applications/{fake.world.application_id}/bot"
    assert finding.todo == f"switch it on: {page} > Privileged Gateway Intents > Message Content Intent"


async def test_missing_permissions_are_named_by_server(fake: FakeDiscord) -> None:
    fake.make_guild("HQ")
    take(fake.make_guild("Annex"), P.ATTACH_FILES)
    take(fake.make_guild("Cellar"), P.CREATE_PUBLIC_THREADS, P.SEND_MESSAGES_IN_THREADS)
    finding = await checked(fake)
    assert finding.state == "warning"
    assert finding.why == (
        "logged in as secret-agents, in 3 servers; in Annex it lacks Attach Files;"
        " in Cellar it lacks Create Public Threads, Send Messages in Threads"
    )
    assert Manifest(str(fake.world.application_id)).invite_url in finding.todo


@pytest.mark.parametrize("needed", PERMISSIONS, ids=[each.name for each in PERMISSIONS])
async def test_each_permission_is_looked_for(fake: FakeDiscord, needed: Needed) -> None:
    take(fake.make_guild("HQ"), P(needed.bit))
    assert f"in HQ it lacks {needed.name}" in (await checked(fake)).why


async def test_a_role_of_its_own_is_enough(fake: FakeDiscord) -> None:
    guild = fake.make_guild("HQ")
    guild.roles[guild.id].permissions = 0
    assert "it lacks" in (await checked(fake)).why
    fake.join(guild, fake.bot, fake.make_role(guild, "spy", sum(each.bit for each in PERMISSIONS)))
    assert (await checked(fake)).state == "ok"


@pytest.mark.parametrize("owner", [True, False], ids=["owner", "administrator"])
async def test_who_may_do_everything_lacks_nothing(fake: FakeDiscord, owner: bool) -> None:
    guild = fake.make_guild("HQ", fake.bot if owner else None)
    guild.roles[guild.id].permissions = 0 if owner else P.ADMINISTRATOR
    assert (await checked(fake)).state == "ok"


async def test_a_bot_in_no_server_is_to_be_invited(fake: FakeDiscord) -> None:
    finding = await checked(fake)
    assert (finding.state, "in no servers" in finding.why) == ("warning", True)
    assert finding.todo == f"invite it: {Manifest(str(fake.world.application_id)).invite_url}"


async def test_all_servers_are_looked_at_and_some_are_named(fake: FakeDiscord) -> None:
    guilds = [fake.make_guild(f"Station {number}") for number in range(PAGE + MAX_NAMED + 2)]
    for guild in guilds[PAGE:]:
        take(guild, P.VIEW_CHANNEL)
    why = (await checked(fake)).why
    assert f"in {len(guilds)} servers" in why
    assert why.count("it lacks View Channels") == MAX_NAMED
    assert why.endswith("and 2 more servers lack something")
    assert len(fake.requests("GET", "/users/@me/guilds")) == 2


async def test_everything_that_is_wrong_is_told_at_once() -> None:
    async with FakeDiscord.running(allowed_intents=Intent(0)) as fake, pointed_at(fake):
        take(fake.make_guild("HQ"), P.ATTACH_FILES)
        finding = await checked(fake)
    assert "intent is off" in finding.why
    assert "in HQ it lacks Attach Files" in finding.why
    assert "switch it on" in finding.todo
    assert "invite it again" in finding.todo


async def test_a_discord_that_is_down_is_a_sentence(fake: FakeDiscord) -> None:
    settings = settings_for(fake)
    await fake.stop()
    finding = await check_discord(settings)
    assert finding.state == "failed"
    assert finding.why.startswith("Discord cannot be reached: ")
    assert finding.todo == "look at [discord] api_url"


async def test_a_connection_that_breaks_is_a_sentence(fake: FakeDiscord) -> None:
    fake.fail_next("GET", "/users/@me/guilds", status=None, times=2)  # aiohttp tries again once
    finding = await checked(fake)
    assert (finding.state, finding.why[:26]) == ("failed", "Discord cannot be reached:")


@pytest.mark.parametrize("route", ["/users/@me", "/users/@me/guilds"])
async def test_a_discord_in_trouble_is_a_sentence(fake: FakeDiscord, route: str) -> None:
    fake.fail_next("GET", route, status=503)
    finding = await checked(fake)
    assert finding.why == "Discord answered with an error: 503 (code 0)"
    assert "https://discordstatus.com" in finding.todo


@pytest.mark.parametrize("answer", ["<html>Log in to the café's network</html>", "{}", "[]"])
async def test_another_server_in_discords_place_is_a_sentence(fake: FakeDiscord, answer: str) -> None:
    async def anything(_: web.Request) -> web.Response:
        return web.Response(text=answer, content_type="application/json" if answer[0] != "<" else "text/html")

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", anything)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    settings = Discord(token=SecretStr(fake.token), api_url=f"http://{host}:{port}")
    finding = await check_discord(settings)
    await runner.cleanup()
    assert finding.why == "Discord cannot be reached: what answers there is not Discord"


async def test_a_discord_that_does_not_answer_is_a_sentence(fake: FakeDiscord) -> None:
    fake.hold_next("GET", "/users/@me/guilds")
    finding = await check_discord(settings_for(fake), seconds=0.5)
    assert finding.why == "Discord cannot be reached: no answer within 0.5 seconds"
