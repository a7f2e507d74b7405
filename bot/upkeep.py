"""What the bot does for its database beside answering: once when it starts, and then once a day."""

import asyncio
import logging
from pathlib import Path
from typing import Self

from bot.forgetting import Forgetting
from storage import pruning, retention
from storage.clock import utc_now
from storage.database import Database
from storage.errors import StorageError
from storage.pruning_file import list_file, reconcile
from storage.retention import Policy

_log = logging.getLogger(__name__)

DAY_SECONDS = 86_400.0
AHEAD = (
    "the clock is more than %d days ahead of when it was last looked at: no mission is removed today; if it is right,"
    " those that are too old go tomorrow"
)


class Upkeep:
    """`async with`: before anybody is answered, what a restored backup brought back of people who were forgotten is
    erased again; then, in the background, traces of what was erased are wiped out and old missions removed.

    `file` is the database's, None where it has none. Raises StorageError when the list of them cannot be read.
    """

    def __init__(
        self,
        database: Database,
        policy: Policy,
        *,
        file: Path | None = None,
        every: float = DAY_SECONDS,
    ) -> None:
        self._database = database
        self._policy = policy
        self._file = file
        self._every = every
        self._forgetting = Forgetting(database, file=file)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._file is not None:
            erased = await reconcile(self._database, list_file(self._file))
            if erased:
                _log.warning("what the database had again of people who were forgotten is erased: %s", erased)
        self._task = asyncio.create_task(self._run(), name="upkeep")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """What is going on is broken off; it is gone on with the next time."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:  # until the program ends
            try:
                await self.once()
            except StorageError as error:
                _log.error("the database could not be looked after: %s", error)
            except Exception:  # noqa: BLE001 - a mistake of ours; people are answered nevertheless
                _log.exception("the database could not be looked after")
            await asyncio.sleep(self._every)

    async def once(self) -> None:
        """Raises StorageError."""
        await self._forgetting.tidy()
        await self._database.write(pruning.expire, utc_now())
        if not self._policy:
            return
        if await self._database.write(retention.look_at_clock, utc_now()) == "ahead":
            _log.warning(AHEAD, retention.AHEAD_DAYS)
            return
        for platform, removed in (await retention.remove(self._database, self._policy)).items():
            _log.info("%s: %d missions with %d messages were too old", platform, removed.missions, removed.messages)
