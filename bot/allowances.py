"""How much each person and each workspace may ask of the bot, and the sentence for those who ask too much."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.command_rights import Rights
from bot.errors import OverLimit
from bot.platforms.platform import Author, ConversationKey
from storage.quotas import Exceeded, Quotas, Sender

MAX_TOLD = 10_000
"""People who are remembered to have been told; beyond, some are told twice."""

_Told = tuple[Sender, str]


class Allowances:
    """The limits, who is exempt from them, and who has been told of which.

    What counts is in the database. Only who was told is in memory: after a restart somebody may be told once more.
    """

    def __init__(
        self,
        quotas: Quotas | None = None,
        rights: Rights | None = None,
        *,
        exempt_admins: bool = True,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._quotas = quotas or Quotas()
        self._rights = rights or Rights({})
        self._exempt_admins = exempt_admins
        self._now = now
        self._told: dict[_Told, float] = {}

    def of(self, key: ConversationKey, author: Author, *, missed: bool = False) -> Quotas | None:
        """What holds for this person in this place; None for those who may ask as much as they like.

        Of `missed` messages it does not count how fast they come.
        """
        admin = author.admin or self._rights.is_named(key.platform, author)
        quotas = self._quotas if not missed else self._quotas.of_tokens
        free = (admin and self._exempt_admins) or quotas == Quotas()
        return None if free else quotas

    def refusal(self, over: Exceeded, key: ConversationKey, author: Author) -> OverLimit:
        """For whoever asked too much. It is `told` from the second time on until there was room again."""
        about = (sender_of(key, author), f"{over.whose} {over.what}")
        now = self._now()
        told = self._told.get(about, 0.0) > now
        if not told:
            self._forget(now)
            self._told[about] = now + over.seconds
        return OverLimit(sentence(over), until=datetime.now(UTC) + timedelta(seconds=over.seconds), told=told)

    def _forget(self, now: float) -> None:
        if len(self._told) >= MAX_TOLD:
            self._told = {about: until for about, until in self._told.items() if until > now}
        if len(self._told) >= MAX_TOLD:
            self._told.clear()


def sender_of(key: ConversationKey, author: Author) -> Sender:
    return Sender(key.platform, key.workspace, author.id)


def sentence(over: Exceeded) -> str:
    what = {
        ("user", "messages"): "You have sent {limit} in the last minute",
        ("workspace", "messages"): "All of you here have sent {limit} in the last minute",
        ("user", "tokens"): "You have used up what you may ask of me in a day",
        ("workspace", "tokens"): "All of you here have used up what you may ask of me in a day",
    }[over.whose, over.what]
    limit = _counted(over.limit, "message")
    return f"{what.format(limit=limit)}; I can take the next one in {_duration(over.seconds)}."


def _duration(seconds: int) -> str:
    """Rounded up to what a person would say."""
    if seconds <= 90:
        return _counted(seconds, "second")
    minutes = -(-seconds // 60)
    return _counted(minutes, "minute") if minutes <= 90 else _counted(-(-minutes // 60), "hour")


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
