"""The real Discord platform, connected to the fake Discord, with the real core behind it and a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.models.model import Model
from bot.platforms.discord.platform import DiscordPlatform
from bot.platforms.files import FileLimits
from bot.settings.sections import Discord
from storage.sqlite import SQLiteDatabase
from tests.core import Core, core_around
from tests.fakes.discord import FakeDiscord, User

PACE = 0.02
"""Seconds between edits: people wait longer."""
GUILDS_SECONDS = 0.05


@dataclass(slots=True)
class Bot:
    """A bot in Discord. `stop` ends it as the program's end does, `kill` as a crash does."""

    core: Core[DiscordPlatform]
    serving: asyncio.Task[None]
    stop: Callable[[], Awaitable[None]]


def settings_for(discord: FakeDiscord, **settings: Any) -> Discord:
    return Discord(token=SecretStr(discord.token), api_url=discord.api_url, gateway_url=discord.gateway_url, **settings)


@asynccontextmanager
async def running_bot(
    path: Path,
    discord: FakeDiscord,
    model: Model,
    *,
    connected: bool = True,
    pace: float = PACE,
    admins: Collection[User] = (),
    **settings: Any,
) -> AsyncIterator[Bot]:
    """`admins` are those whom the settings name."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(SQLiteDatabase(str(path)))
        platform = DiscordPlatform(
            settings_for(discord, **settings), database, FileLimits(), pace=pace, guilds_seconds=GUILDS_SECONDS
        )
        core = await stack.enter_async_context(
            core_around(database, model, platform, admins=[str(admin.id) for admin in admins])
        )
        serving = asyncio.create_task(platform.run())
        stack.push_async_callback(_ended, serving)
        await stack.enter_async_context(core.engine)
        if connected:
            await discord.connected()
        yield Bot(core, serving, lambda: _ended(serving))


async def _ended(serving: asyncio.Task[None]) -> None:
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
