"""Hours of a busy Slack workspace in minutes, against the real program.

`python -m tests.fire.slack_soak --messages 5000 --threads 100` prints one line of counts and fails with the reason
when a question was not answered exactly once, or not in its turn.
"""

import asyncio
import random
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from tests.fakes.slack import ALICE, GENERAL, FakeSlack, Message
from tests.fire.soak import DUPLICATES, Trouble, main
from tests.slack import in_slack

SPEED = 60.0
"""Slack's minutes are seconds here."""
POST, UPDATE = "chat.postMessage", "chat.update"
START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"


class SlackCrowd:
    """Every third thread is a direct message. Who asks waits until Slack knows that the last message of the thread has
    arrived: of two that are on their way, either may come first.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._asked: list[list[Message]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def variables(self) -> Mapping[str, str]:
        return in_slack(self._slack)

    async def open(self, stack: AsyncExitStack) -> None:
        self._slack = await stack.enter_async_context(FakeSlack.running(speed=SPEED, seed=self._seed))
        self._slack.dispatcher.duplicate_share = DUPLICATES
        self._direct = self._slack.team.dm(ALICE)

    def connection(self) -> Coroutine[Any, Any, None]:
        return self._connection(len(self._slack.called("auth.test")))

    async def _connection(self, before: int) -> None:
        await self._slack.changes.until(lambda: len(self._slack.called("auth.test")) > before, seconds=None)
        await self._slack.changes.until(lambda: self._slack.socket_mode.sockets, seconds=None)

    async def ask(self, thread: int, text: str) -> None:
        team = self._slack.team
        if thread == len(self._asked):
            private = thread % 3 == 0
            said = team.say(self._direct if private else GENERAL, ALICE, text if private else f"{team.mention} {text}")
            self._asked.append([said])
            return
        before = self._asked[thread][-1]
        await self._slack.changes.until(lambda: all(each.acknowledged for each in before.deliveries), seconds=None)
        self._asked[thread].append(team.say(before.channel, ALICE, text, thread_ts=before.root))

    def tell_again(self, thread: int, rng: random.Random) -> None:
        self._slack.redeliver(rng.choice(rng.choice(self._asked[thread]).deliveries))

    def troubles(self) -> list[Trouble]:
        fail, socket = self._slack.fail_next, self._slack.socket_mode
        return [
            ("refreshed sockets", lambda: self._spawn(socket.refresh())),
            ("warned sockets", lambda: self._spawn(socket.warn())),
            ("closed sockets", lambda: self._spawn(socket.kick())),
            ("cut lines", lambda: self._spawn(socket.cut())),
            *(("bursts of 429", partial(fail, method, status=429, times=3, retry_after=1)) for method in LIMITED),
            *(("unheard answers", partial(fail, method, drop=True, times=3, after_effect=True)) for method in CALLED),
            *(("failures", partial(fail, method, status=503, times=3)) for method in CALLED),
        ]

    def answers(self, thread: int) -> list[str]:
        first = self._asked[thread][0]
        return [message.shown for message in self._slack.team.by_bot(first.channel, first.root)]

    def problems(self) -> list[str]:
        now, team = self._slack.clock.now(), self._slack.team
        streaming = [message for message in team.posts() if message.streaming(now)]
        working = [thread for thread, session in team.sessions.items() if session.status != "active"]
        return [
            *self._slack.violations,
            *(f"{message.shown} is a stream still" for message in streaming),
            *(f"{thread} is being worked on still" for thread in working),
        ]

    def _spawn(self, trouble: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(task := asyncio.create_task(trouble))
        task.add_done_callback(self._tasks.discard)


CALLED = (POST, UPDATE, START, APPEND, STOP)
LIMITED = (*CALLED, "agents.sessions.setStatus", "users.info")

if __name__ == "__main__":
    main(SlackCrowd, __doc__)
