"""Files that people send, from what a platform says of them and their bytes to `Attachment` values.

What a file is, its content decides: a declared type is a guess of somebody's program, and names are anybody's word. The
type only tells what is not worth a download, and that bytes which are no Unicode are meant to be text.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bot.agent.guard import NOBODY, clean_name, sanitise
from bot.image_types import image_type
from bot.platforms.platform import Attachment

MAX_TEXT_BYTES = 200_000
"""Of a text file: more than any common context window holds in tokens."""
MAX_IMAGE_BYTES = 5_000_000
"""Of an image, as the settings say by default: a photograph of a telephone."""
MAX_IMAGES = 4
"""Of a message that are kept; more would fill a common context window."""
MAX_FILES = 10
"""Of a message that are downloaded, as many as Discord takes with one."""
MAX_NAMED = 25
"""Of a message that the model is told of at all."""

NAMELESS = "file"
UNKNOWN_TYPE = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9!#$&^_.+-]{1,100}")
_BINARY = re.compile(
    r"audio/|font/|model/"
    r"|application/(?:pdf|zip|gzip|x-(?:tar|7z-compressed|rar-compressed|bzip2|xz|msdownload|executable)|vnd\.rar"
    r"|java-archive|msword|vnd\.(?:ms-|openxmlformats-|oasis\.))"
)
"""Types of which no file is an image or a plain text. Video is not among them: `.ts` is video to many programs."""
_IMAGE = re.compile(r"image/(?:png|jpe?g|gif|webp)")
_IMAGE_NAME = re.compile(r"\.(?:png|jpe?g|gif|webp)\Z", re.IGNORECASE)
_PDF = b"%PDF-"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Bytes of a text and of an image; how many images of a message are kept, how many of its files are downloaded."""

    text_bytes: int = MAX_TEXT_BYTES
    image_bytes: int = MAX_IMAGE_BYTES
    images: int = MAX_IMAGES
    files: int = MAX_FILES

    @classmethod
    def of(cls, attachment_bytes: int) -> "FileLimits":
        """As the setting `[limits] attachment_bytes` has them."""
        return cls(text_bytes=min(MAX_TEXT_BYTES, attachment_bytes), image_bytes=attachment_bytes)


DEFAULT_LIMITS = FileLimits()


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as the platform announces it. `download` gives its bytes, or None where that failed; it never raises."""

    name: str
    media_type: str
    size: int
    download: Callable[[], Awaitable[bytes | None]]


async def received(files: Sequence[SentFile], limits: FileLimits = DEFAULT_LIMITS) -> tuple[Attachment, ...]:
    """The files of one message, one download at a time; what is beyond the limits is only named."""
    found: list[Attachment] = []
    downloads = images = 0
    for file in files[:MAX_NAMED]:
        data = None
        if downloads < limits.files and wanted(file.name, file.media_type, file.size, limits):
            downloads += 1
            data = await file.download()
        attachment = attachment_from(file.name, file.media_type, file.size, data, limits)
        if attachment.image is not None and (images := images + 1) > limits.images:
            attachment = replace(attachment, image=None)
        found.append(attachment)
    return tuple(found)


def wanted(name: str, media_type: str, size: int, limits: FileLimits = DEFAULT_LIMITS) -> bool:
    """Whether a file of this declared type and size in bytes may turn out to be a readable text or image."""
    kind = _cleaned_type(media_type)
    if _BINARY.match(kind):
        return False
    may_be_image = _IMAGE.fullmatch(kind) or (kind == UNKNOWN_TYPE and _IMAGE_NAME.search(name))
    return size <= (max(limits.image_bytes, limits.text_bytes) if may_be_image else limits.text_bytes)


def attachment_from(
    name: str, media_type: str, size: int, data: bytes | None, limits: FileLimits = DEFAULT_LIMITS
) -> Attachment:
    """What a file is by its content, None where it was not downloaded. Never raises, whatever the bytes are.

    An image gets the type that its content shows. A name is one line without what could forge another.
    """
    shown, kind = _cleaned_name(name), _cleaned_type(media_type)
    if data is None:
        return Attachment(shown, kind, size)
    if found := image_type(data):
        return Attachment(shown, found, len(data), image=data if len(data) <= limits.image_bytes else None)
    text = _decoded(data, kind) if len(data) <= limits.text_bytes else None
    return Attachment(shown, kind, len(data), text=None if text is None else sanitise(text, limits.text_bytes).text)


def _cleaned_name(name: str) -> str:
    cleaned = clean_name(name)
    return NAMELESS if cleaned == NOBODY else cleaned


def _cleaned_type(media_type: str) -> str:
    """`Text/Plain; charset=utf-8` is `text/plain`; what is no media type is of an unknown one."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind if _MEDIA_TYPE.fullmatch(kind) else UNKNOWN_TYPE


def _decoded(data: bytes, kind: str) -> str | None:
    """UTF-8, UTF-16 with its mark, or, where the type says text, Windows' superset of Latin-1; None for no text."""
    if data.startswith(_PDF):
        return None
    marked = data.startswith(_UTF16_MARKS)
    try:
        text = data.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        if marked or not kind.startswith("text/"):
            return None
        text = data.decode("cp1252", "replace")
    return None if "\0" in text else text
