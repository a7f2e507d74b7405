"""What the model is reminded of fits its tokens, tells all it can, and is marked as data."""

from hypothesis import given
from hypothesis import strategies as st

from bot.agent.digest import LINE_BYTES
from bot.agent.memory import MARK, MAX_NOTES, MAX_STORY, NOTED, Summary, folded, parsed, remembered, story_line
from bot.agent.prompt import Exchange, total_tokens
from bot.models.model import AssistantMessage, UserMessage

TEXTS = st.text(max_size=300)
LONG = st.sampled_from(["", "x" * 5_000, "é€𝄞 " * 900, "word. " * 800])
EXCHANGES = st.lists(st.builds(Exchange, TEXTS, TEXTS | LONG, TEXTS | LONG), max_size=12)
SUMMARIES = st.builds(
    lambda story, said: str(folded(Summary(story_line(story)), said)),
    TEXTS,
    st.lists(st.builds(Exchange, TEXTS, TEXTS, TEXTS), max_size=8),
)


@given(SUMMARIES, EXCHANGES, st.integers(-10, 3_000), st.booleans())
def test_it_never_takes_more_than_its_tokens(summary: str, past: list[Exchange], tokens: int, shared: bool) -> None:
    assert total_tokens(remembered(summary, past, tokens, shared=shared)) <= max(0, tokens)


@given(TEXTS, EXCHANGES)
def test_a_summary_is_bounded_and_comes_back_as_it_was(story: str, past: list[Exchange]) -> None:
    summary = folded(Summary(story_line(story)), past)
    assert parsed(str(summary)) == summary
    assert len(summary.story) <= MAX_STORY
    assert sum(len(note.encode()) + LINE_BYTES for note in summary.notes) <= MAX_NOTES


def test_folding_for_ever_stays_within_the_bounds_and_keeps_the_first_fact() -> None:
    summary = folded(Summary(), [Exchange("Alice", "My parrot is called Quixotic.", "Noted.")])
    for n in range(2_000):
        summary = folded(
            summary, [Exchange("Alice", f"Tell me about the number {n} and why it matters.", "It is odd.")]
        )
    assert "Alice: My parrot is called Quixotic." in summary.notes
    assert len(str(summary).encode()) <= MAX_NOTES


def test_any_other_text_is_a_story() -> None:
    assert parsed("They met.\nThey talked.") == Summary("They met. They talked.")


def test_what_fits_is_told_as_it_was_said_behind_the_summary() -> None:
    past = [Exchange("Alice", "question", "answer")]
    assert remembered("They met.", past, 500, shared=True) == [
        UserMessage(f"{MARK}\nThey met."),
        AssistantMessage(NOTED),
        UserMessage("Alice: question"),
        AssistantMessage("answer"),
    ]


def test_without_a_summary_there_is_only_what_was_said() -> None:
    assert remembered("", [Exchange("A", "q", "a")], 500, shared=False) == [UserMessage("q"), AssistantMessage("a")]


def test_turns_that_do_not_fit_are_noted_instead() -> None:
    past = [
        Exchange("Alice", "My parrot is called Quixotic.", "Charming."),
        *(Exchange("Alice", f"Go on with {n}. " + "la " * 40, "La. " + "la " * 40) for n in range(20)),
    ]
    messages = remembered("They met.", past, 500, shared=False)
    assert "They met." in messages[0].text
    assert "My parrot is called Quixotic." in messages[0].text
    assert messages[-2].text == past[-1].user_message


def test_one_huge_turn_does_not_hide_the_others() -> None:
    past = [Exchange("A", "first", "yes"), Exchange("A", "x" * 90_000, "y" * 90_000), Exchange("A", "last", "no")]
    texts = [message.text for message in remembered("", past, 2_000, shared=False)]
    assert texts[-2:] == ["last", "no"]
    assert any("[…]" in text and "xxx" in text for text in texts)
    assert "first" in texts
