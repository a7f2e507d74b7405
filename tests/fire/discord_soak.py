"""Two hours of a busy Discord server in two minutes, against the real program.

`python -m tests.fire.discord_soak --messages 5000 --threads 100` prints one line of counts and fails with the reason
when a question was not answered exactly once, or not in its turn.
"""

import random
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any

from tests.discord import in_discord
from tests.fakes.discord import FakeDiscord, Message
from tests.fire.soak import PATIENCE, Trouble, main

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = f"{MESSAGES}/{{message_id}}"


class DiscordCrowd:
    """One person in one channel; every question there opens a thread."""

    def __init__(self) -> None:
        self._discord = FakeDiscord()
        self._asked: list[list[Message]] = []

    @property
    def variables(self) -> Mapping[str, str]:
        return in_discord(self._discord)

    async def open(self, stack: AsyncExitStack) -> None:
        await self._discord.start()
        stack.push_async_callback(self._discord.stop)
        guild = self._discord.make_guild("HQ")
        self._general = self._discord.make_text_channel(guild, "general")
        self._alice = self._discord.make_user("alice", guild)

    def connection(self) -> Coroutine[Any, Any, None]:
        return self._connection(self._discord.counts.identifies)

    async def _connection(self, before: int) -> None:
        await self._discord.wait_for(lambda: self._discord.counts.identifies > before, seconds=PATIENCE)

    async def ask(self, thread: int, text: str) -> None:
        discord = self._discord
        if thread == len(self._asked):
            self._asked.append([discord.say(self._general, self._alice, f"{discord.bot.mention} {text}")])
            return
        root, channels = self._asked[thread][0].id, discord.world.channels
        await discord.wait_for(lambda: root in channels, seconds=PATIENCE)
        self._asked[thread].append(discord.say(channels[root], self._alice, text))

    def tell_again(self, thread: int, rng: random.Random) -> None:
        self._discord.redeliver(rng.choice(self._asked[thread]))

    def troubles(self) -> list[Trouble]:
        discord = self._discord
        return [
            ("reconnects", lambda: discord.kick(op=7)),
            ("broken lines", discord.kick),
            ("invalid sessions", lambda: discord.kick(op=9)),
            ("lost sessions", lambda: discord.kick(op=9, resumable=False)),
            ("bursts of 429", lambda: discord.fail_next("POST", MESSAGES, status=429, times=5, retry_after=0.3)),
            ("bursts of 429", lambda: discord.fail_next("PATCH", MESSAGE, status=429, times=5, retry_after=0.3)),
            ("unheard answers", lambda: discord.fail_next("POST", MESSAGES, status=None, times=3, after_effect=True)),
            ("failures", lambda: discord.fail_next("PATCH", MESSAGE, status=503, times=3)),
        ]

    def answers(self, thread: int) -> list[str]:
        channel = self._discord.world.channels[self._asked[thread][0].id]
        return [each.content for each in self._discord.messages(channel, by=self._discord.bot)]

    def problems(self) -> list[str]:
        outside = self._discord.messages(self._general, by=self._discord.bot)
        return [*self._discord.violations, *(f"{each.content} is in no thread" for each in outside)]


if __name__ == "__main__":
    main(lambda _: DiscordCrowd(), __doc__)
