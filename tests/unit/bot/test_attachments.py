"""Attachments come out of the database as they went in."""

import json

from hypothesis import given
from hypothesis import strategies as st

from bot.attachments import from_stored, to_stored
from bot.platforms.platform import Attachment
from storage.images import Image
from tests.pictures import GIF, png

TEXT = Attachment("a.txt", "text/plain", 3, text="abc")
CAT = Attachment("cat.png", "image/png", 70, image=png())
DOG = Attachment("dog.gif", "image/gif", 43, image=GIF)
OTHER = Attachment("b.zip", "application/zip", 9)


@given(st.lists(st.sampled_from([TEXT, CAT, DOG, OTHER]), max_size=6))
def test_any_attachments_are_restored(attachments: list[Attachment]) -> None:
    stored, images = to_stored(attachments)
    assert from_stored(json.loads(json.dumps(stored)), images[::-1]) == tuple(attachments)


def test_only_a_picture_is_named_by_number() -> None:
    stored, images = to_stored([TEXT, CAT, DOG])
    assert [each.get("image") for each in stored] == [None, 0, 1]
    assert images == (Image(0, "image/png", png()), Image(1, "image/gif", GIF))
    assert "image" not in stored[0]


def test_a_picture_that_is_not_there_is_only_named() -> None:
    stored, _ = to_stored([CAT])
    assert from_stored(stored, ()) == (Attachment("cat.png", "image/png", 70),)
