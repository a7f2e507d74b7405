"""What people read about approvals, as Markdown; pure.

A question shows what a model wrote, which somebody may have tricked. Its arguments are JSON, in which everything that
cannot be seen, or that could end the block they stand in, is written as JSON's own escape sequence: they are what they
seem. A long text is shortened where it stands, so that it hides no argument behind it.
"""

import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.agent.guard import one_line
from storage.approvals import Approval, Decision

MAX_ARGUMENTS = 800
"""Characters of a call's arguments that are shown: with the rest of the question they fit into any platform's message,
however many UTF-16 units a character takes."""
MAX_TEXT = 200
"""Characters of one text among them."""
MAX_DEPTH = 8
"""Lists and objects within each other that are looked into."""
NOTHING_WAITS = "Nothing waits for your approval"
SAME_DAY = timedelta(hours=12)
"""A question that can be answered longer says on which day it expires."""
_NOT_PLAIN = re.compile("[^\n -_a-~]")
"""All but the line ends and the printable characters of ASCII; the backtick, too."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
"""Categories of characters that show nothing, or look like a space."""


def arguments(values: Mapping[str, Any]) -> str:
    """A call's arguments as they are shown, each on a line of its own where there are several."""
    indent = 1 if len(values) > 1 else None
    text = json.dumps(_short(values, MAX_DEPTH), ensure_ascii=False, indent=indent, default=str)
    shown = _NOT_PLAIN.sub(_visible, text)
    if len(shown) <= MAX_ARGUMENTS:
        return shown
    return f"{shown[:MAX_ARGUMENTS]}… ({len(shown) - MAX_ARGUMENTS} characters more)"


def _short(value: Any, depth: int) -> Any:
    """JSON of which each text is shortened, keys among them."""
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT else f"{value[:MAX_TEXT]}… ({len(value) - MAX_TEXT} characters more)"
    if isinstance(value, Mapping) and depth:
        return {_short(str(name), 0): _short(each, depth - 1) for name, each in value.items()}
    if isinstance(value, list) and depth:
        return [_short(each, depth - 1) for each in value]
    return _short(json.dumps(value, default=str), 0) if isinstance(value, (Mapping, list)) else value


def _visible(found: re.Match[str]) -> str:
    char = found[0]
    if char != "`" and unicodedata.category(char) not in _UNSEEN:
        return char
    return json.dumps(char)[1:-1] if char != "`" else "\\u0060"


def question(asked: Approval) -> str:
    """Which gadget, with which arguments, and who may decide until when. The same whenever it is told."""
    return (
        f"May I use {_code(asked.gadget)} with this?\n```json\n{asked.arguments}\n```\n"
        f"{_code(asked.asker_name)} or an admin decides, until {_moment(asked)}. After that I go on without it."
    )


def waiting(asked: Approval, mission: str = "") -> str:
    """A question, for those who see no buttons; `mission` is the id that they have to name, if any."""
    approve, decline = (" ".join(["/mission", act, *([mission] if mission else [])]) for act in ("approve", "decline"))
    return f"{question(asked)}\n\nAnswer with `{approve}` or `{decline}`."


def told(decision: Decision, where: str = "") -> str:
    """What whoever decided is told; `where` says of which mission, if that has to be said."""
    asked = decision.approval
    if decision.counts:
        approved = asked.verdict == "approved"
        words = "Approved: I use" if approved else "Declined: I go on without"
        return f"{words} {_code(asked.gadget)}{where}."
    if asked.verdict in {"approved", "declined"}:
        return f"That was {asked.verdict} already."
    return "Nothing waits for that any more." if asked.verdict == "withdrawn" else "It is too late to decide that."


def _moment(asked: Approval) -> str:
    """E.g. `14:32 UTC (10 minutes)`."""
    begun, end = datetime.fromisoformat(asked.asked_at), datetime.fromisoformat(asked.expires_at)
    when = f"{end:%H:%M} UTC" if end - begun <= SAME_DAY else f"{end:%Y-%m-%d %H:%M} UTC"
    return f"{when} ({_span(end - begun)})"


def _span(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    for name, size in (("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * size or seconds == size:
            count = round(seconds / size)
            return f"{count} {name}{'s' * (count != 1)}"
    return f"{seconds} second{'s' * (seconds != 1)}"


def _code(text: str) -> str:
    """Somebody else's words as a code span that they cannot end."""
    return f"`{one_line(text).replace('`', chr(39)) or '?'}`"
