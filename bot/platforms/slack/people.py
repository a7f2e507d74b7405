"""Who somebody is in Slack: the name people see, and whether they are an admin of the workspace."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import PlatformError, PlatformGone
from bot.platforms.platform import Author
from bot.platforms.slack.api import Api

_log = logging.getLogger(__name__)

KEPT_SECONDS = 600.0
MAX_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class _Person:
    name: str
    admin: bool
    until: float


class People:
    """Of one workspace. Asks Slack once in ten minutes for each."""

    def __init__(self, api: Api, now: Callable[[], float] = time.monotonic) -> None:
        self._api = api
        self._now = now
        self._known: dict[str, _Person] = {}

    async def author(self, user: str, *, direct: bool) -> Author:
        """`direct`: in a direct message, where nobody is an admin by their role."""
        person = await self._person(user)
        return Author(user, person.name, person.admin and not direct)

    async def vouched(self, user: str, *, direct: bool) -> Author:
        """As `author`, asked anew: for what only admins may."""
        self._known.pop(user, None)
        return await self.author(user, direct=direct)

    async def name(self, user: str) -> str:
        return (await self._person(user)).name

    async def _person(self, user: str) -> _Person:
        known = self._known.get(user)
        if known is not None and known.until > self._now():
            return known
        try:
            found = (await self._api.call("users.info", user=user))["user"]
        except (PlatformError, PlatformGone) as error:
            _log.warning("a person's name cannot be found out: %s", error)
            return _Person(user, admin=False, until=0.0)
        profile = found.get("profile") or {}
        name = profile.get("display_name") or found.get("real_name") or found.get("name") or user
        person = _Person(name, bool(found.get("is_admin") or found.get("is_owner")), self._now() + KEPT_SECONDS)
        if len(self._known) >= MAX_KEPT:
            self._known.pop(next(iter(self._known)))
        self._known[user] = person
        return person
