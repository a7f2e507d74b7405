"""What a file is, its content decides; nothing that people send raises."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.files import (
    MAX_IMAGE_BYTES,
    MAX_NAMED,
    MAX_TEXT_BYTES,
    NAMELESS,
    UNKNOWN_TYPE,
    FileLimits,
    SentFile,
    attachment_from,
    received,
    wanted,
)
from bot.platforms.platform import Attachment
from tests.pictures import GIF, JPEG_HEAD, WEBP_HEAD, png

BINARY = b"\x7fELF\x02\x01\x01\x00\x80\xff"


def text_of(data: bytes, media_type: str = "text/plain") -> str | None:
    return attachment_from("a", media_type, len(data), data).text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("grüße 😀".encode(), "grüße 😀"),
        ("\ufeffgrüße".encode(), "grüße"),
        ("grüße".encode("utf-16"), "grüße"),
        ("\ufeffgrüße".encode("utf-16-be"), "grüße"),
        (b"", ""),
        (b"a\r\nb\rc", "a\nb\nc"),
        (b"\x1b[31mred", "[31mred"),
    ],
)
@pytest.mark.parametrize("media_type", ["text/plain; charset=utf-8", UNKNOWN_TYPE, "video/mp2t", "nonsense"])
def test_unicode_is_text_whatever_the_type(data: bytes, text: str, media_type: str) -> None:
    assert text_of(data, media_type) == text


def test_other_bytes_are_text_only_if_the_type_says_so() -> None:
    assert text_of("„grün“".encode("cp1252"), "Text/CSV; charset=windows-1252") == "„grün“"
    assert text_of("„grün“".encode("cp1252"), "application/json") is None


@pytest.mark.parametrize("data", [BINARY, b"a\0b", "a\0b".encode("utf-16"), "ab".encode("utf-32"), b"\xff\xfea"])
def test_what_holds_zeros_or_half_characters_is_no_text(data: bytes) -> None:
    assert text_of(data, "text/plain") is None


def test_a_pdf_is_no_text_even_if_all_its_bytes_are() -> None:
    assert text_of(b"%PDF-1.7\n1 0 obj", "text/plain") is None


@pytest.mark.parametrize(
    ("data", "kind"),
    [(png(), "image/png"), (JPEG_HEAD, "image/jpeg"), (GIF, "image/gif"), (WEBP_HEAD, "image/webp")],
)
@pytest.mark.parametrize("claimed", ["image/png", "text/plain", "", "application/pdf"])
def test_an_image_is_known_by_its_content_and_typed_by_it(data: bytes, kind: str, claimed: str) -> None:
    assert attachment_from("x.txt", claimed, 7, data) == Attachment("x.txt", kind, len(data), image=data)


def test_what_only_claims_to_be_an_image_is_not_one() -> None:
    assert attachment_from("x.png", "image/png", 4, BINARY) == Attachment("x.png", "image/png", len(BINARY))


def test_a_drawing_in_text_is_read() -> None:
    assert text_of(b"<svg/>", "image/svg+xml") == "<svg/>"


def test_what_was_not_downloaded_is_named() -> None:
    assert attachment_from("a.mp3", "audio/mpeg", 5, None) == Attachment("a.mp3", "audio/mpeg", 5)


def test_more_than_the_limits_is_only_named() -> None:
    limits = FileLimits(text_bytes=4, image_bytes=len(GIF))
    assert attachment_from("a", "text/plain", 0, b"abcd", limits).text == "abcd"
    assert attachment_from("a", "text/plain", 0, b"abcde", limits) == Attachment("a", "text/plain", 5)
    assert attachment_from("a", "", 0, GIF, limits).image == GIF
    assert attachment_from("a", "", 0, GIF + b"\0", limits) == Attachment("a", "image/gif", len(GIF) + 1)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("a\nb\u202egnp.exe", "a bgnp.exe"), ("\u200b", NAMELESS), ("", NAMELESS), ("\ud800.txt", "\ufffd.txt")],
)
def test_names_are_one_visible_line(name: str, shown: str) -> None:
    assert attachment_from(name, "text/plain", 1, b"x").name == shown


@pytest.mark.parametrize("media_type", ["", "x", "text/plain]\n[", "text/" + "x" * 500, "téxt/plain"])
def test_what_is_no_media_type_is_an_unknown_one(media_type: str) -> None:
    assert attachment_from("a", media_type, 1, None).media_type == UNKNOWN_TYPE


@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 2**40), st.binary(max_size=200))
def test_nothing_that_people_send_raises(name: str, media_type: str, size: int, data: bytes) -> None:
    wanted(name, media_type, size)
    for prefix in (b"", b"\xff\xfe", b"\xef\xbb\xbf", b"RIFF1234WEBP"):
        attachment = attachment_from(name, media_type, size, prefix + data)
        assert attachment.name
        (attachment.text or "").encode()


@pytest.mark.parametrize(
    ("name", "media_type", "size", "worth"),
    [
        ("a.txt", "text/plain", MAX_TEXT_BYTES, True),
        ("a.txt", "text/plain", MAX_TEXT_BYTES + 1, False),
        ("a.png", "image/png", MAX_IMAGE_BYTES, True),
        ("a.png", "image/png", MAX_IMAGE_BYTES + 1, False),
        ("a.JPEG", "", MAX_IMAGE_BYTES, True),
        ("a.bin", "", MAX_IMAGE_BYTES, False),
        ("a.heic", "image/heic", MAX_IMAGE_BYTES, False),
        ("main.ts", "video/mp2t", 900, True),
        ("a.mp4", "video/mp4", 9_000_000, False),
        ("a.py", UNKNOWN_TYPE, 900, True),
        ("a.mp3", "audio/mpeg", 900, False),
        ("a.pdf", "application/pdf", 900, False),
        ("a.zip", "application/zip", 900, False),
        ("a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", 900, False),
    ],
)
def test_only_what_may_be_read_is_downloaded(name: str, media_type: str, size: int, worth: bool) -> None:
    assert wanted(name, media_type, size) is worth


def test_the_setting_bounds_images_and_lowers_the_bound_of_texts() -> None:
    assert FileLimits.of(1_000) == FileLimits(text_bytes=1_000, image_bytes=1_000)
    assert FileLimits.of(9_000_000) == FileLimits(text_bytes=MAX_TEXT_BYTES, image_bytes=9_000_000)


class Server:
    """Where files are downloaded from."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def file(self, name: str, data: bytes | None, media_type: str = "") -> SentFile:
        return SentFile(name, media_type, len(data or b""), self._giving(name, data))

    def _giving(self, name: str, data: bytes | None) -> Callable[[], Awaitable[bytes | None]]:
        async def download() -> bytes | None:
            self.asked.append(name)
            return data

        return download


