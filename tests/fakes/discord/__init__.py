"""A strict fake Discord: REST v10 and gateway v10 on one real server. See `server.py`."""

from tests.fakes.discord.intents import Intent
from tests.fakes.discord.interactions import Interaction
from tests.fakes.discord.permissions import P
from tests.fakes.discord.server import FakeDiscord
from tests.fakes.discord.state import Attachment, Channel, Guild, Member, Message, Role, User
from tests.fakes.discord.world import Limits

__all__ = [
    "Attachment",
    "Channel",
    "FakeDiscord",
    "Guild",
    "Intent",
    "Interaction",
    "Limits",
    "Member",
    "Message",
    "P",
    "Role",
    "User",
]
