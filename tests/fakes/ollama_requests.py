"""What Ollama takes, as types: api/types.go in https://github.com/ollama/ollama.

Stricter than the real server in one way: it ignores fields it does not know, here they are refused, because a field of
ours that nobody reads is a mistake of ours.
"""

from typing import Any, Literal

import msgspec


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class Function(Strict):
    name: str
    arguments: dict[str, Any]
    index: int = 0


class Call(Strict):
    function: Function
    id: str = ""


class Message(Strict):
    role: Literal["system", "user", "assistant", "tool"]
    content: str
    thinking: str = ""
    images: list[bytes] = []
    tool_calls: list[Call] = []
    tool_name: str = ""
    tool_call_id: str = ""


class Parameters(msgspec.Struct):
    type: Literal["object"]
    properties: dict[str, dict[str, Any]]


class ToolFunction(Strict):
    name: str
    parameters: Parameters
    description: str = ""


class Tool(Strict):
    type: Literal["function"]
    function: ToolFunction


class Options(Strict):
    num_ctx: int | None = None
    num_predict: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    seed: int | None = None
    stop: list[str] | None = None
    num_keep: int | None = None
    repeat_penalty: float | None = None


class Chat(Strict):
    model: str
    messages: list[Message]
    stream: bool = True
    format: dict[str, Any] | Literal["json"] | None = None
    keep_alive: float | str | None = None
    tools: list[Tool] = []
    options: Options | None = None
    think: bool | Literal["low", "medium", "high", "max"] | None = None


class Show(Strict):
    model: str
    verbose: bool = False


class Pull(Strict):
    model: str
    insecure: bool = False
    stream: bool = True
