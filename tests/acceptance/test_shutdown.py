"""Asked to end, the program begins nothing more, ends within ten seconds, and goes on with the rest when it starts."""

import asyncio
import signal
import sqlite3
from asyncio.subprocess import Process
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from math import inf
from pathlib import Path
from typing import Any

import pytest

from bot.models.weights import LARGE, cache_dir, installed
from tests.command import Command, answered_by
from tests.fakes.ollama import FakeOllama
from tests.fakes.open_meteo import OpenMeteo
from tests.fakes.other_process import PAUSE, other_process
from tests.fakes.scripted import Script
from tests.page import page_of
from tests.waiting import until, until_found
from tests.web import Browser, Page

PROMISE = 10.0
"""Seconds within which the program has ended."""
QUICK, SLOW = ("Oslo", "Tokyo", "Denver"), ("Seattle", "Phoenix", "Springfield")
"""What is asked about: the model is through with some within the time of grace, and silent about others."""
WORDS = [f"word{number} " for number in range(40)]
WHOLE = "".join(WORDS).strip()


class Talker:
    """The model: asks for the weather, then tells it, slowly. `stalling`: it falls silent in the middle of some."""

    def __init__(self) -> None:
        self.stalling = True

    def answer(self, request: dict[str, Any]) -> Script:
        question, *results = said(request)
        if question == "And then?":
            return Script(text=("Nothing more.",))
        if not results:
            return Script(tool_calls=({"name": "weather", "arguments": {"city": question.split()[-1]}},))
        if not self.stalling:
            return Script(text=WORDS)
        return Script(text=WORDS, delay=0.05, stall_after=20 if question.split()[-1] in SLOW else None)


def said(request: dict[str, Any]) -> list[str]:
    """The question, and what came after it: results of gadgets."""
    messages = request["messages"]
    asked = max(number for number, message in enumerate(messages) if message["role"] == "user")
    return [message["content"] for message in messages[asked:] if message["role"] in {"user", "tool"}]


@pytest.fixture
async def weather() -> AsyncIterator[OpenMeteo]:
    async with OpenMeteo() as server:
        yield server


@pytest.fixture
def talker(ollama: FakeOllama) -> Talker:
    talker = Talker()
    ollama.answer = talker.answer
    return talker


@pytest.fixture
def command(tmp_path: Path, ollama: FakeOllama, weather: OpenMeteo) -> Command:
    places = {"GEOCODING_URL": weather.geocoding_url, "FORECAST_URL": weather.forecast_url}
    named = {f"SECRET_AGENTS_GADGETS__WEATHER__{name}": url for name, url in places.items()}
    return Command(tmp_path, answered_by(ollama.host) | named)


def stored(folder: Path) -> list[tuple[str, str, str]]:
    """Every message with its status and answer."""
    with closing(sqlite3.connect(folder / "data" / "secret-agents.db")) as connection:
        sql = "SELECT user_message, status, coalesce(agent_response, '') FROM turns ORDER BY id"
        return connection.execute(sql).fetchall()


async def ends(process: Process, *signals: signal.Signals) -> int:
    """The status, within the time that is promised."""
    async with asyncio.timeout(PROMISE):
        for each in signals:
            process.send_signal(each)
            await asyncio.sleep(0.1)
        return await process.wait()


async def ask(page: Page) -> None:
    """Six missions whose answers are being written, and two messages that wait behind them."""
    missions = {}
    for city in QUICK + SLOW:
        await page.send("message", text=f"The weather in {city}", message_id=city)
        missions[city] = (await page.get("status", state="received", message_id=city))["conversation_id"]
    writing: set[str] = set()
    while len(writing) < len(missions):
        writing.add((await page.get("response_chunk"))["message_id"])
    for city in (QUICK[0], SLOW[0]):
        await page.send("message", text="And then?", message_id=f"then-{city}", conversation_id=missions[city])
        await page.get("status", state="received", message_id=f"then-{city}")


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGTERM], [signal.SIGINT, signal.SIGTERM, signal.SIGINT]],
    ids=["asked once", "asked again and again"],
)
async def test_running_answers_end_or_go_on_after_the_next_start_and_nothing_is_repeated(
    command: Command,
    ollama: FakeOllama,
    weather: OpenMeteo,
    talker: Talker,
    tmp_path: Path,
    signals: list[signal.Signals],
) -> None:
    async with command.running("run") as bot, Browser(f"{await page_of(bot)}/") as browser, browser.connect() as page:
        await ask(page)
        asked = len(ollama.requests)
        assert await ends(bot, *signals) == 0
    assert len(ollama.requests) == asked, "nothing was begun after the signal"
    half = Counter((status, answer) for _, status, answer in stored(tmp_path))
    assert half == {("answered", WHOLE): 3, ("running", ""): 3, ("queued", ""): 2}

    talker.stalling = False
    async with command.running("run") as bot:
        await page_of(bot)
        await until_found(
            lambda: asyncio.to_thread(stored, tmp_path), lambda found: {each[1] for each in found} == {"answered"}
        )
        assert await ends(bot, signal.SIGTERM) == 0
    assert [(text, answer) for text, _, answer in stored(tmp_path)] == [
        *((f"The weather in {city}", WHOLE) for city in QUICK + SLOW),
        *[("And then?", "Nothing more.")] * 2,
    ]
    steps = Counter((question, len(results)) for question, *results in map(said, ollama.requests))
    assert steps == {
        **{(f"The weather in {city}", 0): 1 for city in QUICK + SLOW},
        **{(f"The weather in {city}", 1): 1 for city in QUICK},
        **{(f"The weather in {city}", 1): 2 for city in SLOW},
        ("And then?", 0): 2,
    }
    forecasts = Counter(each.query["latitude"] for each in weather.requests if each.path == "/v1/forecast")
    assert sorted(forecasts.values()) == [1] * 6


