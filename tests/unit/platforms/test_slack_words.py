"""Which messages are commands."""

import pytest

from bot.platforms.slack.seen import Seen
from bot.platforms.slack.words import Spoken, command_of

BOT = "U0BOT"
ID = "abcd234567"


@pytest.mark.parametrize(
    ("text", "command", "arguments"),
    [
        (f"<@{BOT}> end", "end", {}),
        (f"<@{BOT}>: END", "end", {}),
        (f"<@{BOT}> stop!", "stop", {}),
        (f"<@{BOT}> show {ID} 12", "show", {"id": ID, "before": "12"}),
        (f"<@{BOT}> new plain", "new", {"agent": "plain"}),
        (f"<@{BOT}> list 12", "list", {"before": "12"}),
    ],
)
def test_in_a_thread_a_known_word_behind_the_bots_name_is_a_command(
    text: str, command: str, arguments: dict[str, str]
) -> None:
    event = {"text": text, "thread_ts": "1.0"}
    assert command_of(event, BOT, addressed=True) == Spoken(command, arguments, marked=False)


@pytest.mark.parametrize("text", ["!end", " !End ", f"<@{BOT}> !end", "!end."])
@pytest.mark.parametrize("event", [{}, {"thread_ts": "1.0"}], ids=["channel", "thread"])
def test_a_marked_word_is_a_command_everywhere(text: str, event: dict[str, str]) -> None:
    assert command_of(event | {"text": text}, BOT, addressed=False) == Spoken("end", {}, marked=True)


@pytest.mark.parametrize(
    "text",
    [
        *("", "!", "! ", "end", "!export", "!dance", "!end of story", "!stop now"),
        *(f"<@{BOT}> {words}" for words in ("", "export all", "end of the world", "show me", "list All", "ending")),
    ],
)
def test_everything_else_is_none(text: str) -> None:
    event = {"text": text, "thread_ts": "1.0"}
    assert command_of(event, BOT, addressed=text.startswith("<@")) is None


def test_a_word_with_a_file_is_none() -> None:
    assert command_of({"text": "!end", "files": [{"id": "F1"}]}, BOT, addressed=False) is None


def test_in_a_channel_a_word_behind_the_bots_name_is_none() -> None:
    assert command_of({"text": f"<@{BOT}> end"}, BOT, addressed=True) is None


def test_the_oldest_of_what_was_seen_is_forgotten() -> None:
    seen = Seen(most=2)
    for key in ("a", "b", "c"):
        seen.add(key)
    assert [key in seen for key in ("a", "b", "c")] == [False, True, True]
