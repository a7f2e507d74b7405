"""Whatever a model server does, every turn ends within its deadline with one visible outcome."""

import random
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector

from bot.models.ollama import OllamaModel
from storage.database import Connection
from tests.core import running_core
from tests.fakes.ollama import FakeOllama, Installed
from tests.fakes.scripted import Script
from tests.fakes.stub_platform import StubPlatform, message
from tests.faults import HEALTHY, cuts, faulty
from tests.waiting import until_found

RANDOM_FAULTS = 1_100
THREADS = 100
MODEL = Installed("m", capabilities=("completion", "tools"))
DEADLINE = 4.0
MOST_SECONDS = 200.0


def outcomes(connection: Connection) -> list[tuple[str, str, str]]:
    sql = "SELECT user_message, status, agent_response FROM turns WHERE finished_at IS NOT NULL"
    return [tuple(row) for row in connection.execute(sql).fetchall()]


async def test_every_turn_ends_visibly_through_thousands_of_faults(tmp_path: Path) -> None:
    """900 resets, one at each byte of a stream, and 1,100 faults of all kinds, in 100 conversations at once.

    Every tenth message meets a healthy server and must get its answer.
    """
    draw = random.Random(7)
    scripts = list(chain(cuts(), (faulty(draw) for _ in range(RANDOM_FAULTS))))
    draw.shuffle(scripts)

    def answer(request: dict[str, Any]) -> Script:
        asked = next(m["content"] for m in reversed(request["messages"]) if m["role"] == "user")
        number = int(asked.split()[1])
        return Script(text=HEALTHY) if number % 10 == 0 else scripts[number]

    platform = StubPlatform(pace=float("inf"))
    async with (
        FakeOllama(models=[MODEL], num_parallel=1_000, answer=answer) as server,
        ClientSession(connector=TCPConnector(limit=0)) as http,
        running_core(
            tmp_path / "db",
            OllamaModel(http, host=server.host, name="m", first_token_seconds=1, idle_seconds=1),
            platform,
            seconds=DEADLINE,
        ) as core,
    ):
        for number in range(len(scripts)):
            await core.inbox.admit(message(f"question {number}", number, thread=f"t{number % THREADS}"))
        await until_found(
            lambda: core.database.read(outcomes), lambda found: len(found) == len(scripts), seconds=MOST_SECONDS
        )
        found = await core.database.read(outcomes)
        server.errors.clear()  # clients that went away in the middle of an answer
    assert len(platform.channel.messages) == len(scripts), "a turn was shown twice, or not at all"
    assert all(response.strip() for _, _, response in found)
    healthy = [(status, response) for asked, status, response in found if int(asked.split()[1]) % 10 == 0]
    assert Counter(healthy) == {("answered", "".join(HEALTHY)): len(scripts) // 10}
    assert {status for _, status, _ in found} == {"answered", "failed"}
    shown = "\n".join(posted.text for posted in platform.channel.messages.values())
    assert not any(secret in shown for secret in ("Traceback", "llama runner", "tool_call", server.host))
