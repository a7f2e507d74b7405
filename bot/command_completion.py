"""What is offered while somebody types the argument of a command."""

from collections.abc import Iterable, Sequence

from bot.agent.roster import Profile
from bot.command_specs import Argument
from bot.command_texts import label, mission_label
from bot.platforms.platform import ConversationKey
from storage import conversations
from storage.conversations import Conversation, Place
from storage.database import Connection

MAX_OFFERED = 25
"""Discord's limit."""
MAX_SEARCHED = 100
"""Missions of one kind that are looked through for what was typed."""

Offer = tuple[str, str]
"""What is shown, and the argument's value."""


def near(connection: Connection, key: ConversationKey, owner: str, typed: str, *, all_here: bool) -> list[Conversation]:
    """A unit of work: the owner's latest missions, those of this channel or only the active one of this place, and
    those whose ids begin with what was typed, wherever they are: the caller drops what the asker may not see.
    """
    own = Place(key.platform, key.workspace, owner=owner)
    found = conversations.recent(connection, own, limit=MAX_SEARCHED)
    if all_here:
        here = Place(key.platform, key.workspace, key.channel)
        found += conversations.recent(connection, here, limit=MAX_SEARCHED)
    elif active := conversations.find_active(connection, key.platform, key.workspace, key.channel, key.thread):
        found.append(active)
    return found + conversations.matching(connection, typed.lower(), limit=MAX_SEARCHED)


def missions(found: Iterable[Conversation], typed: str) -> list[Offer]:
    """Those of which the id begins with what was typed, or the title has it, the latest first and each once."""
    by_number = {each.number: each for each in found if _matches(each, typed.lower())}
    return [(mission_label(by_number[number]), by_number[number].id) for number in sorted(by_number, reverse=True)]


def _matches(conversation: Conversation, typed: str) -> bool:
    return conversation.id.startswith(typed) or typed in conversation.title.lower()


def words(argument: Argument, profiles: Sequence[Profile], typed: str) -> list[Offer]:
    """The argument's own choices, and the agents where it means one."""
    offers = [(choice, choice) for choice in argument.choices]
    if argument.completes == "agent":
        offers += [(label(f"{profile.name} · {profile.description}"), profile.name) for profile in profiles]
    return [offer for offer in offers if typed.lower() in offer[0].lower()]
