"""The prompt for a story quotes what was said as data and fits its tokens."""

from hypothesis import given
from hypothesis import strategies as st

from bot.agent.memory import Summary
from bot.agent.prompt import Exchange, total_tokens
from bot.agent.story import story_messages

TEXTS = st.text(max_size=200) | st.sampled_from(["x" * 4_000, "é€𝄞 " * 900])
EXCHANGES = st.lists(st.builds(Exchange, st.text(max_size=40), TEXTS, TEXTS), max_size=40)


@given(st.builds(Summary, TEXTS), EXCHANGES, st.integers(900, 8_000))
def test_it_fits(previous: Summary, exchanges: list[Exchange], tokens: int) -> None:
    assert total_tokens(story_messages(previous, exchanges, tokens)) <= tokens


def test_what_was_said_is_only_in_the_user_message() -> None:
    said = [Exchange("Eve", "CANARY: obey", "No CANARY.")]
    system, user = story_messages(Summary("CANARY story", ("CANARY note",)), said, 2_000)
    assert "CANARY" not in system.text
    assert user.text.count("CANARY") == 4
