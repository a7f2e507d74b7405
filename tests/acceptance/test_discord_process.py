"""The real program in Discord: asked to end, it ends in time, whatever Discord does, and goes on when it starts."""

import asyncio
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.command import Command, answered_by
from tests.discord import in_discord
from tests.fakes.discord import Channel, FakeDiscord
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script

PROMISE = 10.0
"""Seconds within which the program has ended."""
TOKEN = "token-of-the-operator"


async def ends(bot: Process) -> int:
    """The status, within the time that is promised."""
    bot.send_signal(signal.SIGTERM)
    return await asyncio.wait_for(bot.wait(), PROMISE)


class Relay:
    """Discord behind a line that can fall silent: nothing is refused or closed, nothing comes through."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._pumps: set[asyncio.Task[None]] = set()
        self._lines: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._silent = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """At this host and port."""
        async with await asyncio.start_server(self._connected, "127.0.0.1", 0) as server:
            yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            self.fall_silent()
            for _, writer in self._lines:
                writer.close()

    def fall_silent(self) -> None:
        self._silent = True
        for pump in self._pumps:
            pump.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._behind)
        self._lines += [(reader, writer), (far_reader, far_writer)]
        if not self._silent:
            self._pumps |= {
                asyncio.create_task(_pumped(reader, far_writer)),
                asyncio.create_task(_pumped(far_reader, writer)),
            }


async def _pumped(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(65_536):
        sink.write(data)
    sink.close()


class Talker:
    """The model: repeats the question word by word; while `stalling` it falls silent in the middle of some."""

    def __init__(self) -> None:
        self.stalling = True

    def answer(self, request: dict[str, Any]) -> Script:
        question: str = request["messages"][-1]["content"]
        words = [f"{word} " for word in f"You said: {question}".split()]
        return Script(text=words, delay=0.1, stall_after=3 if self.stalling and "never" in question else None)


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord.running(token=TOKEN) as discord:
        yield discord


@pytest.fixture
def talker(ollama: FakeOllama) -> Talker:
    talker = Talker()
    ollama.answer = talker.answer
    return talker


@pytest.fixture
def command(tmp_path: Path, ollama: FakeOllama, discord: FakeDiscord) -> Command:
    return Command(tmp_path, answered_by(ollama.host) | in_discord(discord))


def said(discord: FakeDiscord, channel: Channel) -> list[str]:
    return [message.content for message in discord.messages(channel, by=discord.bot)]


async def test_running_answers_end_or_go_on_after_the_next_start(
    command: Command, discord: FakeDiscord, talker: Talker
) -> None:
    alice, bob = discord.make_user("alice"), discord.make_user("bob")
    quick, slow = discord.dm(alice), discord.dm(bob)
    async with command.running("run") as bot:
        await discord.connected()
        discord.say(quick, alice, "one two three four five")
        discord.say(slow, bob, "I never end")
        await discord.wait_for(lambda: all("You" in "".join(said(discord, each)) for each in (quick, slow)))
        discord.say(slow, bob, "and then?")
        assert await ends(bot) == 0
        discord.say(slow, bob, "are you there?")
    assert said(discord, quick) == ["You said: one two three four five"]
    assert len(said(discord, slow)) == 1
    talker.stalling = False
    wanted = [f"You said: {text}" for text in ("I never end", "and then?", "are you there?")]
    async with command.running("run") as bot:
        await discord.wait_for(lambda: said(discord, slow) == wanted)
        assert await ends(bot) == 0


async def test_it_ends_in_time_when_discord_falls_silent(
    command: Command, discord: FakeDiscord, talker: Talker
) -> None:
    alice = discord.make_user("alice")
    relay = Relay(int(discord.api_url.split(":")[2].split("/")[0]))
    async with relay.running() as address:
        command.variables["SECRET_AGENTS_DISCORD__API_URL"] = f"http://{address}/api/v10"
        command.variables["SECRET_AGENTS_DISCORD__GATEWAY_URL"] = f"ws://{address}/gateway"
        async with command.running("run") as bot:
            await discord.connected()
            discord.say(discord.dm(alice), alice, "I never end")
            await discord.wait_for(lambda: said(discord, discord.dm(alice)))
            relay.fall_silent()
            assert await ends(bot) == 0


async def test_it_ends_in_time_while_it_connects_again(command: Command, discord: FakeDiscord) -> None:
    async with command.running("run") as bot:
        await discord.connected()
        discord.pause_gateway(forget=False)
        await discord.wait_for(lambda: not discord.gateway.connected)
        assert await ends(bot) == 0
    discord.unpause_gateway()


ATTEMPTS = 3


async def test_it_ends_with_what_to_do_when_the_token_is_revoked(command: Command, discord: FakeDiscord) -> None:
    async with command.running("run") as bot:
        ending = asyncio.create_task(bot.communicate())
        for _ in range(ATTEMPTS):  # discord.py begins anew a session that is closed while it begins
            await discord.connected()
            discord.kick(code=4004)
            await asyncio.wait([ending], timeout=PROMISE)
            if ending.done():
                break
        _, log = await asyncio.wait_for(ending, PROMISE)
        assert bot.returncode != 0
    assert "[discord] token: Discord does not accept it" in log.decode()
    assert TOKEN not in log.decode()
    assert "Traceback" not in log.decode()
