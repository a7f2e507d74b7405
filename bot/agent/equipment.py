"""The gadgets that an agent may use, as its model is told of them."""

import json
import logging
from dataclasses import dataclass

from bot.agent.prompt import estimate_tokens
from bot.models.model import ToolSpec
from gadgets.gadget import Gadget
from gadgets.toolbox import Toolbox

_log = logging.getLogger(__name__)

VISITORS_SHARE = 0.4
"""Of the prompt, how many tokens the gadgets of servers may take: there may be thousands, and they come unasked."""


@dataclass(frozen=True, slots=True)
class Equipment:
    """The gadgets an agent may use, as the model is told of them, and what telling it costs in tokens.

    `version` is that of the toolbox from which it was made.
    """

    toolbox: Toolbox
    specs: tuple[ToolSpec, ...]
    tokens: int
    version: int


def equipped(toolbox: Toolbox, version: int, room: float) -> Equipment:
    """Everything in the toolbox, but of the gadgets of servers only the first that take no more than `room` tokens."""
    taken: list[tuple[Gadget, ToolSpec]] = []
    total = 0
    for gadget in toolbox.gadgets:
        spec = ToolSpec(gadget.name, gadget.description, gadget.parameters)
        tokens = estimate_tokens(f"{spec.description}{json.dumps(spec.parameters)}")
        room -= tokens if gadget.origin else 0
        if not gadget.origin or room >= 0:
            taken.append((gadget, spec))
            total += tokens
    if left_out := len(toolbox.gadgets) - len(taken):
        _log.warning("%d gadgets of servers are left out: the context window has no room for them", left_out)
    return Equipment(Toolbox([gadget for gadget, _ in taken]), tuple(spec for _, spec in taken), total, version)
