"""What a model is given to read fits its window and keeps data apart from instructions."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bot.agent.prompt import (
    IMAGE_TOKENS,
    Budget,
    Exchange,
    estimate_tokens,
    least_tokens,
    message_tokens,
    system_message,
    total_tokens,
    window,
)
from bot.models.model import AssistantMessage, UserMessage

TEXTS = st.text(max_size=300)
EXCHANGES = st.lists(st.builds(Exchange, TEXTS, TEXTS, TEXTS), max_size=20)


@given(EXCHANGES, st.integers(-10, 2_000), st.booleans())
def test_the_window_never_takes_more_than_its_tokens(past: list[Exchange], tokens: int, shared: bool) -> None:
    assert total_tokens(window(past, tokens, shared=shared)) <= max(0, tokens)


@given(EXCHANGES, st.integers(0, 2_000))
def test_the_window_is_the_newest_exchanges_in_order(past: list[Exchange], tokens: int) -> None:
    chosen = window(past, tokens, shared=False)
    kept = past[len(past) - len(chosen) // 2 :]
    assert chosen == [m for e in kept for m in (UserMessage(e.user_message), AssistantMessage(e.agent_response))]


@given(st.lists(st.builds(UserMessage, TEXTS), max_size=9))
def test_the_fast_estimate_is_never_above_the_exact_one(messages: list[UserMessage]) -> None:
    assert least_tokens(messages) <= total_tokens(messages)


def test_everything_that_fits_is_in_the_window() -> None:
    past = [Exchange("A", f"question {n}", f"answer {n}") for n in range(5)]
    assert len(window(past, 10_000, shared=False)) == 10


def test_an_estimate_is_on_the_cautious_side_for_english() -> None:
    text = "The quick brown fox jumps over the lazy dog. " * 20
    words = len(text.split())
    assert words <= estimate_tokens(text) <= 3 * words


def test_the_prompt_leaves_room_for_the_answer() -> None:
    assert Budget(num_ctx=4096, max_tokens=1024).prompt < 4096 - 1024


def test_the_system_message_tells_the_date_and_nothing_of_the_user() -> None:
    assert system_message(" Be kind. ", date(2026, 11, 22)).text == "Be kind.\n\nToday is Sunday, 22 November 2026."


def test_an_image_counts() -> None:
    seeing = UserMessage("What is this?", (b"1", b"2"))
    assert message_tokens(seeing) == message_tokens(UserMessage("What is this?")) + 2 * IMAGE_TOKENS
