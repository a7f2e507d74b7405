"""What has to be set for the bot's application in Discord's developer portal. Pure; needs neither network nor
discord.py.
"""

import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

AUTHORIZE = "https://discord.com/oauth2/authorize"
PORTAL = "https://discord.com/developers/applications"
PLACEHOLDER = "YOUR_APPLICATION_ID"
SCOPES = ("bot", "applications.commands")
ADMINISTRATOR = 1 << 3
"""Implies every other permission."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Something to permit, by its name in Discord, and what the bot does with it."""

    name: str
    why: str
    bit: int = 0


PERMISSIONS = (
    Needed("View Channels", "hear what it is asked", 1 << 10),
    Needed("Send Messages", "answer where there are no threads, and /mission new", 1 << 11),
    Needed("Attach Files", "send very long answers as a file", 1 << 15),
    Needed("Read Message History", "reply to messages, answer what was asked while it was away", 1 << 16),
    Needed("Create Public Threads", "open a thread per question", 1 << 35),
    Needed("Send Messages in Threads", "answer in threads and forum posts", 1 << 38),
)
"""Bits: https://discord.com/developers/docs/topics/permissions. A thread that was archived, and not locked, is opened
again with Send Messages alone (https://discord.com/developers/docs/resources/channel#modify-channel), so Manage Threads
is not among them; nor is Embed Links, as nothing that the bot says shows a preview.
"""
INTENTS = (Needed("Message Content Intent", "answer in its threads without being mentioned"),)
"""The privileged ones, as the portal calls them."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`application` is the application's id, None where it is not known."""

    application: str | None

    @property
    def invite_url(self) -> str:
        """Opened by somebody who manages a server, it adds the bot, or renews its permissions there."""
        asked = {
            "client_id": self.application or PLACEHOLDER,
            "scope": " ".join(SCOPES),
            "permissions": permission_integer(),
        }
        return f"{AUTHORIZE}?{urlencode(asked)}"

    @property
    def bot_page(self) -> str:
        return f"{PORTAL}/{self.application}/bot" if self.application else f"{PORTAL} > your application > Bot"

    @property
    def intent_switch(self) -> str:
        return f"{self.bot_page} > Privileged Gateway Intents > {INTENTS[0].name}"

    def as_json(self) -> dict[str, Any]:
        return {
            "platform": "discord",
            "application_id": self.application,
            "invite_url": self.invite_url,
            "scopes": list(SCOPES),
            "permissions": permission_integer(),
            "permission_names": [each.name for each in PERMISSIONS],
            "privileged_intents": [each.name for each in INTENTS],
        }

    def text(self) -> str:
        unknown = (
            f"The application's id is not known: no Discord token is set, or none with an id in it. Put yours in the"
            f" place of {PLACEHOLDER}:\n"
            f"{PORTAL} > your application > General Information > Application ID."
        )
        return "\n\n".join(
            [
                f"Invite the bot to a server:\n  {self.invite_url}",
                *([] if self.application else [unknown]),
                f"Scopes: {', '.join(SCOPES)}",
                f"Permissions ({permission_integer()}):\n{_listed(PERMISSIONS)}",
                f"Switch on ({self.bot_page} > Privileged Gateway Intents):\n{_listed(INTENTS)}",
            ]
        )


def manifest_of(token: str | None) -> Manifest:
    return Manifest(application_id(token) if token else None)


def application_id(token: str) -> str | None:
    """The id in the first part of a bot's token, base64 without its padding; None where there is none.

    It is the bot user's, which for applications made before 2016 or so is another one than the application's.
    """
    first = token.strip().split(".")[0]
    try:
        found = urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode()
    except (NotBase64, ValueError):
        return None
    return found if re.fullmatch(r"[0-9]{15,20}", found, re.ASCII) else None


def permission_integer() -> int:
    return sum(each.bit for each in PERMISSIONS)


def missing(permissions: int) -> list[str]:
    """The names of those needed permissions that these permission bits lack."""
    if permissions & ADMINISTRATOR:
        return []
    return [each.name for each in PERMISSIONS if not permissions & each.bit]


def _listed(needed: tuple[Needed, ...]) -> str:
    width = max(len(each.name) for each in needed)
    return "\n".join(f"  {each.name:{width}}  {each.why}" for each in needed)
