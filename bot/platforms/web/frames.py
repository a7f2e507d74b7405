"""The frames of the chat WebSocket `GET /ws`: JSON objects in text messages, told apart by `type`.

Client to server (every field that is not marked optional is needed, unknown ones are refused):

    {"type": "message", "text": "Weather in Oslo?", "message_id": "6f1c…", "conversation_id": "k7q…"}
        `message_id` is the client's own name of the message (1 to 64 of A-Z a-z 0-9 _ -): sent again under the same
        name, it stays one message. Optional: `message_id` (then it cannot be repeated safely), `conversation_id`
        (without one a conversation begins), `agent` (who answers in a conversation that begins).
        A text that begins with /mission, /help or /stop is a command, answered by a `status` of state `note` or `new`.
    {"type": "new"}                             begin a conversation; optional: `agent`
    {"type": "get_conversations"}               the newest conversations; optional: `before` (a `number`)
    {"type": "get_conversations", "conversation_id": "k7q…"}
                                                its newest messages; optional: `before` (a `turn`)
    {"type": "end_conversation", "conversation_id": "k7q…"}
    {"type": "stop", "conversation_id": "k7q…"}
    {"type": "rate", "turn": 12, "rating": 1}   1 good, -1 bad, 0 taken back
    {"type": "decide", "approval": 7, "decision": "approve"}     or "decline"; answered by a `status` of state `decided`

Server to client (a field that is empty is left out of `status`, `conversations` and `error`):

    {"type": "response_start", "conversation_id": …, "message_id": …, "turn": 12, "text": "", "html": ""}
    {"type": "response_chunk", … the same: the whole text so far, as Markdown and as safe HTML}
    {"type": "response_complete", … the same, "outcome": "answered", "model": "ollama/qwen3:8b", "tools": ["weather"]}
        `outcome` is answered, failed, stopped or cancelled. After a reconnect `response_start` carries the text so far.
    {"type": "approval", … the same as response_chunk, "approval": 7, "expires_at": "2026-11-22T09:30:00.123Z"}
        The text asks whether a gadget may run: `turn` is paused until somebody decides it or it expires. The next
        response_chunk or response_complete of the turn takes its place.
    {"type": "status", "state": …}, where `state` is
        received   the message is stored: `message_id`, `turn`, `conversation_id`, `text`; `duplicate`: it already was
        working    what is being done for `turn` of `conversation_id`: `text`, left out when it is over
        new        `conversation` has begun; also `message_id`, `text`, `html` when a command asked for it
        updated    `conversation` has changed, for example it ended
        note       the answer to a command, for the asker only: `message_id`, `conversation_id`, `text`, `html`; with
                   `file`, {"name": …, "url": "/files/…", "size": bytes}, it can be fetched there once, by this
                   browser, within 10 minutes
        stopping   the running answer of `conversation_id` was asked to stop
        idle       there was nothing to stop in `conversation_id`
        rated      `turn` now has this `rating`
        forgotten  everything of this browser was erased: no conversation is left; for who asked also `message_id`,
                   `text`, `html`
        decided    the `approval` of `turn` is not open any more: `text` says why
        model      `model` answers; its `health` is ready, loading or failed, `text` says more
    {"type": "conversations", "conversations": […], "more": true, "agents": [{"name": …, "description": …}]}
    {"type": "conversations", "conversations": [one], "messages": […], "more": true}     oldest message first; one that
        waits for an approval has `approval` and `expires_at`
    {"type": "error", "text": "…"}              also `message_id`, `conversation_id` where it is about one

A frame that is no JSON, of unknown type, with a wrong or unknown field, not text, or larger than 1 MiB is answered by
`error`, and the connection stays (beyond 8 MiB it is closed with code 1009). When the server goes away it closes with
1001. Everything a browser is sent is about its own conversations only.
"""

from typing import Annotated, Literal

import msgspec

MAX_FRAME = 1024 * 1024
"""Bytes of a client's frame."""

MessageId = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
AgentName = Annotated[str, msgspec.Meta(max_length=64)]
Position = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class _FromClient(msgspec.Struct, tag_field="type", frozen=True, forbid_unknown_fields=True):
    pass


