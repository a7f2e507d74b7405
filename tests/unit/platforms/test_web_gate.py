"""Which names and origins are let in."""

import pytest

from bot.addresses import is_loopback
from bot.platforms.web.gate import Gate

LOOPBACK = Gate("127.0.0.1", ["Bot.example.org", "other.example:8443"])

ALLOWED = [
    ("localhost:8321", None),
    ("LOCALHOST:8321", None),
    ("127.0.0.1:8321", "http://127.0.0.1:8321"),
    ("[::1]:8321", "http://[::1]:8321"),
    ("localhost", "http://localhost"),
    ("localhost:80", "http://localhost"),
    ("localhost", "http://localhost:80"),
    ("localhost:9000", "http://localhost:9000"),  # a forwarded port
    ("bot.example.org", "https://bot.example.org"),
    ("bot.example.org:443", "https://bot.example.org"),
    ("other.example:8443", "https://other.example:8443"),
]


@pytest.mark.parametrize(("host", "origin"), ALLOWED)
def test_own_names_and_own_pages_are_let_in(host: str, origin: str | None) -> None:
    assert LOOPBACK.refusal(host, origin) is None


FOREIGN_HOSTS = [
    None,
    "",
    "evil.example",
    "evil.example:8321",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example@localhost",
    "localhost/evil",
    "localhost?x",
    "192.168.1.5:8321",
    "0.0.0.0:8321",
    "other.example",
    "localhost:port",
    "[::1",
]


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_a_foreign_name_is_refused(host: str | None) -> None:
    assert LOOPBACK.refusal(host, None) is not None


FOREIGN_ORIGINS = [
    "http://evil.example",
    "http://localhost:3000",
    "https://localhost:8322",
    "http://127.0.0.1:8321",
    "http://localhost:8321.evil.example",
    "http://localhost:8321/",
    "http://user@localhost:8321",
    "null",
    "",
    "file://",
    "chrome-extension://abcdef",
    "ws://localhost:8321",
    "http://[::1",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_origin_is_refused(origin: str) -> None:
    assert LOOPBACK.refusal("localhost:8321", origin) is not None


def test_a_server_open_to_others_takes_every_name_but_no_foreign_page() -> None:
    gate = Gate("0.0.0.0")
    assert gate.refusal("bot.lan:8321", "http://bot.lan:8321") is None
    assert gate.refusal("bot.lan:8321", "http://evil.example") is not None


def test_a_server_open_to_others_with_names_of_its_own_takes_only_those() -> None:
    gate = Gate("0.0.0.0", ["bot.example.org"])
    assert gate.refusal("bot.example.org", None) is None
    assert gate.refusal("localhost:8321", None) is None
    assert gate.refusal("evil.example", None) is not None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "::1"])
def test_loopback_hosts(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", ""])
def test_hosts_that_others_can_reach(host: str) -> None:
    assert not is_loopback(host)
