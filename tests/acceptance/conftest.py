"""The command, answered by a fake Ollama."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.command import Command, answered_by
from tests.fakes.ollama import FakeOllama


@pytest.fixture
async def ollama() -> AsyncIterator[FakeOllama]:
    async with FakeOllama(num_parallel=100) as fake:
        yield fake
        fake.errors.clear()  # of clients that were killed, or ended, in the middle of an answer


@pytest.fixture
async def command(tmp_path: Path, ollama: FakeOllama) -> Command:
    return Command(tmp_path, answered_by(ollama.host))
