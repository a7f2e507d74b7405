"""The buttons on answers to /mission: paging, and the question before a mission is ended."""

import re
from typing import Any, Protocol, Self

import discord

LIST, SHOW, END, FORGET, KEEP = "list", "show", "end", "forget", "keep"
_LABELS = {LIST: "Older", SHOW: "Earlier", END: "End it", FORGET: "Erase everything", KEEP: "Keep it"}
_DANGERS = (END, FORGET)
_TEMPLATE = r"mission:(?P<act>list|show|end|forget|keep):(?P<id>[a-z0-9]{0,40}):(?P<before>[0-9]{0,18})"


class Chosen(Protocol):
    """What carries out a press."""

    async def chosen(self, interaction: discord.Interaction[Any], act: str, id_: str, before: str) -> None: ...


class ChoosingClient(Protocol):
    @property
    def choices(self) -> Chosen: ...


class MissionButton(discord.ui.DynamicItem[discord.ui.Button[Any]], template=_TEMPLATE):
    """`id_` and `before` are the arguments of the command that it stands for. Of `forget`, `id_` is that of a person;
    of `keep`, it is the command that is not carried out.
    """

    def __init__(self, act: str, id_: str = "", before: str = "") -> None:
        style = discord.ButtonStyle.danger if act in _DANGERS else discord.ButtonStyle.secondary
        super().__init__(discord.ui.Button(label=_LABELS[act], style=style, custom_id=f"mission:{act}:{id_}:{before}"))
        self.act = act
        self.id_ = id_
        self.before = before

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - discord.py's signature
        item: discord.ui.Item[Any],  # noqa: ARG003 - likewise
        match: re.Match[str],
    ) -> Self:
        return cls(match["act"], match["id"], match["before"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        client: ChoosingClient = interaction.client
        await client.choices.chosen(interaction, self.act, self.id_, self.before)


def view_of(*buttons: MissionButton) -> discord.ui.View | None:
    """discord.py keeps every view it sends unless it is stopped; these are found by their custom ids."""
    if not buttons:
        return None
    view = discord.ui.View(timeout=None)
    for button in buttons:
        view.add_item(button)
    view.stop()
    return view