HOLD_LOCKED = f"""
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
{PAUSE}
connection.execute("ROLLBACK")
"""


async def deaf_page(url: str) -> asyncio.StreamWriter:
    """A page that is connected and then neither reads nor answers."""
    host, port = url.removeprefix("http://").rsplit(":", 1)
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    assert b"101" in await reader.readline()
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # the writer's transport reads, too
    return writer


@pytest.mark.parametrize("seconds", [4.5, inf], ids=lambda seconds: f"{seconds} s")
async def test_it_ends_in_time_even_when_nothing_around_it_answers(
    command: Command, ollama: FakeOllama, tmp_path: Path, seconds: float
) -> None:
    """The database is locked, a page neither reads nor closes its connection, the model never ends its answer; or it
    does, late in the time of grace, and the answer cannot be saved."""
    ollama.answer = lambda _: Script(
        text=WORDS, delay=min(seconds, 6) / len(WORDS), stall_after=None if seconds < inf else 20
    )
    async with command.running("run") as bot:
        url = await page_of(bot)
        deaf = await deaf_page(url)
        async with Browser(f"{url}/") as browser, browser.connect() as page:
            await page.send("message", text="Tell me a story", message_id="m1")
            await page.get("response_chunk")
            with other_process(HOLD_LOCKED, tmp_path / "data" / "secret-agents.db"):
                await page.send("message", text="And then?", message_id="m2")
                assert await ends(bot, signal.SIGTERM) == 0
        deaf.close()
    assert stored(tmp_path) == [("Tell me a story", "running", "")]


@pytest.mark.parametrize("name", ["run", "chat"])
async def test_a_start_that_waits_for_a_silent_server_is_given_up(command: Command, name: str) -> None:
    """`chat` tells by its status that it was a signal."""
    clients: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: clients.append(writer), "127.0.0.1", 0)
    command.variables["OLLAMA_HOST"] = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with command.running(name) as bot:
        await until(lambda: clients)
        status = await ends(bot, signal.SIGTERM)
        assert bot.stderr is not None
        assert await bot.stderr.read() == b""
    server.close()
    for client in clients:
        client.close()
    assert status == (0 if name == "run" else 128 + signal.SIGTERM)


async def test_a_signal_at_any_moment_of_the_start_ends_it_in_good_order(
    command: Command, ollama: FakeOllama, weather: OpenMeteo, talker: Talker, tmp_path: Path
) -> None:
    """A message waits for an answer meanwhile. Before the program listens, the operating system ends it by itself."""
    async with command.running("run") as bot, Browser(f"{await page_of(bot)}/") as browser, browser.connect() as page:
        await page.send("message", text="The weather in Seattle", message_id="m1")
        await page.get("response_chunk")
        bot.kill()
    talker.stalling = False
    command.variables["PYTHONWARNINGS"] = "error,ignore::ResourceWarning"  # a socket that is just being opened
    for moment in range(8):
        async with command.running("run") as bot:
            await asyncio.sleep(moment / 6)
            status = await ends(bot, signal.SIGTERM)
            assert bot.stderr is not None
            told = (await bot.stderr.read()).decode()
            assert status in {0, -signal.SIGTERM}, told
            assert "Traceback" not in told
    async with command.running("run") as bot:
        await page_of(bot)
        await until_found(lambda: asyncio.to_thread(stored, tmp_path), lambda found: found[0][1] == "answered")
        assert await ends(bot, signal.SIGTERM) == 0
    assert stored(tmp_path) == [("The weather in Seattle", "answered", WHOLE)]
    assert [each.path for each in weather.requests].count("/v1/forecast") == 1


async def test_a_model_that_is_being_loaded_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """Its own process ends, too: nothing holds the database's lock or the memory afterwards."""
    pytest.importorskip("xllamacpp", reason="the embedded model's runtime is not installed")
    if not await asyncio.to_thread(installed, LARGE, cache_dir()):
        pytest.skip("the embedded model is not in the cache: secret-agents model pull")
    variables = {
        "SECRET_AGENTS_MODEL__PROVIDER": "embedded",
        "SECRET_AGENTS_EMBEDDED__SIZE": "large",
        "SECRET_AGENTS_WEB__PORT": "0",
    }
    async with Command(tmp_path, variables).running("run") as bot:
        url = await page_of(bot)
        async with Browser(f"{url}/") as browser, browser.connect() as page:
            assert (await page.get("status", state="model"))["health"] == "loading"
            await page.send("message", text="Hello?", message_id="m1")
            await page.get("status", state="working")
            assert await ends(bot, signal.SIGTERM) == 0
        assert bot.stderr is not None
        assert b"Traceback" not in await bot.stderr.read()  # and read to its end: no child keeps the pipe open
    [(_, status, _)] = stored(tmp_path)
    assert status in {"running", "answered"}  # a fast machine is through with it in the time of grace
