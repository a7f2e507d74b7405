"""The manifest that Slack makes the bot's app from; that it asks for what the bot uses, and that the page says so."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bot.command_specs import COMMANDS
from bot.platforms.slack.manifest import (
    APP_SCOPE,
    COMMAND,
    EVENTS,
    PATH,
    PLACEHOLDER,
    PROMPTS,
    SCOPES,
    SHORTCUT,
    app_page,
    manifest_of,
    missing,
    request_url,
)
from bot.settings.sections import Slack
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.events import SUBSCRIPTION

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "slack.md").read_text("utf-8")
SOURCES = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "bot" / "platforms" / "slack").glob("*.py")))
SCOPE_NAMES = set(SCOPES)
EVENT_NAMES = set(EVENTS)
SDK_HELPERS = {
    "files_upload_v2": ("files.getUploadURLExternal", "files.completeUploadExternal"),
    "auth_test": ("auth.test",),
    "apps_connections_open": ("apps.connections.open",),
}
"""Functions of slack_sdk, and the methods that they call."""
SCOPES_OF_EVENTS = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
}
"""Of those events that need one. Source: https://docs.slack.dev/reference/events"""
OTHER_USES = {"commands", "files:read"}
"""Needed for what is no method: slash commands and shortcuts, and files' addresses."""


def http(**settings: Any) -> Slack:
    return Slack(mode="http", **settings)


def methods() -> set[str]:
    """Every Web API method that the adapter names, directly or by a function of the SDK."""
    known = FakeSlack().web_api.methods
    direct = {name for name in re.findall(r'"([a-z]+(?:\.[a-zA-Z]+)+)"', SOURCES) if name in known}
    helpers = {name for helper, names in SDK_HELPERS.items() if f".{helper}(" in SOURCES for name in names}
    return direct | helpers


def test_the_methods_that_are_used_are_found() -> None:
    some = {"chat.postMessage", "chat.update", "chat.startStream", "conversations.open", "users.info", "auth.test"}
    assert methods() >= some | {"files.completeUploadExternal", "agents.sessions.setStatus"}
    assert not re.search(r'client\.api_call\(\s*"', SOURCES)


def test_every_method_that_is_used_has_its_scope() -> None:
    known = FakeSlack().web_api.methods
    lacking = [name for name in methods() if known[name].scopes and not SCOPE_NAMES & set(known[name].scopes)]
    assert lacking == []


def test_no_scope_is_asked_for_without_need() -> None:
    known = FakeSlack().web_api.methods
    for_methods = {scope for name in methods() for scope in known[name].scopes}
    for_events = {SCOPES_OF_EVENTS[name] for name in EVENT_NAMES & SCOPES_OF_EVENTS.keys()}
    assert for_methods | for_events | OTHER_USES >= SCOPE_NAMES


def test_the_events_that_are_heard_are_subscribed_to_with_their_scopes() -> None:
    heard = set(re.findall(r'app\.event\("(\w+)"\)', SOURCES))
    assert heard >= {"message", "app_mention"}
    assert (heard - {"message"}) | set(SUBSCRIPTION.values()) == EVENT_NAMES
    assert {SCOPES_OF_EVENTS[name] for name in EVENT_NAMES & SCOPES_OF_EVENTS.keys()} <= SCOPE_NAMES


def test_the_command_the_shortcut_and_the_prompts_are_those_that_are_answered() -> None:
    features = manifest_of(Slack()).as_json()["features"]
    assert [each["command"] for each in features["slash_commands"]] == [COMMAND]
    assert [(each["type"], each["callback_id"]) for each in features["shortcuts"]] == [("message", SHORTCUT)]
    assert [each["message"] for each in features["agent_view"]["suggested_prompts"]] == list(PROMPTS)


def test_the_usage_hint_names_every_command() -> None:
    hint = manifest_of(Slack()).as_json()["features"]["slash_commands"][0]["usage_hint"]
    assert [each.split()[0] for each in hint.split(" | ")] == [spec.name for spec in COMMANDS]
    assert "export [id] [format]" in hint


def test_with_a_socket_there_is_no_address() -> None:
    manifest = manifest_of(Slack(public_url="https://bot.example.org"))
    assert manifest.as_json()["settings"]["socket_mode_enabled"] is True
    assert "https://" not in manifest.text()
    assert manifest.note == ""


@pytest.mark.parametrize("public_url", ["https://bot.example.org", "https://bot.example.org/slack/events/"])
def test_over_http_events_clicks_and_commands_come_to_the_same_address(public_url: str) -> None:
    manifest = manifest_of(http(public_url=public_url))
    made, url = manifest.as_json(), "https://bot.example.org/slack/events"
    assert made["settings"]["socket_mode_enabled"] is False
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert made["settings"]["interactivity"]["request_url"] == url
    assert made["features"]["slash_commands"][0]["url"] == url
    assert manifest.note == ""


def test_an_address_below_a_folder_is_kept() -> None:
    assert request_url(http(public_url="https://example.org/bot/")) == "https://example.org/bot/slack/events"


