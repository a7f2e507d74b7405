"""Whom the limits hold for, and what those are told who reach them."""

import pytest

from bot.allowances import MAX_TOLD, Allowances, sentence
from bot.command_rights import Rights
from bot.platforms.platform import Author, ConversationKey
from storage.quotas import Exceeded, Quotas

LIMITS = Quotas(messages_per_minute=20)
HERE = ConversationKey("discord", "guild", "c", "t")
DIRECT = ConversationKey("discord", "", "dm", "")
ALICE = Author("u1", "Alice")
SOON = Exceeded("user", "messages", 20, 35)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def allowances(*, exempt_admins: bool = True, clock: Clock | None = None) -> Allowances:
    rights = Rights({"discord": frozenset({"boss"})})
    return Allowances(LIMITS, rights, exempt_admins=exempt_admins, now=clock or Clock())


@pytest.mark.parametrize(
    ("author", "key", "limited"),
    [
        (ALICE, HERE, True),
        (Author("boss", "The boss"), HERE, False),
        (Author("boss", "The boss"), DIRECT, False),
        (Author("boss", "Somebody of the same id"), ConversationKey("slack", "T1", "C1", ""), True),
        (Author("u2", "Who administers the server", admin=True), HERE, False),
    ],
)
def test_admins_are_exempt_unless_the_settings_say_otherwise(
    author: Author, key: ConversationKey, limited: bool
) -> None:
    assert allowances().of(key, author) == (LIMITS if limited else None)
    assert allowances(exempt_admins=False).of(key, author) == LIMITS


def test_where_nothing_is_limited_nothing_is_counted() -> None:
    assert Allowances().of(HERE, ALICE) is None


@pytest.mark.parametrize(
    ("over", "said"),
    [
        (SOON, "You have sent 20 messages in the last minute; I can take the next one in 35 seconds."),
        (
            Exceeded("user", "messages", 1, 1),
            "You have sent 1 message in the last minute; I can take the next one in 1 second.",
        ),
        (
            Exceeded("workspace", "messages", 1_000, 60),
            "All of you here have sent 1,000 messages in the last minute; I can take the next one in 60 seconds.",
        ),
        (
            Exceeded("user", "tokens", 5, 91),
            "You have used up what you may ask of me in a day; I can take the next one in 2 minutes.",
        ),
        (
            Exceeded("workspace", "tokens", 5, 86_400),
            "All of you here have used up what you may ask of me in a day; I can take the next one in 24 hours.",
        ),
    ],
)
def test_who_is_refused_is_told_why_and_for_how_long(over: Exceeded, said: str) -> None:
    assert sentence(over) == said


def test_each_is_told_once_until_there_was_room_again() -> None:
    clock = Clock()
    gate = allowances(clock=clock)
    assert [gate.refusal(SOON, HERE, ALICE).told for _ in range(3)] == [False, True, True]
    assert not gate.refusal(SOON, HERE, Author("u2", "Bob")).told
    assert not gate.refusal(Exceeded("workspace", "messages", 20, 35), HERE, ALICE).told, "that is another limit"
    clock.now += 34.9
    assert gate.refusal(SOON, HERE, ALICE).told
    clock.now += 0.2
    assert not gate.refusal(SOON, HERE, ALICE).told


def test_who_was_told_is_not_remembered_without_bound() -> None:
    gate = allowances()
    for number in range(MAX_TOLD + 10):
        gate.refusal(SOON, HERE, Author(f"u{number}", "One of many"))
    assert len(gate._told) <= MAX_TOLD


def test_of_what_was_missed_only_the_tokens_count() -> None:
    gate = Allowances(Quotas(messages_per_minute=1, workspace_messages_per_minute=2, tokens_per_day=3))
    assert gate.of(HERE, ALICE, missed=True) == Quotas(tokens_per_day=3)
    assert Allowances(Quotas(messages_per_minute=1)).of(HERE, ALICE, missed=True) is None
