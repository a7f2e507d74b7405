"""What a Slack message says, as the model is to read it."""

import re
from typing import Any

from bot.platforms import slack_text
from bot.platforms.files import MAX_NAMED, FileLimits, received
from bot.platforms.platform import Inbound
from bot.platforms.slack.api import Api
from bot.platforms.slack.files import sent_file
from bot.platforms.slack.people import People
from bot.platforms.slack.places import Team, event_key, is_direct, key_of_message

NOTHING_SAID = "(says only your name)"
MAX_NAMES = 20
"""People of one message whose names are looked up."""
_SOMEBODY = re.compile(r"<@([UW][A-Z0-9]{1,30})(?:\|[^>]*)?>")
Event = dict[str, Any]


class Questions:
    """Of one workspace."""

    def __init__(self, team: Team, api: Api, people: People, limits: FileLimits) -> None:
        self._team = team
        self._api = api
        self._people = people
        self._limits = limits

    async def inbound(self, event: Event) -> Inbound:
        direct = is_direct(event["channel"])
        limit = max(self._limits.image_bytes, self._limits.text_bytes)
        files = [await sent_file(self._api, file, limit) for file in (event.get("files") or [])[:MAX_NAMED]]
        return Inbound(
            key_of_message(self._team.id, event),
            await self._people.author(speaker_of(event), direct=direct),
            await self.text(event),
            event_key(self._team.id, event["channel"], event["ts"]),
            await received(files, self._limits),
            shared=not direct,
        )

    async def text(self, event: Event) -> str:
        """With names instead of ids, and without the bot's own at its beginning."""
        own = slack_text.without_mention(str(event.get("text") or ""), self._team.bot_user)
        ids = list(dict.fromkeys(_SOMEBODY.findall(own)))[:MAX_NAMES]
        names = {user: await self._people.name(user) for user in ids}
        text = slack_text.readable(own, names)
        return text if text.strip() or event.get("files") else NOTHING_SAID


def speaker_of(event: Event) -> str:
    """The id of who says it: a person, or an app or webhook that is no user. Empty where it is nobody."""
    return str(event.get("user") or event.get("bot_id") or "")
