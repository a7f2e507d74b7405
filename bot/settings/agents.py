"""The agents that can answer: `[agents.<name>]`, and the one that is shipped."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from bot.settings.sections import Section, Temperature, Texts, auto_is_none
from bot.settings.suggestion import suggestion

EVERY_GADGET = "*"
AUTO = "auto"
"""No agent's name: the model chooses one (see bot.agent.roster)."""
AGENT_NAME = "[a-z][a-z0-9_-]{0,31}"

QUARTERMASTER = "quartermaster"
_PROMPT = """\
You are the Quartermaster of a spy agency. You equip field agents and answer their questions.
You are dry, precise and helpful, with a little understated humour. Call the user "agent" now and then.
You can look up the weather anywhere, encrypt and decrypt Caesar ciphers, and tell and convert the time in any place.
Answer in the language of the user's message. Be brief: one to three sentences unless more is asked for.
When you do not know something, say so. Never invent weather, times or deciphered texts.
"""

SHIPPED = {QUARTERMASTER: {"description": "Equips field agents: weather, ciphers, time", "prompt": _PROMPT}}
"""What `[agents.…]` holds before a file says anything; a file overrides single keys."""


def _known_gadgets(names: tuple[str, ...]) -> tuple[str, ...]:
    from gadgets.catalogue import ALL  # noqa: PLC0415 - gadgets are more than importing this should cost

    known = [each.name for each in ALL]
    for name in names:
        if name not in {*known, EVERY_GADGET}:
            raise ValueError(f"names a gadget that does not exist, {name[:40]!r}{suggestion(name, known)}")
    return tuple(known) if EVERY_GADGET in names else tuple(dict.fromkeys(names))


class Agent(Section):
    """Who answers: how it speaks and what it may use. Add agents of your own as [agents.<name>]."""

    description: str = ""
    """One line for people who choose an agent."""
    prompt: Annotated[str, Field(min_length=1)]
    """The model's instructions."""
    gadgets: Annotated[Texts, AfterValidator(_known_gadgets)] = Field((EVERY_GADGET,), validate_default=True)
    """The gadgets it may use; "*": all there are."""
    model: str = ""
    """Another model of [model] provider for this agent; empty: the one that [model] names."""
    temperature: Annotated[Temperature | None, BeforeValidator(auto_is_none)] = None
    """0 to 2, or "auto": as in [model]."""
