"""The agents that can answer: `[agents.<name>]`, and those that are shipped."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from bot.settings.mcp import server_of
from bot.settings.sections import Section, Temperature, Texts, auto_is_none
from bot.settings.suggestion import suggestion

EVERY_GADGET = "*"
AGENT_NAME = "[a-z][a-z0-9_-]{0,31}"

QUARTERMASTER = "quartermaster"
_PROMPT = """\
You are the Quartermaster of a spy agency. You equip field agents and answer their questions.
You are dry, precise and helpful, with a little understated humour. Call the user "agent" now and then.
You can look up the weather anywhere, encrypt and decrypt Caesar ciphers, tell and convert the time in any place,
translate, roll dice, and keep notes for the user.
Answer in the language of the user's message. Be brief: one to three sentences unless more is asked for.
When you do not know something, say so. Never invent weather, times or deciphered texts.
"""

TASKMASTER = "taskmaster"
_GAME_PROMPT = """\
You are the Taskmaster of a spy agency. You lead the user, your field agent, through a mission, told like a spy novel.
Say "you" to the agent. The agent decides everything: never decide, guess or solve anything for the agent.
Tell what has just happened, and what the agent has to do now, in two or three sentences.
Tickets, outfits, codes, hints and the debrief are shown below your words by themselves: never list or invent any.
Answer in the language of the agent's message.
"""

SHIPPED: dict[str, dict[str, Any]] = {
    QUARTERMASTER: {"description": "Equips field agents: weather, ciphers, time", "prompt": _PROMPT},
    TASKMASTER: {
        "description": "Runs a spy game: travel, disguise yourself, crack a code, report back",
        "prompt": _GAME_PROMPT,
        "gadgets": ("brief", "travel", "disguise", "crack", "hint", "report", "status"),
    },
}
"""What `[agents.…]` holds before a file says anything; a file overrides single keys."""


def _known_gadgets(names: tuple[str, ...]) -> tuple[str, ...]:
    """What "*" stands for is named, and it stays: for the gadgets of servers, which nobody knows yet."""
    from gadgets.catalogue import ALL, GENERAL  # noqa: PLC0415 - gadgets are more than importing this should cost

    known = [each.name for each in ALL]
    for name in names:
        if name not in {*known, EVERY_GADGET} and not server_of(name):
            raise ValueError(f"names a gadget that does not exist, {name[:40]!r}{suggestion(name, known)}")
    every = [*(each.name for each in GENERAL), EVERY_GADGET]
    named = [every if name == EVERY_GADGET else [name] for name in names]
    return tuple(dict.fromkeys(name for some in named for name in some))


class Agent(Section):
    """Who answers: how it speaks and what it may use. Add agents of your own as [agents.<name>]."""

    description: str = ""
    """One line for people who choose an agent."""
    prompt: Annotated[str, Field(min_length=1)]
    """The model's instructions."""
    gadgets: Annotated[Texts, AfterValidator(_known_gadgets)] = Field((EVERY_GADGET,), validate_default=True)
    """The gadgets it may use; "*": all but those of games. "files_*" are those of the server [mcp.files]."""
    model: str = ""
    """Another model of [model] provider for this agent; empty: the one that [model] names."""
    temperature: Annotated[Temperature | None, BeforeValidator(auto_is_none)] = None
    """0 to 2, or "auto": as in [model]."""
