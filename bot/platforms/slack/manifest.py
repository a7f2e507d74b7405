"""The manifest from which Slack makes the bot's app. Pure; needs neither network nor slack-bolt.

Source: https://docs.slack.dev/reference/app-manifest
"""

import json
from dataclasses import dataclass
from typing import Any

from bot.command_specs import COMMANDS
from bot.settings.sections import Slack

APPS = "https://api.slack.com/apps"
PLACEHOLDER = "https://YOUR-HOST"
PATH = "/slack/events"
NAME = "Secret Agents"
BOT_NAME = "secret-agents"
COMMAND = "/mission"
SHORTCUT = "mission"
PROMPTS = ("What can you do?", "What is the weather in Lisbon?", "Decode this message: Khoor, djhqw.")
ABOUT = "An agent with gadgets: weather, ciphers, the time anywhere."
SCOPES = (
    "app_mentions:read",  # hear that it is mentioned
    "assistant:write",  # offer prompts to begin with, show that it is at work
    "channels:history",  # hear its threads in public channels, find its own answers after a crash
    "chat:write",  # answer
    "commands",  # the command, and the shortcut of messages
    "files:read",  # read the files that people send to it
    "files:write",  # send very long answers, and exports, as a file
    "groups:history",  # as in public channels, in private ones that it was invited to
    "im:history",  # hear direct messages to it
    "im:write",  # send an export to the direct messages of whoever asked
    "mpim:history",  # as in channels, in group messages that it is in
    "users:read",  # know names, and who is an admin of the workspace
)
"""Of the bot's token. Source: the page of each method below https://docs.slack.dev/reference/methods."""
APP_SCOPE = "connections:write"
"""Of the app's token in Socket Mode, which no manifest can ask for."""
EVENTS = (
    "agent_session_stopped",  # Slack's own Stop button
    "app_home_opened",
    "app_mention",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """`url` is where Slack sends everything; None in Socket Mode, where it sends nothing."""

    url: str | None

    @property
    def note(self) -> str:
        """What has to be changed by hand; empty: nothing."""
        if self.url is None or not self.url.startswith(PLACEHOLDER):
            return ""
        return f"[slack] public_url: is not set; put the https address of your server in the place of {PLACEHOLDER}."

    def text(self) -> str:
        """What Slack takes is JSON."""
        return json.dumps(self.as_json(), indent=2)

    def as_json(self) -> dict[str, Any]:
        return {
            "display_information": {"name": NAME, "description": ABOUT},
            "features": self._features(),
            "oauth_config": {"scopes": {"bot": list(SCOPES)}},
            "settings": self._settings(),
        }

    def _features(self) -> dict[str, Any]:
        return {
            "agent_view": {
                "agent_description": ABOUT,
                "suggested_prompts": [{"title": prompt, "message": prompt} for prompt in PROMPTS],
            },
            "app_home": {
                "home_tab_enabled": False,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": BOT_NAME, "always_online": True},
            "shortcuts": [
                {
                    "type": "message",
                    "name": "Show this mission",
                    "callback_id": SHORTCUT,
                    "description": "What this message's mission is, with a button to end it",
                }
            ],
            "slash_commands": [self._command()],
        }

    def _command(self) -> dict[str, Any]:
        return {
            "command": COMMAND,
            "description": "Begin, list, show, end and export missions",
            "usage_hint": " | ".join(spec.usage.removeprefix(f"{COMMAND} ") for spec in COMMANDS),
            "should_escape": False,
            **({"url": self.url} if self.url else {}),
        }

    def _settings(self) -> dict[str, Any]:
        address = {"request_url": self.url} if self.url else {}
        return {
            "event_subscriptions": {**address, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": self.url is None,
            "token_rotation_enabled": False,
        }


def manifest_of(settings: Slack) -> Manifest:
    return Manifest(None if settings.mode == "socket" else request_url(settings) or f"{PLACEHOLDER}{PATH}")


def request_url(settings: Slack) -> str:
    """Where Slack has to reach this program; empty where nobody has set it."""
    return f"{settings.public_url.removesuffix(PATH)}{PATH}" if settings.public_url else ""


def app_page(app_token: str) -> str:
    """The app's page: its id is in the app's token, `xapp-1-A012ABCD0A0-…`."""
    kind, _, rest = app_token.partition("-")
    _, _, rest = rest.partition("-")
    app = rest.partition("-")[0]
    known = kind == "xapp" and app.startswith("A") and app.isascii() and app.isalnum()
    return f"{APPS}/{app}" if known else f"{APPS} > your app"


def missing(scopes: str) -> list[str]:
    """Those needed scopes that are not in this list, which is separated by commas as Slack's are."""
    granted = {each.strip() for each in scopes.split(",")}
    return [each for each in SCOPES if each not in granted]
