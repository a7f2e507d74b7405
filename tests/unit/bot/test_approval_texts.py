"""What people read about approvals: arguments are what they seem, and nothing of a model's gets out of its block."""

import json
import re
import string

import pytest

from bot import approval_texts
from bot.approval_texts import MAX_ARGUMENTS, MAX_TEXT
from bot.platforms import discord_text, slack_text
from storage.approvals import Approval, Decision, Verdict
from tests.storage_builders import TEST_DATA

BLOCK = re.compile(r"```json\n(.*)\n```\n", re.DOTALL)


def asked(
    arguments: str = "{}",
    *,
    gadget: str = "launch",
    name: str = "Alice",
    until: str = "2026-11-22T09:10:00.123Z",
    verdict: Verdict | None = None,
) -> Approval:
    at = "2026-11-22T09:00:00.123Z"
    return Approval(7, 1, 1, 0, 0, gadget, arguments, at, until, "m1", verdict, None, "u1", name, "stub", "w")


def test_arguments_are_json_one_on_a_line() -> None:
    assert approval_texts.arguments({"target": "moon"}) == '{"target": "moon"}'
    assert approval_texts.arguments({"a": 1, "b": [True, None, 0.5]}).splitlines() == [
        "{",
        ' "a": 1,',
        ' "b": [',
        "  true,",
        "  null,",
        "  0.5",
        " ]",
        "}",
    ]


HIDDEN = [
    "a\u202eb",
    "a\u2066b\u2069",
    "\u200b\u200d\ufeff\u2060",
    "x\x00y\x1b[31m\x7f\x9b",
    "\u2028\u2029\r\n",
    "no\u00a0break\u3000",
    "\U000e0041\U000e007f",
    "\ud800",
    "```\n# heading",
    "``",
]


@pytest.mark.parametrize("text", HIDDEN, ids=ascii)
def test_what_cannot_be_seen_or_ends_a_block_is_spelt_out_and_nothing_is_lost(text: str) -> None:
    shown = approval_texts.arguments({"x": text})
    assert set(shown) <= set(string.printable) - set("`\r\x0b\x0c\t\n")
    assert json.loads(shown) == {"x": text}


@pytest.mark.parametrize("text", ["Grüße", "日本語", "😀", "café", "עברית", "<@1> @everyone"])
def test_what_can_be_seen_stays_readable(text: str) -> None:
    assert approval_texts.arguments({"x": text}) == f'{{"x": "{text}"}}'


def test_a_long_text_hides_no_argument_behind_it() -> None:
    shown = approval_texts.arguments({"memo": "x" * 50_000, "amount": 1_000_000})
    assert '"amount": 1000000' in shown
    assert f"{'x' * MAX_TEXT}… ({50_000 - MAX_TEXT} characters more)" in shown
    assert len(shown) <= MAX_ARGUMENTS


def test_many_arguments_are_cut_and_say_so() -> None:
    shown = approval_texts.arguments({f"key {number}": number for number in range(1_000)})
    assert len(shown) < MAX_ARGUMENTS + 40
    assert re.search(r"… \(\d+ characters more\)\Z", shown)


def test_what_is_nested_without_end_is_shown_in_short() -> None:
    value: object = "core"
    for _ in range(500):
        value = [value]
    assert len(approval_texts.arguments({"x": value})) < MAX_ARGUMENTS


def strings() -> list[str]:
    path = TEST_DATA / "blns.json"
    if not path.exists():
        pytest.skip("blns.json is not at hand; SECRET_AGENTS_TEST_DATA tells where")
    found: list[str] = json.loads(path.read_text("utf-8"))
    return found


def test_hostile_strings_stay_in_their_block_and_fit_every_platform() -> None:
    for text in strings():
        arguments = approval_texts.arguments({"x": text, text[:50]: [text]})
        question = approval_texts.question(asked(arguments, name=text))
        assert question.count("```") == 2, text
        (block,) = BLOCK.findall(question)
        assert block == arguments
        assert len(discord_text.split(question)) == len(slack_text.split(question)) == 1, text


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("2026-11-22T09:10:00.123Z", "until 09:10 UTC (10 minutes)"),
        ("2026-11-22T09:01:00.123Z", "until 09:01 UTC (1 minute)"),
        ("2026-11-22T09:00:30.123Z", "until 09:00 UTC (30 seconds)"),
        ("2026-11-22T11:00:00.123Z", "until 11:00 UTC (2 hours)"),
        ("2026-11-25T09:00:00.123Z", "until 2026-11-25 09:00 UTC (72 hours)"),
    ],
)
def test_a_question_says_until_when_it_can_be_decided(until: str, told: str) -> None:
    assert told in approval_texts.question(asked(until=until))


def test_a_question_names_the_gadget_and_who_may_decide() -> None:
    question = approval_texts.question(asked('{"x": 1}', gadget="transfer", name="Al`ice\n# boo"))
    assert question.startswith('May I use `transfer` with this?\n```json\n{"x": 1}\n```\n`Al\'ice # boo` or an admin')


def test_where_there_are_no_buttons_the_commands_are_named() -> None:
    assert approval_texts.waiting(asked()).endswith("Answer with `/mission approve` or `/mission decline`.")
    assert approval_texts.waiting(asked(), "abcd").endswith("`/mission approve abcd` or `/mission decline abcd`.")


@pytest.mark.parametrize(
    ("verdict", "counts", "told"),
    [
        ("approved", True, "Approved: I use `launch` in mission x."),
        ("declined", True, "Declined: I go on without `launch` in mission x."),
        ("approved", False, "That was approved already."),
        ("declined", False, "That was declined already."),
        ("expired", False, "It is too late to decide that."),
        (None, False, "It is too late to decide that."),
        ("withdrawn", False, "Nothing waits for that any more."),
    ],
)
def test_who_decides_is_told_what_became_of_it(verdict: Verdict | None, counts: bool, told: str) -> None:
    assert approval_texts.told(Decision(asked(verdict=verdict), counts=counts), " in mission x") == told
