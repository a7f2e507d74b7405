"""What Discord's messages say, without Discord: mentions, names, Markdown, lengths. Pure functions.

The formats are those of https://discord.com/developers/docs/reference#message-formatting. Discord's API counts code
points (https://github.com/discord/discord-api-docs/issues/1315), its clients UTF-16 units; lengths here are in UTF-16
units, which are never fewer.
"""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from bot.platforms.discord_markdown import converted, discord_markdown
from bot.platforms.splitting import first_part, split_markdown, utf16_length
from bot.platforms.text import (
    beginning,
    opens_for_others,
    rewritten,
    shortened,
    title,
    without_opening_mention,
)
from gadgets.text import clean, clip

LIMIT = 2_000
"""The longest message."""

MAX_THREAD_NAME = 100

MAX_STATUS = 200
"""The longest status shown under a growing answer."""

MAX_QUOTED = 2_000
"""Characters of a replied-to message that the model reads."""

THINKING = "thinking…"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MENTION = re.compile(r"<@[!&]?(\d{1,20})>")
_FORMAT = re.compile(
    r"<(?:@[!&]?(?P<who>\d{1,20})|#(?P<channel>\d{1,20})|a?(?P<emoji>:\w{1,40}:)\d{1,20}"
    r"|t:(?P<time>-?\d{1,15})(?::[a-zA-Z])?|(?P<command>/[^<>:\n]{1,100}):\d{1,20})>"
)


def split(text: str) -> list[str]:
    """Cut a finished answer into Discord messages: at least one; empty only where the answer is."""
    return split_markdown(discord_markdown(text), LIMIT, utf16_length)


def first(text: str) -> str:
    """`split(text)[0]`, without looking at all of a long text."""
    return _first(text, LIMIT)


def with_status(text: str, status: str) -> str:
    """A growing answer with what is being done in small print below; never empty, because Discord refuses that."""
    status = shortened(" ".join(clean(status).split()), MAX_STATUS)
    if not status and text.strip():
        return first(text)
    line = f"-# {status or THINKING}"
    shown = _first(text, LIMIT - utf16_length(line) - 1).rstrip()
    return f"{shown}\n{line}" if shown else line


def without_mention(text: str, *bot_ids: str) -> str:
    """`text` without the mentions of the bot (or of its role) that it opens or ends with."""
    return without_opening_mention(text, _MENTION, bot_ids)


def opens_for_somebody_else(text: str, bot_ids: Collection[str]) -> bool:
    """Whether `text` begins by mentioning users or roles, none of which is the bot or a role of the bot's."""
    return opens_for_others(text, _MENTION, bot_ids)


def readable(text: str, names: Mapping[str, str]) -> str:
    """Discord's formats in words: `<@1>` as `@Ada`, times as ISO 8601 in UTC. `names` maps ids to names.

    Ids without a name stand for themselves. Code stays as it is.
    """
    return rewritten(text, lambda piece: _FORMAT.sub(lambda found: _in_words(found, names), piece))


def thread_name(text: str) -> str:
    """A name for the thread that `text` opens: its first line that says something, without mentions and markers."""
    return title(readable(_MENTION.sub(" ", text), {}), MAX_THREAD_NAME)


def with_reference(text: str, author_name: str, quoted: str) -> str:
    """A question with the message that it replies to before it, as a quotation of at most `MAX_QUOTED` characters."""
    lines = clip(clean(quoted).strip(), MAX_QUOTED).splitlines()
    if not lines:
        return text
    quotation = "\n".join(f"> {line}".rstrip() for line in lines)
    return f"In reply to {' '.join(clean(author_name).split())}:\n{quotation}\n\n{text}".rstrip()


def _first(text: str, limit: int) -> str:
    return first_part(beginning(converted(text), limit), limit, utf16_length)


def _in_words(found: re.Match[str], names: Mapping[str, str]) -> str:
    if who := found["who"]:
        return f"@{names.get(who, who)}"
    if channel := found["channel"]:
        return f"#{names.get(channel, channel)}"
    if seconds := found["time"]:
        return _moment(int(seconds)) or found[0]
    return found["emoji"] or found["command"]


def _moment(seconds: int) -> str | None:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return None
