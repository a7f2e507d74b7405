"""Text for the log without secrets, and on one line."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, SecretStr

from bot.settings import Settings
from bot.settings.sources import variables

HIDDEN = "***"
MIN_SECRET = 6
"""Characters. Shorter values stand for none (`none`, `x`, as servers of one's own are content with), and are part of
many words."""

ECHO = 16
"""Characters in a row that are no coincidence."""
MIN_SAID = 8
"""Characters; shorter messages are words that anybody uses."""

_KINDS = (
    (re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*['\"]?(?:\w+ )?)[^\s'\"]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(bearer) [\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"\bx(?:ox[a-z]|app)-[\w-]+"), HIDDEN),
    (re.compile(r"\bsk-[\w-]{16,}"), HIDDEN),
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), f"://{HIDDEN}@"),
    (re.compile(r"(?i)([?&][\w.-]*(?:token|ticket|key|appid|secret|signature|password)=)[^&\s\"'<>]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(/(?:webhooks|interactions)/\d+/)[\w-]{8,}"), rf"\1{HIDDEN}"),
    (re.compile(r"(/(?:services|commands|actions|workflows)/T\w+/\w+/)\w+"), rf"\1{HIDDEN}"),
)
"""What looks like a secret wherever it comes from: headers, tokens of Slack and OpenAI, passwords and keys in
addresses, Discord's and Slack's addresses for one answer."""

_BREAKS = {"\n": "\\n", "\r": "\\r", "\t": " "}
_BIDIRECTIONAL = (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F)
_CONTROLS = {
    code: _BREAKS.get(chr(code), f"\\u{code:04x}")
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *_BIDIRECTIONAL)
}


def redaction_of(settings: Settings) -> "Redaction":
    """For all secrets of the settings, and those that gadget servers are given in variables of their own."""
    names = {name for server in settings.mcp.values() for name in (*server.env, *server.headers.values())}
    given = variables() if names else {}
    return Redaction([*secrets_in(settings), *(given[name] for name in names if given.get(name))])


class Redaction:
    """Takes the given secrets out of any text, also as they are written in addresses and in JSON."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {form for secret in secrets if len(secret) >= MIN_SECRET for form in _forms(secret)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._given = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def __call__(self, text: str) -> str:
        text = self._given.sub(HIDDEN, text)
        for pattern, instead in _KINDS:
            text = pattern.sub(instead, text)
        return text


def _forms(secret: str) -> set[str]:
    return {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]}


def without_echo(text: str, said: str) -> str:
    """Without what repeats ECHO characters of `said` or more, or all of it: servers like to quote what they could not
    read.
    """
    if len(said) < ECHO:
        return text.replace(said, HIDDEN) if len(said) >= MIN_SAID else text
    repeated = [start for start in range(len(text) - ECHO + 1) if text[start : start + ECHO] in said]
    kept: list[str] = []
    end = 0
    for start in repeated:
        if start > end or not kept:
            kept += [text[end:start], HIDDEN]
        end = start + ECHO
    return "".join(kept) + text[end:]


def one_line(text: str) -> str:
    """Control characters, line separators and overrides of the writing direction are spelled out."""
    return text.translate(_CONTROLS)


def secrets_in(value: Any) -> Iterator[str]:
    """The secrets among settings, and the passwords in their addresses."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secrets_in(getattr(value, name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from secrets_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from secrets_in(each)
    elif isinstance(value, str) and "://" in value:
        yield from _password(value)


def _password(address: str) -> Iterator[str]:
    with suppress(ValueError):
        if password := urlsplit(address).password:
            yield password
