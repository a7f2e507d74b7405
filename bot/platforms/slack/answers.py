"""Answers to commands, for the asker's eyes only: as blocks, with links and buttons, and a file in private."""

import asyncio
from typing import Any

from bot import command_texts
from bot.answer_files import AnswerFile
from bot.commands import CommandAnswer
from bot.platforms import slack_text
from bot.platforms.platform import Author, ConversationKey
from bot.platforms.slack import blocks
from bot.platforms.slack.api import Api
from bot.platforms.slack.blocks import Block
from bot.platforms.slack.files import upload
from bot.platforms.slack.places import Team, link, team_of
from storage.conversations import Conversation

MAX_MESSAGES = 4
"""Of an answer to a command; a response_url takes five."""
SENT = "I sent it to you in our direct messages."


class Answers:
    """Of one workspace."""

    def __init__(self, team: Team, api: Api) -> None:
        self._team = team
        self._api = api

    async def whisper(self, answer: CommandAnswer, command: str, key: ConversationKey, author: Author) -> None:
        """Show an answer in the place where it was asked for. Raises PlatformError."""
        thread = {"thread_ts": key.thread} if key.thread else {}
        for content in await self.contents(answer, command, author):
            await self._api.call("chat.postEphemeral", channel=key.channel, user=author.id, **thread, **content)

    async def contents(self, answer: CommandAnswer, command: str, author: Author) -> list[dict[str, Any]]:
        """Text and blocks of each message. A file goes to the asker's direct messages first. Raises PlatformError."""
        if answer.file is not None:
            await self._send(answer.file, author)
            return [blocks.told(f"{answer.text}\n\n{SENT}")]
        if command == "list" and answer.conversations:
            return [blocks.told(answer.text.partition("\n")[0], self._buttons(answer, command), self._rows(answer))]
        *first, last = slack_text.split(self._linked(answer))[:MAX_MESSAGES]
        return [*map(blocks.told, first), blocks.told(last, self._buttons(answer, command))]

    async def _send(self, answered: AnswerFile, author: Author) -> None:
        async with answered as file:
            private = await self._api.call("conversations.open", users=author.id)
            content = await asyncio.to_thread(file.path.read_bytes)
            await upload(self._api, file.name, content, channel=private["channel"]["id"])

    def _buttons(self, answer: CommandAnswer, command: str) -> list[Block]:
        buttons: list[Block] = []
        if answer.conversation is not None and command == "show" and answer.conversation.status == "active":
            buttons.append(blocks.ending_button(answer.conversation.id))
        if answer.confirm is not None:
            buttons.append(blocks.forgetting_button(" ".join(answer.confirm.values())))
        if answer.older is not None:
            id_ = answer.conversation.id if answer.conversation is not None else ""
            buttons.append(blocks.button("Older", blocks.OLDER, f"{command} {answer.older} {id_}".strip()))
        return buttons

    def _rows(self, answer: CommandAnswer) -> list[Block]:
        """A mission in each, with a link to its thread and a button that shows it."""
        return [
            blocks.row(
                command_texts.line(conversation).removeprefix("- "),
                self._address(conversation),
                blocks.button("Show", blocks.SHOW, conversation.id),
            )
            for conversation in answer.conversations
        ]

    def _linked(self, answer: CommandAnswer) -> str:
        """The text, with a link to the thread behind the mission's id."""
        where = self._address(answer.conversation) if answer.conversation is not None else ""
        if answer.conversation is None or not where:
            return answer.text
        mark = f"`{answer.conversation.id}`"
        return answer.text.replace(mark, f"{mark} [open]({where})", 1)

    def _address(self, conversation: Conversation) -> str:
        place = ConversationKey(
            conversation.platform, conversation.workspace, conversation.channel, conversation.thread
        )
        return link(self._team, place) if place.thread and team_of(place) == self._team.id else ""
