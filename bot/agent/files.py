"""The question together with the files that came with it, as the model reads and sees them. Pure functions."""

from bot.agent.prompt import IMAGE_TOKENS, Question, clip_tokens, user_text
from bot.models.model import UserMessage
from bot.platforms.platform import Attachment


def question_message(question: Question, tokens: int, *, vision: bool) -> UserMessage:
    """The question; `tokens` is about what its files may take.

    A model that sees (`vision`) is shown as many of the images as fit; the texts share what these leave. Every other
    file is named, so that the model can say that it cannot see or read it.
    """
    seen = _seen(question.files, tokens if vision else 0)
    texts = sum(file.text is not None for file in question.files)
    share = (tokens - IMAGE_TOKENS * len(seen)) // max(1, texts)
    told = [_shown(file) if index in seen else _told(file, share) for index, file in enumerate(question.files)]
    return UserMessage("\n\n".join([user_text(question), *told]), tuple(seen.values()))


def _seen(files: tuple[Attachment, ...], tokens: int) -> dict[int, bytes]:
    """Which of the files, by their place, are images for which there is room."""
    images = [(index, file.image) for index, file in enumerate(files) if file.image is not None]
    return dict(images[: max(0, tokens) // IMAGE_TOKENS])


def _shown(file: Attachment) -> str:
    return f"[Attached image {file.name!r}]"


def _told(file: Attachment, tokens: int) -> str:
    if file.text is None:
        what = "image" if file.media_type.startswith("image/") else "file"
        verb = "see" if what == "image" else "read"
        return f"[Attached {what} {file.name!r} ({file.media_type}, {_size(file.size)}): you cannot {verb} it.]"
    if not file.text.strip():
        return f"[Attached file {file.name!r}: it is empty.]"
    text = clip_tokens(file.text, max(1, tokens))
    cut = "" if text == file.text else ", without its middle"
    return f"[Attached file {file.name!r}{cut}:]\n{text}"


def _size(count: int) -> str:
    """E.g. `800 bytes`, `120 kB`, `3.1 MB`."""
    if count < 1_000:
        return f"{count} bytes"
    return f"{count / 1_000:.0f} kB" if count < 999_500 else f"{count / 1_000_000:.1f} MB"
