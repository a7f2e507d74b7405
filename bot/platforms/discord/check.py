"""Discord's part of `secret-agents check`: the token, the intent, the permissions, by HTTP and without the gateway, so
that a bot that runs meanwhile is not disturbed.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import discord

from bot.finding import Finding
from bot.platforms.discord import wire
from bot.platforms.discord.manifest import PORTAL, Manifest, missing
from bot.platforms.discord.places import NAME
from bot.settings.sections import Discord

SECONDS = 30.0
"""For all of it; discord.py alone takes 25 until it believes that Discord is in trouble."""
PAGE = 200
MAX_PAGES = 10
"""Of servers that are looked at."""
MAX_NAMED = 10
"""Servers that are told one by one."""


@dataclass(frozen=True, slots=True)
class Lack:
    """A server where the bot may not do all it needs."""

    server: str
    permissions: tuple[str, ...]


async def check_discord(settings: Discord, seconds: float = SECONDS) -> Finding:
    """`settings` is on. Never raises for what it looks for."""
    try:
        async with asyncio.timeout(seconds):
            return await _logged_in(settings)
    except discord.LoginFailure:
        todo = f"copy it anew into DISCORD_TOKEN: {PORTAL} > your application > Bot > Reset Token"
        return Finding(NAME, "failed", "Discord does not accept the token", todo)
    except discord.HTTPException as error:
        why = f"Discord answered with an error: {error.status} (code {error.code})"
        return Finding(NAME, "failed", why, "try again later; https://discordstatus.com tells of its troubles")
    except TimeoutError:
        return _unreachable(settings, f"no answer within {seconds:g} seconds")
    except (aiohttp.ClientError, OSError) as error:
        return _unreachable(settings, str(error) or type(error).__name__)
    except (TypeError, LookupError, ValueError):  # what discord.py makes of some other server's words
        return _unreachable(settings, "what answers there is not Discord")


async def _logged_in(settings: Discord) -> Finding:
    assert settings.token is not None
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # this bot does not speak aloud
    async with discord.Client(intents=wire.intents(message_content=False)) as client:
        wire.use_addresses(client.http, settings.api_url, settings.gateway_url)
        await client.login(settings.token.get_secret_value())
        assert client.application is not None
        lacking, servers = await _servers(client.http)
        return _judged(client.application, servers, lacking)


async def _servers(http: discord.http.HTTPClient) -> tuple[list[Lack], int]:
    """Where something is lacking, and how many servers were looked at.

    Read as Discord tells it: discord.py's own servers do not have the bot's permissions.
    """
    lacking, count, last = list[Lack](), 0, None
    for _ in range(MAX_PAGES):
        page = await http.get_guilds(PAGE, after=last, with_counts=False)
        for guild in page:
            lacks = () if guild.get("owner") else tuple(missing(int(guild.get("permissions") or 0)))
            lacking += [Lack(guild["name"], lacks)] if lacks else []
        count += len(page)
        if len(page) < PAGE:
            break
        last = page[-1]["id"]
    return lacking, count


def _judged(application: discord.AppInfo, servers: int, lacking: Sequence[Lack]) -> Finding:
    """Whatever is wrong, with what to do about it."""
    manifest = Manifest(str(application.id))
    flags = application.flags
    problems, todo = list[str](), list[str]()
    if not (flags.gateway_message_content or flags.gateway_message_content_limited):
        problems.append("the Message Content intent is off, so in threads it answers nothing but mentions")
        todo.append(f"switch it on: {manifest.intent_switch}")
    if servers == 0:
        problems.append("nobody can talk to it yet")
        todo.append(f"invite it: {manifest.invite_url}")
    if lacking:
        problems += _named(lacking)
        todo.append(f"permit it in the server's settings (Roles), or invite it again: {manifest.invite_url}")
    why = "; ".join([f"logged in as {application.name}, {_counted(servers)}", *problems])
    return Finding(NAME, "warning" if problems else "ok", why, "; ".join(todo))


def _counted(servers: int) -> str:
    least = "at least " if servers == PAGE * MAX_PAGES else ""
    return f"in {least}{servers or 'no'} server{'' if servers == 1 else 's'}"


def _named(lacking: Sequence[Lack]) -> list[str]:
    told = [f"in {lack.server} it lacks {', '.join(lack.permissions)}" for lack in lacking[:MAX_NAMED]]
    more = len(lacking) - len(told)
    return [*told, f"and {more} more servers lack something"] if more else told


def _unreachable(settings: Discord, why: str) -> Finding:
    todo = "look at [discord] api_url" if settings.api_url else "look at this machine's network and its proxies"
    return Finding(NAME, "failed", f"Discord cannot be reached: {why}", todo)
