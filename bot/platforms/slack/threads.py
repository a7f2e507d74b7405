"""Commands that come out of a thread are about that thread's mission."""

from dataclasses import replace

from bot.commands import CommandAnswer, Commands, Invocation
from bot.errors import UserError

ABOUT_A_MISSION = frozenset({"show", "end", "stop", "approve", "decline"})
NONE_HERE = "No mission is going on in this thread. `/mission list` shows yours."


async def run_in_thread(commands: Commands, asked: Invocation) -> CommandAnswer:
    """As `Commands.run`, but never about the asker's latest mission elsewhere, which a channel's command may mean.

    Raises UserError or StorageError.
    """
    if asked.command in ABOUT_A_MISSION and "id" not in asked.arguments:
        meant = await commands.meant(asked)
        if meant.guessed:
            raise UserError(NONE_HERE)
        asked = replace(asked, arguments={**asked.arguments, "id": meant.conversation.id})
    return await commands.run(asked)
