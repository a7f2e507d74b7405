"""A workspace with people in the fake Slack, and the real bot in it: where Slack tests begin."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.models.model import UserMessage
from storage.conversations import Conversation, Place
from storage.database import Connection
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.slack import ALICE, GENERAL, FakeSlack, Interaction, Message, Team
from tests.slack import Bot, running_bot
from tests.waiting import until_found

OFF = (False, False)
RATE, STOP = "rate", "stop"
_PING = re.compile(r"<(?:!(?:channel|here|everyone|subteam)|@[UW][A-Z0-9]{2})|(?<![\w/`.])@(?:channel|here|everyone)\b")


@dataclass(slots=True)
class Scene:
    slack: FakeSlack
    team: Team
    model: ScriptedModel
    bot: Bot

    def ask(self, text: str, *, by: str = ALICE, channel: str = GENERAL, **more: Any) -> Message:
        """A message that mentions the bot."""
        return self.team.say(channel, by, f"{self.team.mention} {text}".strip(), **more)

    def tell(self, text: str, *, by: str = ALICE, **more: Any) -> Message:
        """A direct message."""
        return self.team.say(self.team.dm(by), by, text, **more)

    def follow(self, first: Message, text: str, *, by: str = ALICE, **more: Any) -> Message:
        """A message in the thread of another one."""
        return self.team.say(first.channel, by, text, thread_ts=first.root, **more)

    def said(self, question: Message) -> list[Message]:
        """What the bot says in a question's thread."""
        return self.team.by_bot(question.channel, question.root)

    async def answer(self, question: Message, count: int = 1) -> Message:
        """The last answer in the question's thread, when so many are complete."""
        return (await self.slack.until(lambda: self._complete(question, count)))[-1]

    async def answered(self, text: str, **more: Any) -> Message:
        """Ask in a channel; the complete answer."""
        return await self.answer(self.ask(text, **more))

    async def shows(self, question: Message, text: str) -> Message:
        """The bot's message in the question's thread that shows this, complete or not."""
        return (await self.slack.until(lambda: [m for m in self.said(question) if text in m.shown]))[-1]

    def _complete(self, question: Message, count: int) -> list[Message]:
        found = [m for m in self.said(question) if shows_button(m, RATE)]
        return found if len(found) >= count else []

    def heard(self, number: int = -1) -> UserMessage:
        """The last message of one of the model's requests: the question as it reaches the model."""
        message = self.model.requests[number].messages[-1]
        assert isinstance(message, UserMessage)
        return message

    def past(self) -> list[str]:
        """What the model was last told besides who it is."""
        return [message.text for message in self.model.requests[-1].messages[1:]]

    async def stored(self, column: str = "user_message") -> list[Any]:
        """A column of all turns."""
        return await self.bot.core.database.read(_column, column)

    async def until_stored(self, column: str, *values: Any) -> None:
        await until_found(lambda: self.stored(column), lambda found: found == list(values))

    async def mission(self, text: str, *, by: str = ALICE, channel: str = GENERAL) -> Interaction:
        """A /mission command, answered."""
        return await self._done(self.team.slash(by, channel, "/mission", text))

    async def click(self, by: str, message: Message, action: str, value: str | None = None) -> Interaction:
        return await self._done(self.team.click(by, message, action, value))

    async def whispered(self, by: str, number: int = 1) -> Message:
        """What only this person is shown, when it is so much."""
        return (await self.slack.until(lambda: self._whispers(by, number)))[-1]

    def _whispers(self, by: str, number: int) -> list[Message]:
        found = self.team.ephemerals(by)
        return found if len(found) >= number else []

    async def missions(self) -> list[Conversation]:
        """All there are, the latest first."""
        return await self.bot.core.commands.listing(Place("slack"), limit=50)

    async def latest(self) -> Conversation:
        return (await self.missions())[0]

    def permalink(self, question: Message) -> str:
        """Of the thread that a question opens."""
        return f"https://{self.team.domain}.slack.com/archives/{question.channel}/p{question.root.replace('.', '')}"

    async def _done(self, interaction: Interaction) -> Interaction:
        assert await interaction.acknowledged() < 3.0
        await interaction.answered()
        return interaction


def shows_button(message: Message, action: str) -> bool:
    return any(e.get("action_id") == action for block in message.blocks for e in block.get("elements", []))


def _column(connection: Connection, column: str) -> list[Any]:
    return [value for (value,) in connection.execute(f"SELECT {column} FROM turns ORDER BY id").fetchall()]


@asynccontextmanager
async def stage(**options: Any) -> AsyncIterator[FakeSlack]:
    """`options` are the fake's. At the end nobody has been pinged, no link unfurled, and Slack never been misused."""
    async with FakeSlack.running(**options) as slack:
        yield slack
        found = [*slack.violations, *unsafe(slack)]
        assert not found, "\n".join(found)


@asynccontextmanager
async def bot_on(
    slack: FakeSlack, path: Path, model: ScriptedModel | None = None, *, team: Team | None = None, **settings: Any
) -> AsyncIterator[Scene]:
    """The bot comes; `settings` are those of [slack], and those of `running_bot`."""
    brain = model or ScriptedModel(answer=echo)
    async with running_bot(path / "bot.db", slack, brain, team=team, **settings) as bot:
        yield Scene(slack, team or slack.team, brain, bot)


@asynccontextmanager
async def scene(path: Path, model: ScriptedModel | None = None, **settings: Any) -> AsyncIterator[Scene]:
    """Stage and bot in one."""
    async with stage() as slack, bot_on(slack, path, model, **settings) as opened:
        yield opened


def unsafe(slack: FakeSlack) -> Iterator[str]:
    """Everything the bot wrote that could ping somebody, or show a preview of a link."""
    for call in slack.calls:
        if call.method.startswith("chat.") and _PING.search(json.dumps(call.args, ensure_ascii=False)):
            yield f"{call.method} may ping: {call.args}"
        if (
            call.method == "chat.postMessage"
            and call.args
            and (call.args.get("unfurl_links"), call.args.get("unfurl_media")) != OFF
        ):
            yield f"{call.method} may unfurl: {call.args}"
    for team in slack.teams.values():
        for message in team.messages.values():
            if message.bot_id == team.bot_id and (message.pings or _PING.search(message.shown)):
                yield f"a message may ping: {message.shown}"
