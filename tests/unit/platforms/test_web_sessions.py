"""The signed cookie, and the limit on guessing the token."""

import pytest
from itsdangerous import URLSafeTimedSerializer

from bot.platforms.web.logins import MAX_ADDRESSES, MAX_FAILURES, WINDOW_SECONDS, Logins
from bot.platforms.web.sessions import Sessions

TOKEN = "a token of sixteen"


def cookie(sessions: Sessions, browser: str = "browser-1") -> dict[str, str]:
    return {sessions.cookie: sessions.write(browser)}


def test_a_cookie_is_read_back_also_after_a_restart() -> None:
    session = Sessions("key", None).read(cookie(Sessions("key", None)))
    assert (session.browser, session.trusted, session.known) == ("browser-1", True, True)


def test_without_a_cookie_everybody_is_somebody_else() -> None:
    one, two = Sessions("key", None).read({}), Sessions("key", None).read({})
    assert one.browser != two.browser
    assert not one.known


FORGERIES = ["", "x", "a.b.c", "WyJicm93c2VyLTEiLCIiXQ.aaaaaa.bbbbbb", "\udcff", "é", "." * 500]


@pytest.mark.parametrize("value", FORGERIES)
def test_a_garbled_cookie_is_a_fresh_browser(value: str) -> None:
    sessions = Sessions("key", None)
    session = sessions.read({sessions.cookie: value})
    assert not session.known
    assert session.browser != "browser-1"


def test_a_cookie_signed_with_another_key_is_a_fresh_browser() -> None:
    ours = Sessions("key", None)
    forged = Sessions("other key", None).write("browser-1")
    assert not ours.read({ours.cookie: forged}).known


def test_a_changed_cookie_is_a_fresh_browser() -> None:
    sessions = Sessions("key", None)
    value = sessions.write("browser-1")
    assert not sessions.read({sessions.cookie: value[:-1] + ("A" if value[-1] != "A" else "B")}).known
    assert not sessions.read({sessions.cookie: "X" + value[1:]}).known


def test_a_value_signed_for_something_else_is_no_session() -> None:
    sessions = Sessions("key", None)
    elsewhere = URLSafeTimedSerializer("key", salt="something else").dumps(("browser-1", ""))
    assert not sessions.read({sessions.cookie: str(elsewhere)}).known


def test_with_a_token_only_those_who_showed_it_are_trusted() -> None:
    guarded = Sessions("key", TOKEN)
    assert not guarded.read({}).trusted
    assert guarded.read(cookie(guarded)).trusted


def test_a_cookie_from_before_the_token_was_set_is_known_and_not_trusted() -> None:
    session = Sessions("key", TOKEN).read(cookie(Sessions("key", None)))
    assert (session.browser, session.known, session.trusted) == ("browser-1", True, False)


def test_a_changed_token_shuts_everybody_out() -> None:
    assert not Sessions("key", "another sixteen chars").read(cookie(Sessions("key", TOKEN))).trusted


def test_taking_the_token_away_lets_everybody_in() -> None:
    session = Sessions("key", None).read(cookie(Sessions("key", TOKEN)))
    assert (session.browser, session.trusted) == ("browser-1", True)


@pytest.mark.parametrize("guess", ["", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\udcff", "é"])
def test_only_the_token_is_accepted(guess: str) -> None:
    assert not Sessions("key", TOKEN).accepts(guess)
    assert Sessions("key", TOKEN).accepts(TOKEN)


def test_without_a_token_nothing_is_accepted() -> None:
    assert not Sessions("key", None).accepts("")


def test_the_cookie_does_not_show_the_token() -> None:
    sessions = Sessions("key", TOKEN)
    assert TOKEN not in sessions.write("browser-1")


def test_two_installations_on_one_machine_do_not_take_each_others_cookie() -> None:
    assert Sessions("one", None).cookie != Sessions("two", None).cookie


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_guessing_has_to_wait_and_may_go_on_later() -> None:
    clock = Clock()
    logins = Logins(clock)
    for _ in range(MAX_FAILURES):
        assert logins.wait("1.2.3.4") == 0
        logins.failed("1.2.3.4")
    assert logins.wait("1.2.3.4") == WINDOW_SECONDS
    assert logins.wait("5.6.7.8") == 0
    clock.now += WINDOW_SECONDS
    assert logins.wait("1.2.3.4") == 0


def test_a_login_forgives_earlier_failures() -> None:
    logins = Logins(Clock())
    for _ in range(MAX_FAILURES):
        logins.failed("1.2.3.4")
    logins.succeeded("1.2.3.4")
    assert logins.wait("1.2.3.4") == 0


def test_many_addresses_do_not_fill_the_memory() -> None:
    logins = Logins(Clock())
    for number in range(MAX_ADDRESSES + 10):
        for _ in range(MAX_FAILURES):
            logins.failed(str(number))
    assert logins.wait("0") == 0
    assert logins.wait(str(MAX_ADDRESSES + 9)) > 0
