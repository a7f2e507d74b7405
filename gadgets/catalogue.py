"""All gadgets there are. A new one is a file with an `@gadget` function and its line in `ALL`."""

from collections.abc import Callable, Mapping
from typing import Any

from gadgets import field_mission, field_state
from gadgets.clock import clock
from gadgets.decryptor import decrypt, encrypt
from gadgets.dice import dice
from gadgets.field_gadgets import FIELD_MISSION
from gadgets.gadget import Gadget
from gadgets.notes import recall, remember
from gadgets.translator import translate
from gadgets.weather import weather

ALL: tuple[Gadget, ...] = (
    weather,
    decrypt,
    encrypt,
    clock,
    dice,
    translate,
    remember,
    recall,
    *FIELD_MISSION,
)
"""In the order in which a model is told of them."""

GENERAL: tuple[Gadget, ...] = tuple(each for each in ALL if not each.keeps)
"""What an agent may use that says "*". Gadgets that keep something about a conversation make sense only together, and
to an agent that is told how: it names them.
"""

SUMMARIES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {field_state.FAMILY: field_mission.describe}
"""Family → what people are told, as Markdown, of the state that it keeps about a conversation; maybe nothing."""


def summaries(state: Mapping[str, Any]) -> list[str]:
    """What there is to tell of all that gadgets keep about a conversation."""
    told = (describe(state[family]) for family, describe in SUMMARIES.items() if isinstance(state.get(family), dict))
    return [text for text in told if text]
