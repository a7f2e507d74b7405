"""Messages in Slack's Block Kit: the answer, what is being done, and the buttons.

Source: https://docs.slack.dev/reference/block-kit/blocks
"""

from collections.abc import Sequence
from typing import Any

from bot.platforms import slack_text

Block = dict[str, Any]
RATE, STOP, SHOW, END, OLDER = "rate", "stop", "mission_show", "mission_end", "mission_older"
APPROVE, DECLINE = "approve", "decline"
FORGET = "mission_forget"
THINKING = "thinking…"
MAX_FALLBACK = 150
MAX_STATUS = 2_900
MAX_ROW = 500


def running(turn: int, text: str, status: str) -> dict[str, Any]:
    """The content of a message that grows."""
    shown = [_markdown(text)] if text.strip() else []
    note = status or ("" if shown else THINKING)
    blocks = [*shown, *([_context(note)] if note else []), _actions(_button("Stop", STOP, f"{turn}"))]
    return _content(text or note, blocks)


def asking(turn: int, text: str, approval: int) -> dict[str, Any]:
    """The content of a message that asks whether a gadget may run."""
    approve = _button("Approve", APPROVE, f"{approval}") | {"style": "primary"}
    decline = _button("Decline", DECLINE, f"{approval}") | {"style": "danger"}
    return _content(text, [_markdown(text), _actions(approve, decline, _button("Stop", STOP, f"{turn}"))])


def finished(turn: int, text: str, *, rated: bool = True) -> dict[str, Any]:
    """The content of a finished message."""
    blocks = [_markdown(text or "…"), *([feedback(turn)] if rated else [])]
    return _content(text, blocks)


def told(text: str, buttons: Sequence[Block] = (), rows: Sequence[Block] = ()) -> dict[str, Any]:
    """An answer to a command."""
    return _content(text, [_markdown(text), *rows, *([_actions(*buttons)] if buttons else [])])


def row(text: str, url: str, accessory: Block) -> Block:
    """One of a list, with a link and a button beside it. Of `text` what fits."""
    address = f" <{url}|open>" if url else ""
    shown = slack_text.escaped(text[:MAX_ROW]) + address
    return {"type": "section", "text": {"type": "mrkdwn", "text": shown}, "accessory": accessory}


def feedback(turn: int) -> Block:
    """Source: https://docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element"""
    good, bad = {"text": _plain("👍"), "value": f"{turn}:1"}, {"text": _plain("👎"), "value": f"{turn}:-1"}
    buttons = {"type": "feedback_buttons", "action_id": RATE, "positive_button": good, "negative_button": bad}
    return {"type": "context_actions", "elements": [buttons]}


def button(label: str, action: str, value: str) -> Block:
    return _button(label, action, value)


def ending_button(value: str) -> Block:
    """Slack itself asks before it tells us."""
    confirm = {
        "title": _plain("End this mission?"),
        "text": _plain("Its messages are kept; the next one begins a new mission."),
        "confirm": _plain("End it"),
        "deny": _plain("Keep it"),
    }
    return _button("End", END, value) | {"style": "danger", "confirm": confirm}


def forgetting_button(value: str) -> Block:
    """Likewise. `value` is the arguments of the command."""
    confirm = {
        "title": _plain("Erase everything?"),
        "text": _plain("Messages, answers, pictures and notes. This cannot be undone."),
        "confirm": _plain("Erase it"),
        "deny": _plain("Keep it"),
    }
    return _button("Erase everything", FORGET, value) | {"style": "danger", "confirm": confirm}


def _content(text: str, blocks: list[Block]) -> dict[str, Any]:
    """`text` is what notifications show."""
    return {"text": slack_text.inert(text)[:MAX_FALLBACK] or "…", "blocks": blocks}


def _markdown(text: str) -> Block:
    return {"type": "markdown", "text": slack_text.first(slack_text.inert(text))}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [_plain(text[:MAX_STATUS])]}


def _actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def _button(label: str, action: str, value: str) -> Block:
    return {"type": "button", "text": _plain(label), "action_id": action, "value": value}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
