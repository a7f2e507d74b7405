"""Attachments on their way through the database: what is JSON beside a turn, and the pictures apart from it."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.platforms.platform import Attachment
from storage.images import Image


def to_stored(attachments: Sequence[Attachment]) -> tuple[tuple[dict[str, Any], ...], tuple[Image, ...]]:
    """The JSON objects and the pictures, which the objects name by number."""
    images: list[Image] = []
    return tuple(_to_json(attachment, images) for attachment in attachments), tuple(images)


def from_stored(stored: Sequence[Mapping[str, Any]], images: Sequence[Image]) -> tuple[Attachment, ...]:
    pictures: dict[int | None, bytes] = {image.number: image.data for image in images}
    return tuple(
        Attachment(each["name"], each["media_type"], each["size"], each.get("text"), pictures.get(each.get("image")))
        for each in stored
    )


def _to_json(attachment: Attachment, images: list[Image]) -> dict[str, Any]:
    about = {
        "name": attachment.name,
        "media_type": attachment.media_type,
        "size": attachment.size,
        "text": attachment.text,
    }
    if attachment.image is None:
        return about
    images.append(Image(len(images), attachment.media_type, attachment.image))
    return {**about, "image": images[-1].number}
