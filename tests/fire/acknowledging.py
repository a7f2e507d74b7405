"""A process that only takes messages in, to be watched by strace: an acknowledgement is a line in a file.

`python -m tests.fire.acknowledging DATABASE ACKNOWLEDGEMENTS`: some messages one after another, then many at once.
"""

import asyncio
import os
import sys
from typing import Self

from bot.agent.roster import Roster
from bot.inbox import Inbox
from bot.platforms.platform import Author, ConversationKey, Inbound
from storage.sqlite import SQLiteDatabase
from tests.core import PROFILE

ALONE = 60
TOGETHER = (2, 3, 5, 8, 13, 21, 34, 55)
"""How many are admitted at once, again and again."""
THREADS = 5
TOTAL = ALONE + sum(TOGETHER)


def event_key(number: int) -> str:
    """No key is part of another one: they are looked for in what is written."""
    return f"stub:event-{number:04}."


class Nobody:
    """An engine that leaves every turn in the queue."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    def wake(self, conversation: int) -> None:
        pass

    def stop(self, conversation: int) -> None:
        pass


async def take_and_acknowledge(inbox: Inbox, number: int, acknowledgements: int) -> None:
    key = ConversationKey("stub", "w", "c", f"t{number % THREADS}")
    await inbox.admit(Inbound(key, Author("u1", "Alice"), f"question {number}", event_key(number)))
    os.write(acknowledgements, f"{event_key(number)}\n".encode())


async def main(path: str, acknowledgements: int) -> None:
    async with SQLiteDatabase(path) as database:
        inbox = Inbox(database, Nobody(), Roster({PROFILE.name: PROFILE}, PROFILE.name))
        for number in range(ALONE):
            await take_and_acknowledge(inbox, number, acknowledgements)
        first = ALONE
        for count in TOGETHER:
            numbers = range(first, first + count)
            await asyncio.gather(*(take_and_acknowledge(inbox, each, acknowledgements) for each in numbers))
            first += count


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT, 0o600)))
