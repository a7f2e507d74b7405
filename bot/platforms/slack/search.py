"""Finding again what was posted before a crash, by the metadata that every answer carries."""

import logging
from collections.abc import AsyncIterator
from typing import Any

from bot.platforms.platform import TurnRef
from bot.platforms.slack.api import Api, Refused
from bot.platforms.slack.places import Team, is_direct, question_of

_log = logging.getLogger(__name__)

EVENT_TYPE = "secret_agents_answer"
PAGE, MAX_PAGES = 200, 20
"""Of the messages behind a question; where Slack gives fewer at once, more pages are few messages."""


def metadata(name: str) -> dict[str, Any]:
    """What a message is recognised by."""
    return {"event_type": EVENT_TYPE, "event_payload": {"key": name}}


class Search:
    """For what a turn posted before it was interrupted, among our messages behind its question."""

    def __init__(self, api: Api, team: Team, turn: TurnRef) -> None:
        self._api = api
        self._team = team
        self._turn = turn

    async def posted(self, name: str, *, streamed: bool) -> str | None:
        """The ts of a part. A stream that nobody ended has no name: it is the one without, as answers come one after
        another.
        """
        async for message in self._ours():
            found = ((message.get("metadata") or {}).get("event_payload") or {}).get("key")
            nameless = streamed and found is None and not message.get("files") and is_direct(self._turn.key.channel)
            if found == name or nameless:
                return str(message["ts"])
        return None

    async def has_file(self, name: str) -> bool:
        async for message in self._ours():
            if any(file.get("name") == name for file in message.get("files") or []):
                return True
        return False

    async def _ours(self) -> AsyncIterator[dict[str, Any]]:
        question = question_of(self._turn)
        arguments: dict[str, Any] = {"channel": self._turn.key.channel, "ts": self._turn.key.thread, "limit": PAGE}
        arguments |= {"oldest": question, "include_all_metadata": "true"}
        ours = (self._team.bot_id, self._team.bot_user)
        for _ in range(MAX_PAGES):
            found = await self._page(arguments)
            for message in found.get("messages", []):
                if message["ts"] > question and (message.get("bot_id") in ours or message.get("user") in ours):
                    yield message
            arguments["cursor"] = (found.get("response_metadata") or {}).get("next_cursor")
            if not arguments["cursor"]:
                return

    async def _page(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Without leave to look there is nothing to be seen: an answer that may be there twice is better than none."""
        try:
            return await self._api.call("conversations.replies", **arguments)
        except Refused as refused:
            _log.warning("turn %d: what was posted before cannot be looked for: %s", self._turn.turn, refused)
            return {}