def test_an_unknown_address_leaves_a_placeholder_and_a_note() -> None:
    manifest = manifest_of(http())
    assert manifest.text().count(f'"{PLACEHOLDER}/slack/events"') == 3
    assert "[slack] public_url" in manifest.note
    assert PLACEHOLDER in manifest.note


@pytest.mark.parametrize("url", ["http://bot.example.org", "bot.example.org", "https://", "wss://bot.example.org"])
def test_slack_calls_https_addresses_only(url: str) -> None:
    with pytest.raises(ValidationError, match="must be a URL that begins with https://"):
        http(public_url=url)


def test_what_is_printed_is_the_same_json_and_holds_no_secret() -> None:
    secret = SecretStr("hush-hush")
    manifest = manifest_of(Slack(bot_token=secret, app_token=secret, signing_secret=secret))
    assert json.loads(manifest.text()) == manifest.as_json()
    assert "hush" not in manifest.text()


def test_what_new_apps_have_instead_of_the_assistant_view_is_asked_for() -> None:
    made = manifest_of(Slack()).as_json()
    assert set(made["features"]) == {"agent_view", "app_home", "bot_user", "shortcuts", "slash_commands"}
    assert made["features"]["app_home"] == {
        "home_tab_enabled": False,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
    assert made["features"]["bot_user"]["always_online"] is True
    assert made["settings"]["interactivity"]["is_enabled"] is True


LIMITS = {
    "display_information.name": 35,
    "display_information.description": 140,
    "features.agent_view.agent_description": 300,
    "features.bot_user.display_name": 80,
    "features.shortcuts.name": 24,
    "features.shortcuts.description": 150,
    "features.slash_commands.description": 2_000,
    "features.slash_commands.usage_hint": 1_000,
}
"""Characters. Source: https://github.com/slackapi/manifest-schema/blob/main/schemas/manifest.schema.1.0.0.json"""


@pytest.mark.parametrize(("place", "limit"), LIMITS.items())
def test_no_text_is_longer_than_slack_takes(place: str, limit: int) -> None:
    found = list(values(manifest_of(Slack()).as_json(), place.split(".")))
    assert found
    assert all(0 < len(each) <= limit for each in found)


def values(made: Any, path: list[str]) -> Iterator[str]:
    """What stands at a path; lists are gone through."""
    if isinstance(made, list):
        for each in made:
            yield from values(each, path)
    elif path:
        yield from values(made[path[0]], path[1:])
    else:
        yield made


def test_there_are_no_more_prompts_than_slack_takes_and_the_name_has_its_characters() -> None:
    features = manifest_of(Slack()).as_json()["features"]
    assert len(features["agent_view"]["suggested_prompts"]) <= 4
    assert re.fullmatch(r"[a-z0-9._-]+", features["bot_user"]["display_name"])


def test_missing_scopes_are_named() -> None:
    every = ",".join(sorted(SCOPE_NAMES))
    assert missing(every) == []
    assert missing(f"{every},reactions:read") == []
    assert missing(every.replace(",", ", ")) == []
    assert missing(every.replace("im:write,", "").replace("chat:write,", "")) == ["chat:write", "im:write"]
    assert missing("") == list(SCOPES)


def test_the_apps_page_is_known_by_its_token() -> None:
    assert app_page("xapp-1-A012ABCD0A0-123-abc") == "https://api.slack.com/apps/A012ABCD0A0"


@pytest.mark.parametrize("token", ["", "xapp-", "xapp-1-", "xoxb-1-A012ABCD0A0-1", "xapp-1-hush/hush-1", "xapp-1-Ä-1"])
def test_without_an_id_the_page_is_described(token: str) -> None:
    assert app_page(token) == "https://api.slack.com/apps > your app"


def test_slacks_packages_are_not_needed() -> None:
    code = "import sys, bot.cli_manifest; print(sorted({'slack_bolt', 'slack_sdk'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_the_set_up_page_names_every_scope_and_no_other() -> None:
    named = set(re.findall(r"`([a-z_]+:(?:read|write|history))`", PAGE)) | {"commands"}
    assert "| `commands` |" in PAGE
    assert named == SCOPE_NAMES | {APP_SCOPE}


def test_every_setting_of_the_set_up_page_exists() -> None:
    in_blocks = re.findall(r"^ +(\w+) = ", PAGE, re.MULTILINE)
    in_words = re.findall(r"`(?:\[slack\] )?([a-z]+_[a-z_]+)(?: = \w+)?`", PAGE)
    elsewhere = {"slack", "display_name"}  # in [admins], and in the manifest
    named = {*in_blocks, *in_words} - elsewhere
    assert named >= {"mode", "public_url", "api_url", "max_parts", "answer_bots"}
    assert named <= Slack.model_fields.keys()


def test_the_set_up_page_explains_every_command_and_the_address() -> None:
    for spec in COMMANDS:
        assert re.search(rf"`(?:/mission )?{spec.name}\b", PAGE), spec.name
    assert PATH in PAGE
