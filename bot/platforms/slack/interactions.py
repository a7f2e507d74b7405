"""Slash commands, buttons and the message shortcut: acknowledged at once, carried out behind that, answered only to who
asked.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot import approval_texts
from bot.command_specs import parse
from bot.command_turn_doors import Act
from bot.commands import CommandAnswer, Commands, Invocation
from bot.errors import PlatformError, SecretAgentsError, UserError, sentence_for
from bot.platforms.platform import Author, ConversationKey
from bot.platforms.slack import blocks
from bot.platforms.slack.answers import Answers
from bot.platforms.slack.api import Api, Refused
from bot.platforms.slack.people import People
from bot.platforms.slack.places import Team, is_direct, key_of
from bot.platforms.slack.seen import Seen
from bot.platforms.slack.threads import run_in_thread
from storage.errors import StorageError

_log = logging.getLogger(__name__)

RESPOND_SECONDS = 15.0
NOT_SENT = "I could not send it to you. Please try again in a minute; an operator can see why in the log."
NOT_HERE, NOT_WRITING = "I am not in this channel. Invite me first.", "I may not write here."
ABSENT = frozenset({"not_in_channel", "channel_not_found"})
Body = dict[str, Any]
Done = tuple[CommandAnswer, str]
"""The answer to a command, and which one it was."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Where an interaction happened, and who is to be answered. `reply_in` is the thread to answer in, or empty."""

    key: ConversationKey
    user: str
    response_url: str
    reply_in: str = ""


class Interactions:
    """Of one workspace. The same rights hold as for messages."""

    def __init__(self, team: Team, api: Api, commands: Commands, people: People, answers: Answers) -> None:
        self._team = team
        self._api = api
        self._commands = commands
        self._people = people
        self._answers = answers
        self._seen = Seen()

    async def slash(self, body: Body) -> None:
        """`/mission …`, which Slack allows in channels, never in threads."""

        async def carry_out(key: ConversationKey, author: Author) -> Done:
            parsed = parse(f"/mission {body.get('text') or ''}")
            assert parsed is not None
            name, arguments = parsed
            if name == "new":
                self._commands.require(name, key, author)
                key = await self._fresh_thread(key, arguments.get("agent"))
            return await self._commands.run(Invocation(name, arguments, key, author, takes_files=True)), name

        key = key_of(self._team.id, body["channel_id"], "")
        await self._once(body, Asked(key, body["user_id"], body["response_url"]), carry_out)

    async def pressed(self, body: Body) -> None:
        """A button below an answer, or below the answer to a command."""
        action = body["actions"][0]

        async def carry_out(key: ConversationKey, author: Author) -> Done | None:
            return await self._act(action["action_id"], str(action.get("value") or ""), key, author)

        await self._once(body, self._asked(body), carry_out)

    async def shortcut(self, body: Body) -> None:
        """The mission that a message belongs to, with what can be done about it."""

        async def carry_out(key: ConversationKey, author: Author) -> Done:
            return await run_in_thread(self._commands, Invocation("show", {}, key, author)), "show"

        await self._once(body, self._asked(body), carry_out)

    async def native_stop(self, event: Body) -> None:
        """Slack's own Stop. It has ended the streams itself."""
        key = key_of(self._team.id, event["channel"], event["thread_ts"])
        author = await self._people.author(event["user"], direct=is_direct(event["channel"]))
        try:
            await run_in_thread(self._commands, Invocation("stop", {}, key, author))
        except (SecretAgentsError, StorageError) as error:
            _log.info("a stop was refused: %r", error)

    async def _act(self, action: str, value: str, key: ConversationKey, author: Author) -> Done | None:
        if action == blocks.RATE:
            turn, _, rating = value.partition(":")
            await self._commands.rate(_number(turn), _number(rating), key, author)
            return CommandAnswer("Thank you, noted."), action
        if action in {blocks.APPROVE, blocks.DECLINE}:
            act: Act = "approve" if action == blocks.APPROVE else "decline"
            decision = await self._commands.decide(_number(value), act, key, author)
            return CommandAnswer(approval_texts.told(decision)), action
        if action == blocks.STOP:
            stopped = await self._commands.stop_turn(_number(value), key, author)
            return None if stopped else (CommandAnswer("This answer is complete already."), action)
        if action in {blocks.END, blocks.SHOW}:
            command = "end" if action == blocks.END else "show"
            return await self._commands.run(Invocation(command, {"id": value}, key, author)), command
        if action == blocks.FORGET:
            arguments = dict(zip(("action", "user"), value.split(), strict=False))
            return await self._commands.run(Invocation("forget", arguments, key, author)), "forget"
        if action == blocks.OLDER:
            command, before, *ids = value.split()
            arguments = {"before": before, **({"id": ids[0]} if ids else {})}
            return await self._commands.run(Invocation(command, arguments, key, author)), command
        raise UserError("I do not know that button any more.")

    async def _fresh_thread(self, key: ConversationKey, agent: str | None) -> ConversationKey:
        """A thread for a mission that is begun by command: missions live in threads."""
        text = f"A new mission with {self._commands.agent(agent)}. Go on in this message's thread."
        try:
            posted = await self._api.call(
                "chat.postMessage", channel=key.channel, text=text, unfurl_links=False, unfurl_media=False
            )
        except Refused as refused:
            raise UserError(NOT_HERE if refused.error in ABSENT else NOT_WRITING) from refused
        return ConversationKey(key.platform, key.workspace, key.channel, str(posted["ts"]))

    async def _once(
        self, body: Body, asked: Asked, carry_out: Callable[[ConversationKey, Author], Awaitable[Done | None]]
    ) -> None:
        """Carry it out, unless the same request came before, and answer. What goes wrong becomes a sentence."""
        if body["trigger_id"] in self._seen:
            return
        self._seen.add(body["trigger_id"])
        author = await self._people.vouched(asked.user, direct=is_direct(asked.key.channel))
        try:
            done = await carry_out(asked.key, author)
        except (SecretAgentsError, StorageError) as error:
            _log.info("a command was refused: %r", error)
            done = CommandAnswer(sentence_for(error)), ""
        if done is not None:
            for content in await self._contents(done, author):
                await self._respond(asked, content)

    async def _contents(self, done: Done, author: Author) -> list[Body]:
        try:
            return await self._answers.contents(*done, author)
        except PlatformError as error:
            _log.warning("a file could not be sent: %s", error)
            return [blocks.told(NOT_SENT)]

    async def _respond(self, asked: Asked, content: Body) -> None:
        """Good for five answers in half an hour, in every channel, whether the bot is in it or not."""
        session = self._api.client.session
        assert session is not None
        thread = {"thread_ts": asked.reply_in} if asked.reply_in else {}
        message = content | thread | {"response_type": "ephemeral", "replace_original": False}
        timeout = aiohttp.ClientTimeout(total=RESPOND_SECONDS)
        try:
            async with session.post(asked.response_url, json=message, timeout=timeout) as response:
                if response.status != 200:
                    _log.warning("the answer to a command could not be shown: %d", response.status)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.warning("the answer to a command could not be shown: %r", error)

    def _asked(self, body: Body) -> Asked:
        """Of a button or shortcut: the channel and the thread of the message that it is on."""
        container, message = body.get("container") or {}, body.get("message") or {}
        channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
        thread = str(message.get("thread_ts") or container.get("thread_ts") or "")
        key = key_of(self._team.id, str(channel), thread or str(message.get("ts") or ""))
        return Asked(key, body["user"]["id"], str(body.get("response_url") or ""), thread)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise UserError("I do not know that button any more.") from error