async def test_the_files_of_a_message_keep_their_order() -> None:
    server = Server()
    files = [server.file("a.txt", b"a"), server.file("b.mp3", b"b", "audio/mpeg"), server.file("c.gif", GIF)]
    assert await received(files) == (
        Attachment("a.txt", UNKNOWN_TYPE, 1, text="a"),
        Attachment("b.mp3", "audio/mpeg", 1),
        Attachment("c.gif", "image/gif", len(GIF), image=GIF),
    )
    assert server.asked == ["a.txt", "c.gif"]


async def test_a_failed_download_leaves_the_file_named() -> None:
    assert await received([Server().file("a.txt", None, "text/plain")]) == (Attachment("a.txt", "text/plain", 0),)


async def test_a_message_keeps_so_many_images_and_names_the_others() -> None:
    server = Server()
    found = await received([server.file(f"{n}.gif", GIF) for n in range(4)], FileLimits(images=2))
    assert [one.image for one in found] == [GIF, GIF, None, None]
    assert {(one.media_type, one.size) for one in found} == {("image/gif", len(GIF))}


async def test_only_so_many_files_are_downloaded_and_not_all_are_named() -> None:
    server = Server()
    found = await received([server.file(f"{n}.txt", b"x") for n in range(500)], FileLimits(files=3))
    assert server.asked == ["0.txt", "1.txt", "2.txt"]
    assert [one.text for one in found] == ["x"] * 3 + [None] * (MAX_NAMED - 3)
