"""The real Slack platform, connected to the fake Slack, with the real core behind it and a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.models.model import Model
from bot.platforms.files import FileLimits
from bot.platforms.slack.platform import SlackPlatform
from bot.settings.sections import Slack
from storage.sqlite import SQLiteDatabase
from tests.core import Core, core_around
from tests.fakes.slack import FakeSlack, Team
from tests.waiting import until

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@dataclass(slots=True)
class Bot:
    """A bot in Slack. `stop` ends it as the program's end does."""

    core: Core[SlackPlatform]
    serving: asyncio.Task[None]
    stop: Callable[[], Awaitable[None]]


def settings_for(slack: FakeSlack, team: Team | None = None, **settings: Any) -> Slack:
    """Without `mode` it is a socket."""
    return Slack(
        bot_token=SecretStr((team or slack.team).bot_token),
        app_token=SecretStr(slack.app_token),
        signing_secret=SecretStr(SIGNING_SECRET),
        api_url=slack.api_url,
        **settings,
    )


@asynccontextmanager
async def running_bot(
    path: Path, slack: FakeSlack, model: Model, *, pace: float = 0.02, **settings: Any
) -> AsyncIterator[Bot]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(SQLiteDatabase(str(path)))
        chosen = settings_for(slack, **settings)
        platform = SlackPlatform(chosen, database, FileLimits(), pace=pace, serve=("127.0.0.1", 0))
        core = await stack.enter_async_context(core_around(database, model, platform))
        serving = asyncio.create_task(platform.run())
        stack.push_async_callback(_ended, serving)
        await stack.enter_async_context(core.engine)
        if chosen.mode == "socket":
            await slack.socket_mode.connected(1)
        else:
            await until(lambda: platform.requests is not None and platform.requests.app is not None)
            slack.deliver_over_http(platform.url, SIGNING_SECRET)
        yield Bot(core, serving, lambda: _ended(serving))


async def _ended(serving: asyncio.Task[None]) -> None:
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
