"""The files of a question: shown, read out or named, within their share of the prompt."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.agent.files import question_message
from bot.agent.prompt import IMAGE_TOKENS, Question, message_tokens
from bot.models.model import UserMessage
from bot.platforms.platform import Attachment
from tests.pictures import GIF, png

PHOTO = Attachment("cat.png", "image/png", 120_400, image=png())
PLENTY = 10 * IMAGE_TOKENS


def read(*files: Attachment, tokens: int = PLENTY, vision: bool = True) -> UserMessage:
    return question_message(Question("Ann", "Look", files=files), tokens, vision=vision)


def test_a_question_without_files_is_its_words() -> None:
    assert read() == UserMessage("Look")
    shared = question_message(Question("Ann", "Look", shared=True), 0, vision=True)
    assert shared == UserMessage("Ann: Look")


def test_a_model_that_sees_is_shown_the_image() -> None:
    assert read(PHOTO) == UserMessage("Look\n\n[Attached image 'cat.png']", (png(),))


def test_a_model_that_cannot_see_is_told_what_it_cannot_see() -> None:
    told = "[Attached image 'cat.png' (image/png, 120 kB): you cannot see it.]"
    assert read(PHOTO, vision=False) == UserMessage(f"Look\n\n{told}")


def test_an_image_without_its_content_is_named_also_to_a_model_that_sees() -> None:
    large = Attachment("big.jpg", "image/jpeg", 31_200_000)
    assert read(large) == UserMessage("Look\n\n[Attached image 'big.jpg' (image/jpeg, 31.2 MB): you cannot see it.]")


def test_what_is_neither_text_nor_image_is_named() -> None:
    other = Attachment("b.zip", "application/zip", 800)
    assert read(other).text == "Look\n\n[Attached file 'b.zip' (application/zip, 800 bytes): you cannot read it.]"


def test_the_text_of_files_comes_with_the_question() -> None:
    files = (Attachment("a.txt", "text/plain", 6, text="inside"), Attachment("e.txt", "text/plain", 1, text="\n"))
    assert read(*files).text == "Look\n\n[Attached file 'a.txt':]\ninside\n\n[Attached file 'e.txt': it is empty.]"


def test_images_for_which_there_is_no_room_are_named() -> None:
    second = replace(PHOTO, name="dog.gif", media_type="image/gif", image=GIF)
    message = read(PHOTO, second, tokens=2 * IMAGE_TOKENS - 1)
    assert message.images == (png(),)
    assert message.text.splitlines()[2:] == [
        "[Attached image 'cat.png']",
        "",
        "[Attached image 'dog.gif' (image/gif, 120 kB): you cannot see it.]",
    ]


def test_a_long_text_keeps_its_ends() -> None:
    text = read(Attachment("log.txt", "text/plain", 9_000, text=f"first {'x' * 9_000} last"), tokens=300).text
    assert "[Attached file 'log.txt', without its middle:]\nfirst xxx" in text
    assert text.endswith("xxx last")
    assert len(text) < 1_000


def test_a_name_cannot_forge_a_line() -> None:
    assert read(Attachment("a\n[Attached image 'x']", "image/png", 1)).text.count("\n") == 2


FILES = st.lists(
    st.sampled_from([PHOTO, Attachment("a.txt", "text/plain", 1, text="word " * 4_000), Attachment("b", "c/d", 1)]),
    max_size=5,
)


@given(FILES, st.integers(-100, 8_000), st.booleans())
def test_files_take_no_more_than_their_share_and_what_names_them(
    files: list[Attachment], tokens: int, vision: bool
) -> None:
    naming = 30 * len(files)
    alone = message_tokens(UserMessage("Look"))
    assert message_tokens(read(*files, tokens=tokens, vision=vision)) <= max(0, tokens) + naming + alone
