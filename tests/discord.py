"""The real Discord platform, connected to the fake Discord, with the real core behind it and a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import TraceConfig
from pydantic import SecretStr

from bot.allowances import Allowances
from bot.command_rights import Rights
from bot.models.model import Model
from bot.platforms.discord.platform import DiscordPlatform
from bot.platforms.discord.waits import Waits
from bot.platforms.files import FileLimits
from bot.settings.sections import Discord
from gadgets.gadget import Gadget
from storage.database import Database
from storage.sqlite import SQLiteDatabase
from tests.core import Core, core_around, shout, whisper
from tests.fakes.discord import FakeDiscord, User

PACE = 0.02
"""Seconds between edits: people wait longer."""
WAITS = Waits(retry=0.05, identify=0.05, guilds=0.05)


@dataclass(slots=True)
class Bot:
    """A bot in Discord. `stop` ends its connection."""

    core: Core[DiscordPlatform]
    serving: asyncio.Task[None]
    stop: Callable[[], Awaitable[None]]

    async def kill(self) -> None:
        """Its answers break off wherever they are, and are not gone on with, as in a crash."""
        tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("conversation-")]
        for task in [*tasks, self.serving]:
            task.cancel()
        await asyncio.wait([*tasks, self.serving])


def settings_for(discord: FakeDiscord, **settings: Any) -> Discord:
    urls = {"api_url": discord.api_url, "gateway_url": discord.gateway_url}
    return Discord(**({"token": SecretStr(discord.token)} | urls | settings))


def in_discord(discord: FakeDiscord) -> dict[str, str]:
    """The environment in which the program runs in Discord, and nowhere else."""
    names = {"TOKEN": discord.token, "API_URL": discord.api_url, "GATEWAY_URL": discord.gateway_url}
    settings = {f"SECRET_AGENTS_DISCORD__{name}": value for name, value in names.items()}
    return settings | {"SECRET_AGENTS_WEB__ENABLED": "false"}


@asynccontextmanager
async def running_bot(
    path: Path,
    discord: FakeDiscord,
    model: Model,
    *,
    connected: bool = True,
    pace: float = PACE,
    waits: Waits = WAITS,
    wrap: Callable[[SQLiteDatabase], Database] = lambda database: database,
    admins: Collection[User] = (),
    gadgets: Sequence[Gadget] = (shout, whisper),
    allowances: Allowances | None = None,
    rights: Rights | None = None,
    trace: TraceConfig | None = None,
    **settings: Any,
) -> AsyncIterator[Bot]:
    """`admins` are those whom the settings name."""
    async with AsyncExitStack() as stack:
        database = wrap(await stack.enter_async_context(SQLiteDatabase(str(path))))
        platform = DiscordPlatform(
            settings_for(discord, **settings),
            database,
            FileLimits(),
            pace=pace,
            waits=waits,
            trace=trace,
        )
        core = await stack.enter_async_context(
            core_around(
                database,
                model,
                platform,
                admins=[str(admin.id) for admin in admins],
                gadgets=gadgets,
                allowances=allowances,
                rights=rights,
            )
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
