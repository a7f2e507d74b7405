"""What Slack refuses in Block Kit blocks, as far as the limits are documented.

Source: https://docs.slack.dev/reference/block-kit/blocks and the limits that slack_sdk.models.blocks names.
"""

from collections.abc import Iterator
from typing import Any

from tests.fakes.slack.refusals import Json, Mistake

MAX_BLOCKS = 50
MAX_MARKDOWN = 12_000
TYPES = {
    "actions",
    "context",
    "context_actions",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "markdown",
    "plan",
    "rich_text",
    "section",
    "table",
    "task_card",
    "video",
}
ELEMENTS: dict[str, tuple[int, set[str]]] = {
    "actions": (
        25,
        {"button", "static_select", "overflow", "users_select", "datepicker", "checkboxes", "radio_buttons"},
    ),
    "context": (10, {"mrkdwn", "plain_text", "image"}),
    "context_actions": (5, {"feedback_buttons", "icon_button"}),
}
"""Which blocks hold elements: how many, and of which types."""


def check_blocks(blocks: list[Any], *, limit: int = MAX_BLOCKS) -> None:
    """Raises Mistake("invalid_blocks")."""
    for problem in _problems(blocks, limit):
        raise Mistake("invalid_blocks", problem)


def _problems(blocks: list[Any], limit: int) -> Iterator[str]:
    if len(blocks) > limit:
        yield f"no more than {limit} items allowed [json-pointer:/blocks]"
    if not all(isinstance(block, dict) for block in blocks):
        yield "a block is no object"
        return
    ids = [block["block_id"] for block in blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "block_id must be unique in a message"
    if sum(len(str(block.get("text"))) for block in blocks if block.get("type") == "markdown") > MAX_MARKDOWN:
        yield f"markdown blocks hold at most {MAX_MARKDOWN} characters together"
    for index, block in enumerate(blocks):
        yield from (f"{problem} [json-pointer:/blocks/{index}]" for problem in _block(block))


def _block(block: Json) -> Iterator[str]:
    kind = block.get("type")
    if kind not in TYPES:
        yield f"unsupported type: {kind}"
    if "block_id" in block:
        yield from _string(block, "block_id", 255)
    if kind == "section":
        yield from _section(block)
    if kind == "header":
        yield from _text(block.get("text"), 150, {"plain_text"})
    if kind == "markdown" and not (isinstance(block.get("text"), str) and block["text"]):
        yield "a markdown block needs text"
    if kind in ELEMENTS:
        yield from _elements(block, *ELEMENTS[kind])


def _section(block: Json) -> Iterator[str]:
    if "text" not in block and not block.get("fields"):
        yield "a section needs text or fields"
    if "text" in block:
        yield from _text(block["text"], 3000)
    if len(block.get("fields", ())) > 10:
        yield "a section has at most 10 fields"
    for part in block.get("fields", ()):
        yield from _text(part, 2000)
    if "accessory" in block:
        yield from _element(block["accessory"])


def _elements(block: Json, limit: int, kinds: set[str]) -> Iterator[str]:
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= limit:
        yield f"{block['type']} needs 1 to {limit} elements"
        return
    for element in elements:
        if not isinstance(element, dict) or element.get("type") not in kinds:
            yield f"{block['type']} holds no {element!r}"
            return
        yield from _element(element)
    actions = [element["action_id"] for element in elements if "action_id" in element]
    if len(actions) != len(set(actions)):
        yield "action_id must be unique in a block"


def _element(element: Json) -> Iterator[str]:
    kind = element.get("type")
    if "action_id" in element:
        yield from _string(element, "action_id", 255)
    if kind in {"mrkdwn", "plain_text"}:
        yield from _text(element, 3000)
    if kind == "button":
        yield from _button(element)
    if kind == "feedback_buttons":
        yield from _button(element.get("positive_button"))
        yield from _button(element.get("negative_button"))
    if kind in {"static_select", "overflow", "checkboxes", "radio_buttons"}:
        yield from _options(element)


def _button(button: Any) -> Iterator[str]:
    if not isinstance(button, dict):
        yield "a button is missing"
        return
    yield from _text(button.get("text"), 75, {"plain_text"})
    if "value" in button:
        yield from _string(button, "value", 2000)
    if "url" in button:
        yield from _string(button, "url", 3000)
    if button.get("style", "primary") not in {"primary", "danger"}:
        yield "a button's style is primary or danger"


def _options(element: Json) -> Iterator[str]:
    options = element.get("options", ())
    most = 5 if element["type"] == "overflow" else 100
    if not 1 <= len(options) <= most:
        yield f"{element['type']} needs 1 to {most} options"
    for option in options:
        yield from _text(option.get("text"), 75)
        yield from _string(option, "value", 150)


def _text(
    text: Any, limit: int, kinds: frozenset[str] | set[str] = frozenset({"mrkdwn", "plain_text"})
) -> Iterator[str]:
    if not isinstance(text, dict) or text.get("type") not in kinds:
        yield f"a text object of {sorted(kinds)} is needed"
        return
    yield from _string(text, "text", limit)


def _string(holder: Json, key: str, limit: int) -> Iterator[str]:
    value = holder.get(key)
    if not isinstance(value, str) or not 1 <= len(value) <= limit:
        yield f"{key} must be a string of 1 to {limit} characters"
