"""Slash commands and buttons: from Discord's interactions to the core's commands, answers only for who asked.

Every interaction is acknowledged before anything is done: within three seconds, however long the database takes; and a
repeated one fails there, so that nothing is done twice.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import aiohttp
import discord

from bot import approval_texts
from bot.command_forget import YES
from bot.command_specs import COMMANDS
from bot.command_turn_doors import Act
from bot.commands import CommandAnswer, Commands, Invocation
from bot.errors import SecretAgentsError, UserError, sentence_for
from bot.platforms import discord_text
from bot.platforms.discord import wire
from bot.platforms.discord.access import Access
from bot.platforms.discord.buttons import AGAIN, STOP, UP
from bot.platforms.discord.declared import NAME
from bot.platforms.discord.mission_buttons import END, FORGET, KEEP, LIST, SHOW, MissionButton, view_of
from bot.platforms.discord.places import NAME as PLATFORM
from bot.platforms.discord.places import author_of, place_of, visitor_of
from bot.platforms.platform import Author, ConversationKey
from storage.errors import StorageError

_log = logging.getLogger(__name__)

MAX_MESSAGES = 5
"""Of an answer to a command."""
_OVER = (wire.UNKNOWN_INTERACTION, wire.ALREADY_ACKNOWLEDGED, wire.INVALID_TOKEN)
_DISCORDS = (discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError)
"""What goes wrong between Discord and us: it cannot be told there."""
Interaction = discord.Interaction[Any]


class Interactions:
    """Carries out what people do by other means than talking. The same gate and the same rights hold."""

    def __init__(self, commands: Commands, access: Access) -> None:
        self._commands = commands
        self._access = access

    async def interacted(self, interaction: Interaction) -> None:
        """Commands and their autocompletion; buttons come by `pressed`, `decided` and `chosen`."""
        if interaction.type is discord.InteractionType.application_command:
            await self._answer(interaction, lambda: self._command(interaction), ephemeral=True)
        elif interaction.type is discord.InteractionType.autocomplete:
            await self._complete(interaction)

    async def pressed(self, interaction: Interaction, turn: int, what: str) -> None:
        """A button on an answer."""
        await self._answer(interaction, lambda: self._press(interaction, turn, what))

    async def chosen(self, interaction: Interaction, act: str, id_: str, before: str) -> None:
        """A button on an answer to a command."""
        await self._answer(interaction, lambda: self._choose(interaction, act, id_, before))

    async def decided(self, interaction: Interaction, approval: int, act: Act) -> None:
        """A button below a question whether a gadget may run."""
        await self._answer(interaction, lambda: self._decide(interaction, approval, act))

    async def _decide(self, interaction: Interaction, approval: int, act: Act) -> None:
        decision = await self._commands.decide(approval, act, _place(interaction), self._author(interaction))
        await _say(interaction, approval_texts.told(decision))

    async def _press(self, interaction: Interaction, turn: int, what: str) -> None:
        key, author = _place(interaction), self._author(interaction)
        if what == STOP:
            if not await self._commands.stop_turn(turn, key, author):
                await _say(interaction, "This answer is complete already.")
        elif what == AGAIN:
            await self._commands.again(turn, f"{PLATFORM}:again:{interaction.id}", key, author)
        else:
            await self._commands.rate(turn, 1 if what == UP else -1, key, author)
            await _say(interaction, "Thank you, noted.")

    async def _choose(self, interaction: Interaction, act: str, id_: str, before: str) -> None:
        if act == KEEP:
            text = "Nothing was erased." if id_ == FORGET else "It goes on."
            await interaction.edit_original_response(content=text, view=None)
            return
        named = {"action": YES, "user": id_} if act == FORGET else {"id": id_, "before": before}
        arguments = {name: value for name, value in named.items() if value}
        answer = await self._commands.run(self._invocation(interaction, act, arguments))
        await _show(interaction, act, answer)

    async def _command(self, interaction: Interaction) -> None:
        name, options = _subcommand(interaction)
        asked = self._invocation(interaction, name, {option["name"]: str(option["value"]) for option in options})
        if name == END:
            conversation = await self._commands.endable(asked)
            title = discord_text.thread_name(conversation.title)
            buttons = view_of(MissionButton(END, conversation.id), MissionButton(KEEP))
            await _say(interaction, f"End mission `{conversation.id}` ({title})?", view=buttons)
            return
        if name == "new" and isinstance(interaction.channel, discord.TextChannel):
            asked = replace(asked, key=await self._fresh_thread(interaction, interaction.channel, asked))
        await _show(interaction, name, await self._commands.run(asked))

    async def _fresh_thread(
        self, interaction: Interaction, channel: discord.TextChannel, asked: Invocation
    ) -> ConversationKey:
        """A thread for a mission that is begun by command: in a channel, missions live in threads."""
        self._commands.require("new", asked.key, asked.author)
        agent = self._commands.agent(asked.arguments.get("agent"))
        opening = f"**{asked.author.name}** begins a new mission with {agent}."
        try:
            message = await channel.send(opening, suppress_embeds=True)
        except discord.HTTPException as error:
            raise UserError("I may not write here. Ask an admin to let me.") from error
        try:
            thread = await message.create_thread(name=discord_text.thread_name(f"Mission with {agent}"))
        except discord.HTTPException as error:
            with suppress(discord.HTTPException):
                await message.delete()
            raise UserError("I may not open a thread here. Ask an admin to let me.") from error
        return place_of(thread, interaction.guild_id)

    async def _complete(self, interaction: Interaction) -> None:
        """Nothing is offered to those who may not talk to the bot, nor when it cannot be found out in time."""
        name, options = _subcommand(interaction)
        focused = next((option for option in options if option.get("focused")), None)
        spec = next((spec for spec in COMMANDS if spec.name == name), None)
        argument = next((a for a in spec.arguments if focused and a.name == focused["name"]), None) if spec else None
        offers: list[tuple[str, str]] = []
        try:
            if focused and argument and self._admits(interaction):
                typed, author = str(focused["value"]), self._author(interaction)
                offers = await self._commands.complete(argument, typed, _place(interaction), author)
            choices = [discord.app_commands.Choice(name=label, value=value) for label, value in offers]
            await interaction.response.autocomplete(choices)
        except (*_DISCORDS, StorageError) as error:
            _log.info("nothing could be offered: %r", error)

    async def _answer(
        self, interaction: Interaction, act: Callable[[], Awaitable[None]], *, ephemeral: bool = False
    ) -> None:
        """Acknowledge, check the gate, act, and turn what goes wrong into a sentence for the asker."""
        try:
            await interaction.response.defer(ephemeral=ephemeral)
            try:
                self._require_admission(interaction)
                await act()
            except _DISCORDS:
                raise
            except Exception as error:  # noqa: BLE001 - whoever asked is told, whatever goes wrong
                expected = isinstance(error, (SecretAgentsError, StorageError))
                _log.log(logging.INFO if expected else logging.ERROR, "refused: %r", error, exc_info=not expected)
                await _say(interaction, sentence_for(error))
        except discord.HTTPException as error:
            level = logging.INFO if error.code in _OVER else logging.WARNING
            _log.log(level, "an interaction could not be answered: %s", wire.told(error))
        except _DISCORDS as error:
            _log.warning("an interaction could not be answered: %r", error)

    def _invocation(self, interaction: Interaction, command: str, arguments: dict[str, str]) -> Invocation:
        return Invocation(command, arguments, _place(interaction), self._author(interaction), takes_files=True)

    def _author(self, interaction: Interaction) -> Author:
        return author_of(interaction.user, self._access)

    def _require_admission(self, interaction: Interaction) -> None:
        if not self._admits(interaction):
            raise UserError("You may not use me here.")

    def _admits(self, interaction: Interaction) -> bool:
        channel = interaction.channel
        if channel is None:
            return False
        return self._access.admits(visitor_of(interaction.user, channel, interaction.guild_id))


async def _show(interaction: Interaction, command: str, answer: CommandAnswer) -> None:
    """Of a button, in place of what its message showed before."""
    first, *more = discord_text.split(_linked(answer))[:MAX_MESSAGES]
    buttons = view_of(*_older(command, answer), *_confirming(answer))
    if interaction.type is discord.InteractionType.component:
        await interaction.edit_original_response(content=first, view=buttons)
    elif answer.file is None:
        await _say(interaction, first, view=buttons or discord.utils.MISSING)
    else:
        async with answer.file as file:
            await _say(interaction, first, file=discord.File(file.path, file.name))
    for part in more:
        await _say(interaction, part)


def _older(command: str, answer: CommandAnswer) -> list[MissionButton]:
    if answer.older is None:
        return []
    if command == LIST:
        return [MissionButton(LIST, "", str(answer.older))]
    return [MissionButton(SHOW, answer.conversation.id if answer.conversation else "", str(answer.older))]


def _confirming(answer: CommandAnswer) -> list[MissionButton]:
    if answer.confirm is None:
        return []
    return [MissionButton(FORGET, answer.confirm.get("user", "")), MissionButton(KEEP, FORGET)]


async def _say(interaction: Interaction, text: str, **more: Any) -> None:
    """To the asker alone. The first one takes the place of "thinking…"; unlike an edit it can suppress previews."""
    await interaction.followup.send(text, ephemeral=True, suppress_embeds=True, **more)


def _linked(answer: CommandAnswer) -> str:
    """The text, with a link to each thread behind the line of its mission."""
    text = answer.text
    listed = answer.conversations or ((answer.conversation,) if answer.conversation else ())
    for conversation in listed:
        mark = f"`{conversation.id}`"
        if conversation.thread:
            text = text.replace(mark, f"{mark} <#{conversation.thread}>", 1)
    return text


def _place(interaction: Interaction) -> ConversationKey:
    assert interaction.channel is not None
    return place_of(interaction.channel, interaction.guild_id)


def _subcommand(interaction: Interaction) -> tuple[str, list[dict[str, Any]]]:
    """The name and the options of what was typed behind /mission."""
    data: dict[str, Any] = dict(interaction.data or {})
    options = data.get("options") or []
    if data.get("name") != NAME or not options:
        return "", []
    return options[0]["name"], options[0].get("options") or []
