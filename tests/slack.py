"""The real Slack platform, connected to the fake Slack, with the real core behind it and a scripted model."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import TraceConfig
from pydantic import SecretStr

from bot.agent.task import Limits
from bot.allowances import Allowances
from bot.command_rights import Rights
from bot.models.model import Model
from bot.platforms.files import FileLimits
from bot.platforms.slack.platform import SlackPlatform
from bot.settings.sections import Slack
from gadgets.gadget import Gadget
from storage.database import Database
from storage.sqlite import SQLiteDatabase
from tests.core import LIMITS, Core, core_around, shout, whisper
from tests.fakes.slack import FakeSlack, Team

SIGNING_SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@dataclass(slots=True)
class Bot:
    """A bot in Slack. `stop` ends its connection as the program's end does."""

    core: Core[SlackPlatform]
    serving: asyncio.Task[None]
    stop: Callable[[], Awaitable[None]]

    async def kill(self) -> None:
        """Its answers break off wherever they are, and are not gone on with, as in a crash."""
        tasks = [task for task in asyncio.all_tasks() if task.get_name().startswith("conversation-")]
        for task in [*tasks, self.serving]:
            task.cancel()
        await asyncio.wait([*tasks, self.serving])


def settings_for(slack: FakeSlack, team: Team | None = None, **settings: Any) -> Slack:
    """Without `mode` it is a socket."""
    return Slack(
        bot_token=SecretStr((team or slack.team).bot_token),
        app_token=SecretStr(slack.app_token),
        signing_secret=SecretStr(SIGNING_SECRET),
        api_url=slack.api_url,
        **settings,
    )


def in_slack(slack: FakeSlack) -> dict[str, str]:
    """The environment in which the program runs in Slack, through a socket, and nowhere else."""
    url = {"SECRET_AGENTS_SLACK__API_URL": slack.api_url, "SECRET_AGENTS_WEB__ENABLED": "false"}
    return url | {"SLACK_BOT_TOKEN": slack.team.bot_token, "SLACK_APP_TOKEN": slack.app_token}


@asynccontextmanager
async def running_bot(
    path: Path,
    slack: FakeSlack,
    model: Model,
    *,
    connected: bool = True,
    pace: float = 0.02,
    wrap: Callable[[SQLiteDatabase], Database] = lambda database: database,
    admins: Collection[str] = (),
    limits: Limits = LIMITS,
    gadgets: Sequence[Gadget] = (shout, whisper),
    allowances: Allowances | None = None,
    rights: Rights | None = None,
    trace: TraceConfig | None = None,
    **settings: Any,
) -> AsyncIterator[Bot]:
    """`admins` are those whom the settings name."""
    async with AsyncExitStack() as stack:
        database = wrap(await stack.enter_async_context(SQLiteDatabase(str(path))))
        chosen = settings_for(slack, **settings)
        platform = SlackPlatform(chosen, database, FileLimits(), pace=pace, serve=("127.0.0.1", 0), trace=trace)
        core = await stack.enter_async_context(
            core_around(
                database,
                model,
                platform,
                admins=admins,
                limits=limits,
                gadgets=gadgets,
                allowances=allowances,
                rights=rights,
            )
        )
        serving = asyncio.create_task(platform.run())
        stack.push_async_callback(_ended, serving)
        await stack.enter_async_context(core.engine)
        if connected:
            await _connected(platform, slack)
        yield Bot(core, serving, lambda: _ended(serving))


async def _connected(platform: SlackPlatform, slack: FakeSlack) -> None:
    if platform.requests is None:
        await slack.socket_mode.connected(1)
        return
    await platform.requests.connected.wait()
    slack.deliver_over_http(platform.url, SIGNING_SECRET)


async def _ended(serving: asyncio.Task[None]) -> None:
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving
