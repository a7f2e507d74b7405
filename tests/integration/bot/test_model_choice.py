"""What the settings say of a model reaches it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.model_choice import choose_model
from bot.settings import Settings
from bot.settings.sections import ModelChoice, Ollama, OpenAI
from tests.fakes.ollama import FakeOllama
from tests.fakes.openai import FakeOpenAI


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize(("vision", "sees"), [(None, False), (True, True), (False, False)])
async def test_the_operator_says_whether_a_model_sees(
    http: aiohttp.ClientSession, vision: bool | None, sees: bool
) -> None:
    async with FakeOllama() as ollama, FakeOpenAI() as openai:
        choices = [
            Settings(model=ModelChoice(provider="ollama", vision=vision), ollama=Ollama(host=ollama.host)),
            Settings(
                model=ModelChoice(provider="openai", name="test-model", vision=vision),
                openai=OpenAI(base_url=openai.base_url),
            ),
        ]
        for settings in choices:
            async with await choose_model(settings, http) as model:
                assert (await model.capabilities()).vision is sees
