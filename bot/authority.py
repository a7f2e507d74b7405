"""Who may use what, as the settings have it."""

from bot.command_rights import Named, Rights
from bot.settings import Settings
from bot.settings.authority import People
from gadgets.catalogue import ALL
from gadgets.gadget import Gadget
from gadgets.policy import configured


def rights_of(settings: Settings) -> Rights:
    return Rights(
        _named(settings.admins),
        _named(settings.operators),
        _named(settings.members),
        commands=dict(settings.commands.items()),
    )


def configured_gadgets(settings: Settings) -> list[Gadget]:
    """The catalogue's, each with what its table says of it."""
    return [configured(gadget, settings.gadgets[gadget.name]) for gadget in ALL]


def _named(people: People) -> Named:
    return {"discord": frozenset(people.discord), "slack": frozenset(people.slack), "web": frozenset(people.web)}
