"""The buttons below a question whether a gadget may run."""

import re
from typing import Any, Protocol, Self

import discord

from bot.command_turn_doors import Act

_LOOKS: dict[str, tuple[str, discord.ButtonStyle]] = {
    "approve": ("Approve", discord.ButtonStyle.success),
    "decline": ("Decline", discord.ButtonStyle.danger),
}
_TEMPLATE = r"approval:(?P<approval>[0-9]{1,18}):(?P<act>approve|decline)"


class Decided(Protocol):
    """What carries out a press."""

    async def decided(self, interaction: discord.Interaction[Any], approval: int, act: Act) -> None: ...


class DecidingClient(Protocol):
    @property
    def decisions(self) -> Decided: ...


class ApprovalButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_TEMPLATE):
    """A button that decides one approval. Its custom id says all, so that it outlives the process."""

    def __init__(self, approval: int, act: Act) -> None:
        label, style = _LOOKS[act]
        super().__init__(discord.ui.Button(label=label, style=style, custom_id=f"approval:{approval}:{act}"))
        self.approval = approval
        self.act = act

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: discord.ui.Item[Any],  # noqa: ARG003 - likewise
        match: re.Match[str],
    ) -> Self:
        return cls(int(match["approval"]), "approve" if match["act"] == "approve" else "decline")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        client: DecidingClient = interaction.client
        await client.decisions.decided(interaction, self.approval, self.act)
