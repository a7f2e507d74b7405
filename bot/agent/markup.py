"""The tags and special tokens of chat templates, as models print them into their answers by mistake.

Sources: the chat templates of Qwen 2.5 and 3 (`<think>`, `<tools>`, `<tool_call>`, `<|im_start|>`), DeepSeek R1
(full-width bars; its template opens `<think>` itself), Llama 3 (`<|start_header_id|>`, `<|python_tag|>`,
`<function=…>`), Mistral (`[TOOL_CALLS]name[ARGS]{…}`, `</s>`), Phi 4 and Granite (`<|tool_call|>`), Gemma
(`<end_of_turn>`).
"""

import re
from functools import lru_cache

from bot.agent.lookahead import Lookahead

WINDOW = 160
"""Characters: no tag is longer, and no more than this is held back to recognise one."""

LONGEST_END = 40
"""Characters: no tag that ends a block is longer."""

_HIDDEN = r"(?:think|thinking|reasoning|tool_response|tool_results?)"
_CALL = r"(?:tools|tool_calls?|function_calls?|tool_code)"
_ATTRIBUTES = r"(?: [^<>\n]{0,80})?"
_BAR = r"[|\uff5c]"
_MARKER = rf"(?:\[TOOL_CALLS\]|<{_BAR}tool_calls?{_BAR}>|<\|python_tag\|>)"
_NAME = r"[\w.:-]{1,64}"
_FUNCTION = rf"<function={_NAME}>"
_BEGUN = rf"<{_BAR}tool[_\u2581]calls?(?:_section)?[_\u2581]begin{_BAR}>"
_CALL_END = rf"(?:</(?:function|{_CALL})>|<{_BAR}(?:/tool_calls?|tool[_\u2581]calls?(?:_section)?[_\u2581]end){_BAR}>)"

KINDS: dict[str, str] = {
    "end": r"<\|im_end\|>|<\|im_start\|>\s{0,2}(?:user|system|tool)|<\|start_header_id\|>(?:user|system|ipython)"
    r"|<\|eot_id\|>|<\|user\|>|<end_of_turn>",
    "role": r"<\|im_start\|>(?:assistant)?|<\|start_header_id\|>assistant<\|end_header_id\|>|<start_of_turn>(?:model)?",
    "call": rf"(?:<{_CALL}{_ATTRIBUTES}>|<function=(?P<function>{_NAME})>"
    rf"|{_MARKER}\s{{0,9}}(?:(?P<marked>{_NAME})\[ARGS\])?)"
    r"\s{0,40}(?:`{3,16}\w{0,12}\s{0,9})?",
    "block": rf"<{_CALL}{_ATTRIBUTES}>\s{{0,40}}",
    "begun": _BEGUN,
    "named": _FUNCTION,
    "maybe": rf"<{_CALL}{_ATTRIBUTES}>",
    "hidden": rf"<{_HIDDEN}{_ATTRIBUTES}>",
    "strike": r"<s>",
    "stop": r"</s>",
    "token": rf"</{_HIDDEN}>|{_CALL_END}|\[/TOOL_CALLS\]|{_MARKER}|<{_BAR}[\w\u2581/.:-]{{1,40}}{_BAR}>",
}
"""What each kind of tag looks like; the first kind that matches counts.

`end`: the model's turn is over, what follows is the model playing the user. `role`: the model names itself. `call`:
JSON follows, which is a tool call. `block`: another tag follows, all up to the end tag is a call. `begun`, `named`:
such a block whatever follows. `maybe`: a call only if the end tag comes. `hidden`: reasoning, or a gadget's result that
the model made up. `strike`, `stop`: `</s>` ends a sequence, unless HTML's `<s>` was opened. `token`: only the tag goes.
"""

_FOLLOWED_BY = {"call": r"[\[{]", "block": "<"}

TAG = Lookahead("|".join(f"(?P<{kind}>{tag}){_FOLLOWED_BY.get(kind, '')}" for kind, tag in KINDS.items()), WINDOW)
"""Any of the above; the last group that matched is the kind, and its end the end of the tag. In a `call`, the groups
`function` and `marked` are the called name where it stands in the tag and not in the JSON."""

CALL_END = re.compile(_CALL_END, re.IGNORECASE)

HIDDEN_END = re.compile(rf"</{_HIDDEN}>", re.IGNORECASE)

HIDDEN_TAG = re.compile(rf"(?<!`)<(/)?{_HIDDEN}>", re.IGNORECASE)
"""A tag of reasoning, which may lack its opening tag; not where the answer explains it in backticks."""

AFTER_CALL = Lookahead(rf"\s{{0,40}}(?:`{{3,16}}\s{{0,9}})?(?:{_CALL_END}|,?\s{{0,9}}(?P<more>\{{))", WINDOW)
"""What may follow the JSON of a tagged call and belongs to it: the end tag, or more JSON."""

AFTER_FENCED = Lookahead(
    rf"\s{{0,40}}(?:{_CALL_END}\s{{0,9}})?(?:`{{3,16}}[ \t]{{0,9}}|,?\s{{0,9}}(?P<more>[\[{{]))", WINDOW
)
"""What must follow the JSON of a fenced call: the closing fence, or more JSON."""

AFTER_BARE = Lookahead(r"[ \t]{0,40}\r?\n", WINDOW)
"""What must follow a JSON value that stands alone on its lines."""

AFTER_LEADING = Lookahead("", WINDOW)
"""What must follow a JSON value with which the answer begins: anything."""

_KEYS = r"(?:action|tool|tools|tool_name|tool_calls?|name|function|function_call|type|id|arguments|parameters)"
_OPENING = rf"(?:\[\s{{0,40}})?\{{\s{{0,40}}\"{_KEYS}\"\s{{0,9}}:"
_LANGUAGES = rf"(?:json|jsonc|{_CALL}|function|tool)"

BARE = Lookahead(_OPENING, WINDOW)
"""JSON that by its first key may be a tool call."""

FENCED = Lookahead(
    rf"(?P<fence>`{{3,16}}[ \t]{{0,9}}{_LANGUAGES}?[ \t]{{0,9}}\r?\n\s{{0,40}}(?:<{_CALL}>\s{{0,40}})?){_OPENING}",
    WINDOW,
)
"""The same in a code fence; any other fence is ruled out by its first differing character."""

FENCE_CLOSED = Lookahead(r"[ \t]{0,40}(?:\r?\n|<)", WINDOW)
"""What may stand behind a closing fence; a special token often does."""


@lru_cache(maxsize=64)
def label(speaker: str) -> Lookahead:
    """The speaker's own name as a label before the answer: `Name:`, `**Name:**`, `**Name**:`."""
    return Lookahead(rf"(?:\*\*)?{re.escape(speaker)}(?:\*\*)?:(?:\*\*)?[ \t]{{0,9}}", WINDOW + 2 * len(speaker))
