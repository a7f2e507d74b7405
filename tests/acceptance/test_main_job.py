"""The main job on real parts: `secret-agents run`, the embedded language model, a real Chromium, a real database."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from bot.models.weights import LARGE, cache_dir, installed
from tests.chromium import Chromium, chromium
from tests.command import Command
from tests.fakes.open_meteo import OpenMeteo
from tests.page import page_of

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    pytest.importorskip("xllamacpp", reason="the embedded model's runtime is not installed")
    if installed(LARGE, cache_dir()) is None:
        pytest.skip("the embedded model is not in the cache: secret-agents model pull")
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        browser.patience = 150  # the model is loaded and its prompt read ahead first, on whatever processor this is
        yield browser


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with OpenMeteo() as weather:
        variables = {
            "SECRET_AGENTS_MODEL__PROVIDER": "embedded",
            "SECRET_AGENTS_EMBEDDED__SIZE": "large",
            "SECRET_AGENTS_WEB__PORT": "0",
            "SECRET_AGENTS_GADGETS__WEATHER__GEOCODING_URL": weather.geocoding_url,
            "SECRET_AGENTS_GADGETS__WEATHER__FORECAST_URL": weather.forecast_url,
        }
        async with Command(tmp_path, variables).running("run") as process:
            yield await page_of(process)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(15):
                assert await process.wait() == 0


async def test_a_person_gets_a_code_cracked_and_the_weather_told(browser: Chromium, url: str) -> None:
    """Both questions go to the real model, which chooses the gadget by itself; the record survives a reload."""
    await browser.open(url)
    await browser.see("#model", "qwen2.5-coder-1.5b-instruct")
    await browser.see('#model[data-health="ready"]')
    await browser.press("decrypt IFMMP with shift 1", Keys.ENTER)
    await browser.see(".answered .caption", "used decrypt")
    await browser.see(".answered .answer", "HELLO")
    await browser.press("What is the weather in Oslo?", Keys.ENTER)
    await browser.see(".answered .caption", "used weather")
    answers = await browser.texts(".answered .answer")
    assert "Oslo" in answers[-1]
    await browser.do(lambda chrome: chrome.refresh())
    await browser.see(".answered .answer", "HELLO")
    assert await browser.texts(".answered .answer") == answers
    assert await browser.mistakes() == []
