"""No secret and no control character is left in a text for the log."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from bot.observing.redaction import HIDDEN, Redaction, one_line, secrets_in, without_echo
from bot.settings import keys, load
from bot.settings.sources import variable

SECRET = 'canary/"ä+\\7'


@pytest.mark.parametrize(
    "written", [SECRET, quote(SECRET), quote(SECRET, safe=""), json.dumps(SECRET), repr(SECRET)], ids=range(5)
)
def test_a_secret_is_hidden_however_it_is_written(written: str) -> None:
    assert Redaction([SECRET])(f"before {written} after").replace('"', "").replace("'", "") == f"before {HIDDEN} after"


def test_a_secret_that_contains_another_is_hidden_whole() -> None:
    assert Redaction(["abcdef", "abcdef-ghijkl"])("x abcdef-ghijkl y") == f"x {HIDDEN} y"


def test_what_is_too_short_to_be_a_secret_leaves_words_alone() -> None:
    assert Redaction(["none"])("none of them") == "none of them"


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Authorization: Bearer abcdefgh.ijk", "abcdefgh"),
        ("{'Authorization': 'Bot MTIz.abc', 'X': 1}", "MTIz.abc"),
        ("sent bearer abcdefgh.ijk there", "abcdefgh"),
        ("xoxb-123-abc", "123-abc"),
        ("xapp-1-A0-abc", "A0-abc"),
        ("key sk-proj-abcdefghijklmnop given", "abcdefghijklmnop"),
        ("postgresql://bot:hunter22@db/bot", "hunter22"),
        ("wss://slack.example/link/?ticket=abc123&app_id=7", "abc123"),
        ("https://api.example/data?units=metric&appid=abc123 failed", "abc123"),
        ("https://discord.com/api/v10/webhooks/123/aW-token_x/messages", "aW-token_x"),
        ("https://discord.com/api/v10/interactions/123/aW-token_x/callback", "aW-token_x"),
        ("https://hooks.slack.com/commands/T0AB/123/abcDEF", "abcDEF"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_without_being_known(text: str, hidden: str) -> None:
    assert hidden not in (told := Redaction()(text))
    assert HIDDEN in told


def test_ordinary_text_stays_as_it_is() -> None:
    text = "the chat page is at http://127.0.0.1:8321/?page=2, basic things: 5 of 7, turn 3"
    assert Redaction(["not-in-there"])(text) == text


def test_every_secret_of_the_settings_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET_AGENTS_STORAGE__URL", "postgresql://bot:canary-of-the-database@localhost/bot")
    Path("config.toml").write_text('[mcp.files]\nurl = "https://files.example/mcp"\n')
    secrets = {variable(key.path) for key in keys.every(("files",)) if key.secret}
    assert len(secrets) >= 7
    for name in secrets:
        monkeypatch.setenv(name, f"canary-of-{name}")
    assert set(secrets_in(load())) == {f"canary-of-{name}" for name in secrets} | {"canary-of-the-database"}


def test_control_characters_and_line_separators_are_spelled_out() -> None:
    hostile = "a\nb\rc\td\x1b[31me\u2028f\u202eg\x00h\x85i"
    told = one_line(hostile)
    assert told == "a\\nb\\rc d\\u001b[31me\\u2028f\\u202eg\\u0000h\\u0085i"
    assert len(told.splitlines()) == 1


def test_what_a_server_quotes_of_a_message_is_hidden() -> None:
    said = "Tell nobody that the vault opens at midnight."
    told = without_echo("HTTP 400: cannot read 'nobody that the vault opens' at 7", said)
    assert told == f"HTTP 400: cannot read '{HIDDEN}' at 7"


def test_a_short_message_is_hidden_whole_and_a_common_word_is_not() -> None:
    assert without_echo("sent midnight 7 instead", "midnight 7") == f"sent {HIDDEN} instead"
    assert without_echo("the turn failed", "failed") == "the turn failed"
    assert without_echo("the turn failed", "") == "the turn failed"
