"""What the operator is told to set for the bot in Discord; and that the set-up page says the same."""

import re
import subprocess
import sys
from base64 import urlsafe_b64encode
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import discord
import pytest

from bot.platforms.discord.manifest import (
    ADMINISTRATOR,
    INTENTS,
    PERMISSIONS,
    PLACEHOLDER,
    application_id,
    manifest_of,
    missing,
    permission_integer,
)
from bot.settings.sections import Discord

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "discord.md").read_text("utf-8")
ID = "1234567890123456789"


def token_of(first: bytes) -> str:
    return urlsafe_b64encode(first).decode().rstrip("=") + ".Gabcde.notAnyBodysSecret"


@pytest.mark.parametrize("known", [ID, ID[:18], ID[:17]])
def test_the_id_is_in_the_tokens_first_part(known: str) -> None:
    assert application_id(token_of(known.encode())) == known
    assert application_id(f" {token_of(known.encode())}\n") == known


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "fake-token",
        "x",
        "ä.b.c",
        "A.B.C",
        token_of(b"12"),
        token_of(b"secret-agents-secret"),
        token_of(b"\xff"),
    ],
)
def test_a_token_without_an_id_leaves_a_placeholder(token: str) -> None:
    manifest = manifest_of(token)
    assert manifest.application is None
    assert f"client_id={PLACEHOLDER}&" in manifest.invite_url
    assert "id is not known" in manifest.text()
    assert manifest.as_json()["application_id"] is None


def test_the_invite_url_asks_for_the_scopes_and_the_permissions() -> None:
    url = manifest_of(token_of(ID.encode())).invite_url
    assert url == (
        f"https://discord.com/oauth2/authorize?client_id={ID}&scope=bot+applications.commands&permissions=309237746688"
    )
    assert parse_qs(urlsplit(url).query)["scope"] == ["bot applications.commands"]


def test_the_permission_bits_are_discords() -> None:
    wanted = discord.Permissions(
        view_channel=True,
        send_messages=True,
        attach_files=True,
        read_message_history=True,
        create_public_threads=True,
        send_messages_in_threads=True,
    )
    assert permission_integer() == wanted.value
    assert discord.Permissions(administrator=True).value == ADMINISTRATOR


def test_what_is_missing_is_named() -> None:
    every = permission_integer()
    assert missing(every) == []
    assert missing(every | 1 << 40) == []
    assert missing(every & ~(1 << 15) & ~(1 << 38)) == ["Attach Files", "Send Messages in Threads"]
    assert missing(0) == [each.name for each in PERMISSIONS]


def test_an_administrator_lacks_nothing() -> None:
    assert missing(ADMINISTRATOR) == []


def test_the_text_names_all_that_has_to_be_set_and_nothing_secret() -> None:
    token = token_of(ID.encode())
    text = manifest_of(token).text()
    for each in (*PERMISSIONS, *INTENTS):
        assert each.name in text
    assert f"https://discord.com/developers/applications/{ID}/bot" in text
    for part in token.split("."):
        assert part not in text


def test_discord_py_is_not_needed() -> None:
    code = "import sys, bot.cli_manifest; print('discord' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "False\n"


def test_the_set_up_page_names_the_same_permissions_and_switch() -> None:
    assert set(re.findall(r"\b\d{12,}\b", PAGE)) >= {str(permission_integer())}
    for each in (*PERMISSIONS, *INTENTS):
        assert each.name in PAGE


def test_every_setting_of_the_set_up_page_exists() -> None:
    named = set(re.findall(r"`((?:allow|deny)_\w+|direct_messages|answer_bots|max_parts|catch_up_\w+)\b", PAGE))
    assert named <= Discord.model_fields.keys()
    assert {name for name in Discord.model_fields if name.startswith(("allow_", "deny_"))} <= named
