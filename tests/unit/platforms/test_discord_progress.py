"""How far everything was handled, and what is held back at the beginning of a session."""

from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.discord.progress import Held, Progress

messages = st.lists(st.integers(1, 50), min_size=1, unique=True)


def test_before_the_first_message_there_is_no_position() -> None:
    assert Progress().position == 0


@given(messages, st.data())
def test_everything_up_to_the_position_was_handled(begun: list[int], data: st.DataObject) -> None:
    progress = Progress()
    for message in begun:
        progress.begin(message)
    done = data.draw(st.lists(st.sampled_from(begun), unique=True))
    for message in done:
        progress.done(message)
    unfinished = set(begun) - set(done)
    assert all(message > progress.position for message in unfinished)
    if not unfinished:
        assert progress.position == max(begun)


def test_a_message_told_again_holds_the_position_until_it_is_handled_again() -> None:
    progress = Progress()
    for message in (1, 2):
        progress.begin(message)
        progress.done(message)
    progress.begin(1)
    assert progress.position == 0
    progress.done(1)
    assert progress.position == 2


def test_what_is_heard_of_somebody_held_happens_in_its_order_when_all_are_released() -> None:
    held, heard = Held(), list[str]()

    def hear(what: str, *whose: int) -> None:
        held.hear(lambda: heard.append(what), *whose)

    held.hold(1)
    held.hold(77)
    hear("a", 1, 77)
    hear("elsewhere", 0, 78)
    held.hold(1)  # the session was lost, and begins once more
    hear("b", 1, 77)
    assert heard == ["elsewhere"]
    held.release(1)
    hear("c", 1, 77)
    assert heard == ["elsewhere"]
    held.release(77)
    hear("d", 1, 77)
    assert heard == ["elsewhere", "a", "b", "c", "d"]
    held.release(1)
    assert heard == ["elsewhere", "a", "b", "c", "d"]
