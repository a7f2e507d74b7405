"""A page whose agent repeats what it is told."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes.scripted_model import ScriptedModel, echo
from tests.web import Browser, Site, running_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path / "t.db", ScriptedModel(answer=echo)) as site:
        yield site


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[Browser]:
    async with Browser(site.url) as browser:
        yield browser


@pytest.fixture(params=["socket", "http"])
def mode(request: pytest.FixtureRequest) -> str:
    """How Slack reaches the bot."""
    return str(request.param)
