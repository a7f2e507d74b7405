"""Answers to commands, for the asker's eyes only: as blocks, with links and buttons, and a file in private."""

from typing import Any

from bot.commands import CommandAnswer
from bot.platforms import slack_text
from bot.platforms.platform import Author, ConversationKey
from bot.platforms.slack import blocks
from bot.platforms.slack.api import Api
from bot.platforms.slack.blocks import Block
from bot.platforms.slack.files import upload
from bot.platforms.slack.places import Team, link, team_of
from storage.conversations import Conversation

MAX_LISTED = 10


class Answers:
    """Of one workspace."""

    def __init__(self, team: Team, api: Api) -> None:
        self._team = team
        self._api = api

    async def whisper(self, answer: CommandAnswer, command: str, key: ConversationKey, author: Author) -> None:
        """Show an answer in the place where it was asked for. Raises PlatformError or PlatformGone."""
        thread = {"thread_ts": key.thread} if key.thread else {}
        content = await self.content(answer, command, author)
        await self._api.call("chat.postEphemeral", channel=key.channel, user=author.id, **thread, **content)

    async def content(self, answer: CommandAnswer, command: str, author: Author) -> dict[str, Any]:
        """Text and blocks. A file goes to the asker's direct messages first."""
        text = self._linked(answer)
        if answer.file is not None:
            async with answer.file as file:
                private = await self._api.call("conversations.open", users=author.id)
                content = file.path.read_bytes()
                await upload(self._api, file.name, content, channel=private["channel"]["id"])
            text += "\n\nI sent it to you in our direct messages."
        shown = slack_text.split(text)[0]
        return blocks.told(shown, self._buttons(answer, command))

    def _buttons(self, answer: CommandAnswer, command: str) -> list[Block]:
        buttons: list[Block] = []
        if answer.conversation is not None and command == "show" and answer.conversation.status == "active":
            buttons.append(blocks.ending_button(answer.conversation.id))
        if answer.older is not None:
            id_ = answer.conversation.id if answer.conversation is not None else ""
            buttons.append(blocks.button("Older", blocks.OLDER, f"{command} {answer.older} {id_}".strip()))
        return buttons

    def _linked(self, answer: CommandAnswer) -> str:
        """The text, with a link to each thread behind the line of its mission."""
        text = answer.text
        listed = answer.conversations or ((answer.conversation,) if answer.conversation is not None else ())
        for conversation in listed[:MAX_LISTED]:
            mark = f"`{conversation.id}`"
            if where := self._address(conversation):
                text = text.replace(mark, f"{mark} [open]({where})", 1)
        return text

    def _address(self, conversation: Conversation) -> str:
        place = ConversationKey(
            conversation.platform, conversation.workspace, conversation.channel, conversation.thread
        )
        return link(self._team, place) if place.thread and team_of(place) == self._team.id else ""
