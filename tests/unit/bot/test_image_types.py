import pytest

from bot.image_types import image_type
from tests.pictures import GIF, JPEG_HEAD, WEBP_HEAD, png


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(), "image/png"),
        (JPEG_HEAD, "image/jpeg"),
        (GIF, "image/gif"),
        (b"GIF87a...", "image/gif"),
        (WEBP_HEAD, "image/webp"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
        (b"\x89PNG", None),
        (b"GIF88a", None),
        (b"RIFF", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", None),
        (b"", None),
    ],
)
def test_a_picture_is_known_by_how_it_begins(data: bytes, kind: str | None) -> None:
    assert image_type(data) == kind
