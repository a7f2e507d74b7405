r"""The layout of an export for training: JSONL of OpenAI's chat fine-tuning, a conversation a line.

    {"messages":[{"role":"system","content":"You are …"},{"role":"user","content":"Weather in Oslo?"},
      {"role":"assistant","tool_calls":[{"id":"call_1","type":"function",
        "function":{"name":"weather","arguments":"{\"place\":\"Oslo\"}"}}]},
      {"role":"tool","tool_call_id":"call_1","content":"mild"},{"role":"assistant","content":"It is mild."}],
     "tools":[{"type":"function","function":{"name":"weather","description":"…","parameters":{…}}}]}

(https://platform.openai.com/docs/guides/supervised-fine-tuning, and the schema FineTuneChatRequestInput of
https://github.com/openai/openai-openapi). It has only what was answered and not asked again, as the mission log has it:
the agent's corrected answer, and the calls that gadgets answered. Pictures are left out.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import msgspec

from storage.export_layouts import Layout, text_of
from storage.logged import LoggedConversation, TurnChoice
from storage.mission_log import LoggedCall, LoggedMessage, LoggedStep, LoggedTurn, append, calls_of, encoded

_ANSWERED = """turns.outcome = 'answered' AND turns.repeated = 0 AND turns.agent_response <> ''
    AND (turns.user_message <> '' OR turns.attachments <> '[]')"""
_UNNAMED = re.compile(r"[^A-Za-z0-9_-]")
_MAX_NAME = 64
"""Characters of a function's name (https://platform.openai.com/docs/api-reference/chat/create)."""
_PARAMETERS = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Persona:
    """What an agent is told: its prompt, and its tools as OpenAI declares them ({"type": "function", …})."""

    prompt: str
    tools: tuple[Mapping[str, Any], ...] = ()


class TrainingLines(Layout):
    """`personas` = agent → what goes before its conversations; an agent that is not there goes without."""

    turns = TurnChoice(_ANSWERED)

    def __init__(self, personas: Mapping[str, Persona]) -> None:
        self._personas = personas
        self._tools: dict[str, Mapping[str, Any]] = {}
        self._used = False
        self._calls = 0
        self._comma = b""

    def open(self, page: bytearray, told: LoggedConversation) -> None:
        persona = self._personas.get(told.tail.agent)
        self._tools = {tool["function"]["name"]: tool for tool in persona.tools} if persona else {}
        self._used, self._calls, self._comma = False, 0, b""
        page += b'{"messages":['
        if persona:
            self._message(page, {"role": "system", "content": persona.prompt})

    def add(self, page: bytearray, message: LoggedMessage) -> None:
        turn = message.turn
        assert turn is not None
        self._message(page, {"role": "user", "content": _question(message.user_message, turn)})
        for calls in _rounds(turn):
            self._round(page, calls)
        self._message(page, {"role": "assistant", "content": message.agent_response})

    def _round(self, page: bytearray, calls: list[LoggedCall]) -> None:
        """Calls that were made together, and what came back."""
        self._used = True
        first, self._calls = self._calls + 1, self._calls + len(calls)
        named = [(f"call_{number}", call) for number, call in enumerate(calls, first)]
        made = [_call(identity, self._function(call.tool), call) for identity, call in named]
        self._message(page, {"role": "assistant", "tool_calls": made})
        for identity, call in named:
            self._message(page, {"role": "tool", "tool_call_id": identity, "content": text_of(call.result)})

    def _function(self, tool: str) -> str:
        """A gadget's name as the format takes it. One that is not declared (any more) is declared by its name."""
        name = _UNNAMED.sub("_", tool)[:_MAX_NAME] or "_"
        self._tools.setdefault(name, {"type": "function", "function": {"name": name, "parameters": _PARAMETERS}})
        return name

    def _message(self, page: bytearray, message: Mapping[str, Any]) -> None:
        page += self._comma
        append(page, message)
        self._comma = b","

    def close(self, page: bytearray, told: LoggedConversation) -> None:  # noqa: ARG002 - all was said when it was opened
        page += b"]"
        if self._used:
            page += b',"tools":' + encoded(list(self._tools.values()))
        page += b"}\n"


def _question(text: str, turn: LoggedTurn) -> str:
    """As the model read it: with the name of who asks where several people talk, with the texts that came attached."""
    asked = f"{turn.author_name}: {text}" if turn.shared else text
    return "\n\n".join([asked, *(_attached(each) for each in turn.attachments)])


def _attached(attachment: Mapping[str, Any]) -> str:
    name, text = str(attachment.get("name", "")), attachment.get("text")
    return f"[Attached file {name!r}:]\n{text}" if isinstance(text, str) else f"[Attached file {name!r}]"


def _rounds(turn: LoggedTurn) -> Iterator[list[LoggedCall]]:
    """The gadgets' results, those of one round of the model together; where no round is told, each by itself."""
    results = [step for step in turn.steps if step.kind == "result"]
    for _, steps in groupby(results, key=_round_of):
        if calls := calls_of(list(steps)):
            yield calls


def _round_of(step: LoggedStep) -> tuple[str, int]:
    number = msgspec.json.decode(step.body).get("round")
    return ("round", number) if isinstance(number, int) else ("step", step.seq)


def _call(identity: str, name: str, call: LoggedCall) -> dict[str, Any]:
    return {"id": identity, "type": "function", "function": {"name": name, "arguments": str(call.parameters, "utf-8")}}
