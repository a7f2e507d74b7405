"""The buttons on an answer. Everything they know is in their custom id, so that they outlive the process."""

import re
from typing import Any, Protocol, Self

import discord

from bot.platforms.discord.approval_buttons import ApprovalButton

STOP, UP, DOWN, AGAIN = "stop", "up", "down", "again"
_CUSTOM_ID = "turn:{turn}:{what}"
_TEMPLATE = r"turn:(?P<turn>[0-9]{1,18}):(?P<what>stop|up|down|again)"
_LOOKS: dict[str, dict[str, Any]] = {
    STOP: {"label": "Stop", "emoji": "⏹️", "style": discord.ButtonStyle.secondary},
    UP: {"emoji": "👍", "style": discord.ButtonStyle.secondary},
    DOWN: {"emoji": "👎", "style": discord.ButtonStyle.secondary},
    AGAIN: {"label": "Regenerate", "emoji": "🔄", "style": discord.ButtonStyle.secondary},
}


class Pressed(Protocol):
    """What carries out a press."""

    async def pressed(self, interaction: discord.Interaction[Any], turn: int, what: str) -> None: ...


class PressableClient(Protocol):
    @property
    def presses(self) -> Pressed: ...


class TurnButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_TEMPLATE):
    """A button that acts on one turn."""

    def __init__(self, turn: int, what: str) -> None:
        super().__init__(discord.ui.Button(custom_id=_CUSTOM_ID.format(turn=turn, what=what), **_LOOKS[what]))
        self.turn = turn
        self.what = what

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: discord.ui.Item[Any],  # noqa: ARG003 - likewise
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["turn"]), match["what"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        client: PressableClient = interaction.client
        await client.presses.pressed(interaction, self.turn, self.what)


def running_buttons(turn: int) -> discord.ui.View:
    return _view(turn, STOP)


def asking_buttons(turn: int, approval: int) -> discord.ui.View:
    """Stop among them, by which a running answer is recognised."""
    return _view_of(ApprovalButton(approval, "approve"), ApprovalButton(approval, "decline"), TurnButton(turn, STOP))


def answered_buttons(turn: int) -> discord.ui.View:
    return _view(turn, UP, DOWN, AGAIN)


def is_of_turn(message: discord.Message, turn: int) -> bool:
    """Whether a message carries a button of this turn."""
    prefix = _CUSTOM_ID.format(turn=turn, what="")
    buttons = [child for row in message.components if isinstance(row, discord.ActionRow) for child in row.children]
    return any((button.custom_id or "").startswith(prefix) for button in buttons)


def _view(turn: int, *whats: str) -> discord.ui.View:
    return _view_of(*(TurnButton(turn, what) for what in whats))


def _view_of(*buttons: TurnButton | ApprovalButton) -> discord.ui.View:
    """discord.py keeps every view it sends, for ever, unless it is stopped; these are found by their custom ids."""
    view = discord.ui.View(timeout=None)
    for button in buttons:
        view.add_item(button)
    view.stop()
    return view
