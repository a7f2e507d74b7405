"""The platforms under contract. A new one joins with a stage in `STAGES`."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from tests.contract.platforms.discord_stage import discord_stage
from tests.contract.platforms.slack_stage import slack_stage
from tests.contract.platforms.stage import Stage
from tests.contract.platforms.terminal_stage import terminal_stage
from tests.contract.platforms.web_stage import web_stage

STAGES: dict[str, Callable[[], AbstractAsyncContextManager[Stage]]] = {
    "discord": lambda: discord_stage(direct=False),
    "discord-direct": lambda: discord_stage(direct=True),
    "slack": lambda: slack_stage(direct=False),
    "slack-direct": lambda: slack_stage(direct=True),
    "web": web_stage,
    "terminal": terminal_stage,
}


@pytest.fixture(params=STAGES)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """At the end nothing that the bot said has pinged, run or commanded anything."""
    async with STAGES[request.param]() as opened:
        yield opened
        assert opened.harm() == []
