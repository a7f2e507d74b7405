"""What Slack's messages say, without Slack: control sequences, names, lengths. Pure functions.

The sequences are those of https://docs.slack.dev/messaging/formatting-message-text: people's messages carry `&`, `<`
and `>` as entities, so that a bare `<` always begins one of Slack's own. Answers are sent as standard Markdown
(`markdown_text`), which Slack lays out itself. Lengths are in UTF-16 units.
"""

import re
from collections.abc import Iterator, Mapping
from functools import partial

from bot.platforms.markdown_spans import segments
from bot.platforms.splitting import first_part, split_markdown, utf16_length
from bot.platforms.text import beginning, opens_for_others, title, without_opening_mention

LIMIT = 12_000
"""The longest `markdown_text`."""

UPDATE_TEXT_LIMIT = 4_000
"""The longest `text` of chat.update."""

MAX_TITLE = 200
"""The longest title of an agent session."""

JOINER = "\u2060"
"""WORD JOINER, which cannot be seen: between `@` and a name it keeps Slack from seeing a mention."""

_MENTION = re.compile(r"<(?:@|!subteam\^)([A-Z0-9]{1,30})(?:\|[^<>]*)?>")
_CONTROL = re.compile(
    r"<(?P<sort>@|#|!subteam\^|!date\^|!)(?P<id>[^<>|\n]{1,300})(?:\|(?P<label>[^<>\n]*))?>"
    r"|<(?P<url>(?:https?://|mailto:|tel:)[^<>|\s]+)(?:\|(?P<text>[^<>\n]*))?>"
)
_COMMAND = r"!(?i:channel|here|everyone|group|subteam\^|date\^)|@[UWB][A-Z0-9]{2,}|\#[CDG][A-Z0-9]{2,}"
_DANGEROUS = re.compile(rf"(?:<|&lt;)(?P<body>(?:{_COMMAND})[^<>&\n|]*+)(?:\|(?P<label>[^<>&\n]*+))?+(?:>|&gt;)")
_LEFT_OVER = re.compile(rf"(<|&lt;)(?={_COMMAND})")
_LABELLED = re.compile(r"<((?:https?://|mailto:)[^<>|\s]+)\|([^<>\[\]\n]+)>")
_BEGUN = re.compile(r"(?:(?:<|&lt;)(?:[!@#hm][^>\n]{0,300})?|&[lt]{0,2}|@[A-Za-z]{0,8})\Z")
_BROADCAST = re.compile(r"(https?://[^\s<>]++)|(?<!\w)@(?=(?i:channel|here|everyone|group)\b)")


def split(text: str) -> list[str]:
    """Cut a finished answer into Slack messages: at least one, nobody pinged; empty only where the answer is."""
    return split_markdown(inert(text), LIMIT, utf16_length)


def first(text: str, limit: int = LIMIT) -> str:
    """The first part of an answer of at most `limit`; that of `split(text)` by default. Does not look at all of it."""
    return first_part(beginning(_inert_pieces(text), limit), limit, utf16_length)


def inert(text: str) -> str:
    """A model's words with nothing in them that pings anybody, as readable as before.

    Control sequences lose their power everywhere, plain `@channel` and its like outside code and addresses.
    """
    return "".join(_inert_pieces(text))


def growing(text: str, limit: int = LIMIT) -> str:
    """The beginning of a model's words, inert, as far as it stays so when more of them come: what may be the beginning
    of something that pings is held back. At most `limit` UTF-16 units. What is nested on purpose may change yet.
    """
    safe = inert(_BEGUN.sub("", text))
    while (over := utf16_length(safe) - limit) > 0:
        safe = safe[: -max(1, over // 2)]
    return safe


def escaped(text: str) -> str:
    """`text` as it is in Slack's own markup, where nobody is to be pinged by it."""
    return _BROADCAST.sub(_not_a_mention, text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def without_mention(text: str, bot_user_id: str) -> str:
    """`text` without the mentions of the bot that it opens or ends with."""
    return without_opening_mention(text, _MENTION, {bot_user_id})


def opens_for_somebody_else(text: str, bot_user_id: str) -> bool:
    """Whether `text` begins by mentioning people or groups, but not the bot."""
    return opens_for_others(text, _MENTION, {bot_user_id})


def mentions(text: str, user_id: str) -> bool:
    """Whether somebody is mentioned anywhere in `text`."""
    return any(found[1] == user_id for found in _MENTION.finditer(text))


def readable(text: str, names: Mapping[str, str]) -> str:
    """What somebody wrote, as Markdown: mentions by name, links as links, entities as characters.

    `names` maps ids to names and goes before what Slack says; ids without a name stand for themselves.
    """
    return "".join(
        _unescaped(_CONTROL.sub(partial(_in_words, names, is_code=is_code), piece)) for is_code, piece in segments(text)
    )


def session_title(text: str) -> str:
    """A title for the session that `text` opens: its first line that says something, without mentions and markers."""
    return title(readable(_MENTION.sub(" ", text), {}), MAX_TITLE)


def _inert_pieces(text: str) -> Iterator[str]:
    for is_code, piece in segments(text):
        safe = _LEFT_OVER.sub(rf"\1{JOINER}", _DANGEROUS.sub(_harmless, piece))
        yield safe if is_code else _BROADCAST.sub(_not_a_mention, _LABELLED.sub(_link, safe))


def _harmless(found: re.Match[str]) -> str:
    body, label = found["body"], found["label"] or ""
    if body.lower().startswith("!date^"):
        return label
    if body.startswith("#"):
        return f"#{label or body[1:]}"
    return f"@{JOINER}{label.lstrip('@') or body.removeprefix('@').rpartition('^')[2].lstrip('!')}"


def _not_a_mention(found: re.Match[str]) -> str:
    return found[1] or f"@{JOINER}"


def _link(found: re.Match[str]) -> str:
    target = f"<{found[1]}>" if "(" in found[1] or ")" in found[1] else found[1]
    return f"[{found[2]}]({target})"


def _in_words(names: Mapping[str, str], found: re.Match[str], *, is_code: bool) -> str:
    if url := found["url"]:
        return _address(url, found["text"] or "", is_code=is_code)
    sort, known, label = found["sort"], found["id"], found["label"] or ""
    if sort == "!date^":
        return label or known
    name = names.get(known) or label.lstrip("@#") or known
    return f"{'#' if sort == '#' else '@'}{name}"


def _address(url: str, label: str, *, is_code: bool) -> str:
    """An address with its label where that says more: Slack labels `example.org` as `http://example.org`, too."""
    bare = url.partition("://")[2] or url.partition(":")[2]
    if is_code or not url.startswith("http"):
        return label or (url if url.startswith("http") else bare)
    if not label or label.rstrip("/") in {url.rstrip("/"), bare.rstrip("/")}:
        return url
    return f"[{label}]({url})"


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