class Message(_FromClient, tag="message", frozen=True):
    text: str
    message_id: MessageId | None = None
    conversation_id: Id | None = None
    agent: AgentName | None = None


class New(_FromClient, tag="new", frozen=True):
    agent: AgentName | None = None


class GetConversations(_FromClient, tag="get_conversations", frozen=True):
    conversation_id: Id | None = None
    before: Position | None = None


class EndConversation(_FromClient, tag="end_conversation", frozen=True):
    conversation_id: Id


class Stop(_FromClient, tag="stop", frozen=True):
    conversation_id: Id


class Rate(_FromClient, tag="rate", frozen=True):
    turn: Position
    rating: Literal[-1, 0, 1]


class Decide(_FromClient, tag="decide", frozen=True):
    approval: Position
    decision: Literal["approve", "decline"]


ClientFrame = Message | New | GetConversations | EndConversation | Stop | Rate | Decide


class ConversationSummary(msgspec.Struct, frozen=True):
    conversation_id: str
    number: int
    title: str
    agent: str
    status: str
    started_at: str
    last_updated: str


class PastMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn: what was said (`text`) and the answer, which grows while `status` is queued or running. With an
    `approval` it is the question that can be decided by that until `expires_at`.
    """

    turn: int
    message_id: str
    status: str
    text: str
    answer: str
    html: str
    model: str
    tools: list[str]
    rating: int
    created_at: str
    approval: int | None = None
    expires_at: str = ""


class AgentSummary(msgspec.Struct, frozen=True):
    name: str
    description: str


class FileLink(msgspec.Struct, frozen=True):
    name: str
    url: str
    size: int


class _ToClient(msgspec.Struct, tag_field="type", frozen=True, kw_only=True):
    pass


class _Response(_ToClient, frozen=True, kw_only=True):
    conversation_id: str
    message_id: str
    turn: int
    text: str
    html: str


class ResponseStart(_Response, tag="response_start", frozen=True, kw_only=True):
    pass


class ResponseChunk(_Response, tag="response_chunk", frozen=True, kw_only=True):
    pass


class ResponseComplete(_Response, tag="response_complete", frozen=True, kw_only=True):
    outcome: str
    model: str
    tools: tuple[str, ...]


class ApprovalAsked(_Response, tag="approval", frozen=True, kw_only=True):
    approval: int
    expires_at: str


State = Literal[
    "received",
    "working",
    "new",
    "updated",
    "note",
    "stopping",
    "idle",
    "rated",
    "forgotten",
    "decided",
    "model",
]


class Status(_ToClient, tag="status", frozen=True, kw_only=True, omit_defaults=True):
    state: State
    conversation_id: str | None = None
    message_id: str | None = None
    turn: int | None = None
    text: str = ""
    html: str = ""
    conversation: ConversationSummary | None = None
    duplicate: bool = False
    rating: int | None = None
    approval: int | None = None
    model: str = ""
    health: str = ""
    file: FileLink | None = None


class Conversations(_ToClient, tag="conversations", frozen=True, kw_only=True, omit_defaults=True):
    conversations: list[ConversationSummary]
    messages: list[PastMessage] | None = None
    more: bool = False
    agents: list[AgentSummary] | None = None


class Error(_ToClient, tag="error", frozen=True, kw_only=True, omit_defaults=True):
    text: str
    message_id: str | None = None
    conversation_id: str | None = None


ServerFrame = ResponseStart | ResponseChunk | ResponseComplete | ApprovalAsked | Status | Conversations | Error

encode = msgspec.json.Encoder().encode
_decoder: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)


class FrameError(Exception):
    """What a client sent is not a frame. The message is a sentence for whoever wrote the client."""


def decode(data: bytes) -> ClientFrame:
    """Raises FrameError."""
    if len(data) > MAX_FRAME:
        raise FrameError("That is more than the 1 MiB I can take at once. Please send less.")
    try:
        return _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise FrameError(f"I cannot read this frame: {error}") from error
