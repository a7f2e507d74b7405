"""Slash commands, buttons and the message shortcut: acknowledged at once, carried out behind that, answered only to who
asked.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from bot.command_specs import parse
from bot.commands import CommandAnswer, Commands, Invocation
from bot.errors import PlatformError, PlatformGone, SecretAgentsError, UserError, sentence_for
from bot.platforms.platform import Author, ConversationKey
from bot.platforms.slack import blocks
from bot.platforms.slack.answers import Answers
from bot.platforms.slack.api import Api
from bot.platforms.slack.people import People
from bot.platforms.slack.places import Team, is_direct, key_of
from storage.errors import StorageError

_log = logging.getLogger(__name__)

RESPOND_SECONDS = 15.0
Body = dict[str, Any]


class Interactions:
    """Of one workspace. The same rights hold as for messages."""

    def __init__(self, team: Team, api: Api, commands: Commands, people: People, answers: Answers) -> None:
        self._team = team
        self._api = api
        self._commands = commands
        self._people = people
        self._answers = answers

    async def slash(self, body: Body) -> None:
        """`/mission …`, which Slack allows in channels, never in threads."""
        channel, user = body["channel_id"], body["user_id"]

        async def carry_out(key: ConversationKey, author: Author) -> tuple[CommandAnswer, str]:
            parsed = parse(f"/mission {body.get('text') or ''}")
            assert parsed is not None
            name, arguments = parsed
            if name == "new":
                key = await self._fresh_thread(key, arguments.get("agent"))
            return await self._commands.run(Invocation(name, arguments, key, author, takes_files=True)), name

        await self._answering(carry_out, channel, "", user, body["response_url"])

    async def pressed(self, body: Body) -> None:
        """A button below an answer, or below the answer to a command."""
        action, user = body["actions"][0], body["user"]["id"]
        channel, thread = _where(body)

        async def carry_out(key: ConversationKey, author: Author) -> tuple[CommandAnswer, str] | None:
            return await self._act(action["action_id"], str(action.get("value") or ""), key, author)

        await self._answering(carry_out, channel, thread, user, body.get("response_url", ""))

    async def shortcut(self, body: Body) -> None:
        """The mission that a message belongs to, with what can be done about it."""
        channel, thread = _where(body)

        async def carry_out(key: ConversationKey, author: Author) -> tuple[CommandAnswer, str]:
            return await self._commands.run(Invocation("show", {}, key, author)), "show"

        await self._answering(carry_out, channel, thread, body["user"]["id"], body.get("response_url", ""))

    async def native_stop(self, event: Body) -> None:
        """Slack's own Stop. It has ended the streams itself."""
        key = key_of(self._team.id, event["channel"], event["thread_ts"])
        author = await self._people.author(event["user"], direct=is_direct(event["channel"]))
        try:
            await self._commands.run(Invocation("stop", {}, key, author))
        except (SecretAgentsError, StorageError) as error:
            _log.info("a stop was refused: %r", error)

    async def _act(
        self, action: str, value: str, key: ConversationKey, author: Author
    ) -> tuple[CommandAnswer, str] | None:
        if action == blocks.RATE:
            turn, _, rating = value.partition(":")
            await self._commands.rate(_number(turn), _number(rating), key, author)
            return CommandAnswer("Thank you, noted."), action
        if action == blocks.STOP:
            stopped = await self._commands.stop_turn(_number(value), key, author)
            return None if stopped else (CommandAnswer("This answer is complete already."), action)
        if action == blocks.END:
            return await self._commands.run(Invocation("end", {"id": value}, key, author)), "end"
        if action == blocks.OLDER:
            command, before, *ids = value.split()
            arguments = {"before": before, **({"id": ids[0]} if ids else {})}
            return await self._commands.run(Invocation(command, arguments, key, author)), command
        raise UserError("I do not know that button any more.")

    async def _fresh_thread(self, key: ConversationKey, agent: str | None) -> ConversationKey:
        """A thread for a mission that is begun by command: missions live in threads."""
        name = self._commands.agent(agent)
        posted = await self._api.call("chat.postMessage", channel=key.channel, text=f"A new mission with {name}.")
        return ConversationKey(key.platform, key.workspace, key.channel, str(posted["ts"]))

    async def _answering(
        self,
        carry_out: Callable[[ConversationKey, Author], Awaitable[tuple[CommandAnswer, str] | None]],
        channel: str,
        thread: str,
        user: str,
        response_url: str,
    ) -> None:
        """What goes wrong becomes a sentence for the asker."""
        key = key_of(self._team.id, channel, thread)
        author = await self._people.vouched(user, direct=is_direct(channel))
        try:
            done = await carry_out(key, author)
        except (SecretAgentsError, StorageError) as error:
            _log.info("a command was refused: %r", error)
            done = CommandAnswer(sentence_for(error)), ""
        try:
            if done is not None:
                content = await self._answers.content(*done, author)
                await self._respond(response_url, content)
        except (PlatformError, PlatformGone, aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.warning("the answer to a command could not be shown: %s", error)

    async def _respond(self, url: str, content: Body) -> None:
        """Good for five answers in half an hour, in every channel, whether the bot is in it or not."""
        session = self._api.client.session
        assert session is not None
        message = content | {"response_type": "ephemeral", "replace_original": False}
        timeout = aiohttp.ClientTimeout(total=RESPOND_SECONDS)
        async with session.post(url, json=message, timeout=timeout) as response:
            if response.status != 200:
                _log.warning("the answer to a command could not be shown: %d", response.status)


def _where(body: Body) -> tuple[str, str]:
    """The channel and the thread of the message that a button or shortcut is on."""
    container, message = body.get("container") or {}, body.get("message") or {}
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id") or ""
    thread = message.get("thread_ts") or container.get("thread_ts") or message.get("ts") or ""
    return str(channel), str(thread)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise UserError("I do not know that button any more.") from error
