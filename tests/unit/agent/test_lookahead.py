from hypothesis import given
from hypothesis import strategies as st

from bot.agent.introductions import INTRODUCTION
from bot.agent.lookahead import Lookahead
from bot.agent.markup import BARE, FENCED, TAG

TEXTS = st.lists(
    st.sampled_from(
        [
            "<",
            "think",
            ">",
            "tool_call",
            " ",
            "\n",
            "```",
            "json",
            "{",
            "[",
            '"name"',
            ":",
            "Based on",
            " the ",
            "tool",
            "results",
            ", ",
            "<|",
            "im_start",
            "|>",
            "user",
            "According to",
            "says that ",
            "I used",
            "[TOOL_CALLS]",
            "x",
        ]
    ),
    max_size=12,
).map("".join)


@given(TEXTS, st.integers(0, 60), st.sampled_from([TAG, BARE, FENCED, INTRODUCTION]))
def test_a_decided_match_stays_whatever_follows(text: str, cut: int, pattern: Lookahead) -> None:
    prefix = text[:cut]
    if pattern.undecided(prefix, 0, final=False):
        return
    early, late = pattern.match(prefix, 0), pattern.match(text, 0)
    assert (early and (early.span(), early.lastgroup)) == (late and (late.span(), late.lastgroup))


@given(TEXTS, st.sampled_from([TAG, BARE, FENCED, INTRODUCTION]))
def test_every_beginning_of_a_match_is_undecided_or_decided_alike(text: str, pattern: Lookahead) -> None:
    found = pattern.match(text, 0)
    if found is None:
        return
    decided = [end for end in range(found.end()) if not pattern.undecided(text[:end], 0, final=False)]
    assert decided == []


def test_nothing_is_undecided_beyond_the_window() -> None:
    pattern = Lookahead("a{1,9}b", 4)
    assert pattern.undecided("aaa", 0, final=False)
    assert not pattern.undecided("aaaa", 0, final=False)
    assert pattern.match("aaaab", 0) is None


def test_nothing_is_undecided_at_the_end_of_the_text() -> None:
    assert not Lookahead("ab", 4).undecided("a", 0, final=True)


def test_a_limit_ends_looking_before_the_window_does() -> None:
    pattern = Lookahead("abc", 9)
    assert pattern.undecided("ab", 0, final=False, limit=3)
    assert not pattern.undecided("ab", 0, final=False, limit=2)
    assert pattern.match("abc", 0, 2) is None
