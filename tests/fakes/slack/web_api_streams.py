"""chat.startStream, chat.appendStream, chat.stopStream: a message that grows, for five minutes at most.

Source: https://docs.slack.dev/reference/methods/chat.startStream and its two companions.
"""

from collections.abc import Callable

from tests.fakes.slack import events
from tests.fakes.slack.blocks import check_blocks
from tests.fakes.slack.method import method
from tests.fakes.slack.refusals import Json, Mistake, Refusal
from tests.fakes.slack.state import Channel, Message, Stream
from tests.fakes.slack.web_api_agents import STATUSES, set_session
from tests.fakes.slack.web_api_messages import MAX_MARKDOWN, check_metadata, own, written
from tests.fakes.slack.wire import message_json
from tests.fakes.slack.workspace import Workspace

TASK_STATUSES = {"pending", "in_progress", "complete", "error"}
MAX_TASK_TITLE = 256


def start(team: Workspace, args: Json) -> Json:
    channel = team.writable(args["channel"])
    team.thread_for(channel.id, args["thread_ts"])
    _check_recipient(team, channel, args)
    chunks = _chunks(args)
    message = written(team, {"thread_ts": args["thread_ts"], "markdown_text": ""}, channel.id)
    message.stream = Stream(team.hub.clock.now(), args.get("recipient_user_id"))
    _check_length(message, chunks)
    team.publish(message)
    _grow(team, message, chunks)
    return {"channel": channel.id, "ts": message.ts}


def append(team: Workspace, args: Json) -> Json:
    message = _streaming(team, args)
    chunks = _chunks(args)
    if not chunks:
        raise Mistake("no_text", "nothing to append")
    _check_length(message, chunks)
    _grow(team, message, chunks)
    return {"channel": message.channel, "ts": message.ts}


def stop(team: Workspace, args: Json) -> Json:
    message = _streaming(team, args)
    chunks = _chunks(args)
    _check_length(message, chunks)
    check_blocks(args.get("blocks", []))
    check_metadata(args.get("metadata"))
    _check_session_status(args)
    before = message_json(team, message)
    _grow(team, message, chunks)
    message.blocks += args.get("blocks", [])
    message.metadata = args.get("metadata", message.metadata)
    end(message)
    events.changed(team, message, before)
    if "session_status" in args:
        set_session(team, (message.channel, message.root), args["session_status"], None)
    team.hub.changes.tell()
    return {"channel": message.channel, "ts": message.ts, "message": message_json(team, message, metadata=True)}


def end(message: Message, refusal: str | None = None) -> None:
    """No more comes; `refusal` is the error of calls that come all the same."""
    assert message.stream is not None
    message.stream.stopped = True
    message.stream.refusal = refusal or message.stream.refusal


def _check_recipient(team: Workspace, channel: Channel, args: Json) -> None:
    for name in ("recipient_user_id", "recipient_team_id"):
        if channel.kind != "im" and not args.get(name):
            raise Mistake(f"missing_{name}", f"{name} is needed when streaming to a channel")
    if args.get("recipient_user_id", team.bot_user) not in team.users:
        raise Refusal("user_not_found")


def _streaming(team: Workspace, args: Json) -> Message:
    team.writable(args["channel"])
    message = own(team, args, "message_not_owned_by_app")
    if message.stream is None:
        raise Refusal("message_not_in_streaming_state")
    if not message.streaming(team.hub.clock.now()):
        raise Refusal(message.stream.refusal)
    return message


def _chunks(args: Json) -> list[Json]:
    """The arguments' chunks, checked; markdown_text is one more."""
    chunks = list(args.get("chunks", []))
    if args.get("markdown_text"):
        chunks.insert(0, {"type": "markdown_text", "text": args["markdown_text"]})
    for chunk in chunks:
        check = _CHUNKS.get(chunk.get("type")) if isinstance(chunk, dict) else None
        if check is None or not check(chunk):
            raise Mistake("invalid_chunks", f"chunk: {chunk!r}"[:300])
    return chunks


def _is_markdown(chunk: Json) -> bool:
    return set(chunk) == {"type", "text"} and isinstance(chunk["text"], str)


def _is_task(chunk: Json) -> bool:
    known = {"type", "id", "title", "status", "details", "output", "sources"}
    strings = all(isinstance(chunk.get(key), str) and chunk[key] for key in ("id", "title"))
    short = len(str(chunk.get("title"))) <= MAX_TASK_TITLE
    return set(chunk) <= known and strings and short and chunk.get("status", "pending") in TASK_STATUSES


def _is_plan(chunk: Json) -> bool:
    return set(chunk) == {"type", "title"} and isinstance(chunk["title"], str)


def _is_blocks(chunk: Json) -> bool:
    blocks = chunk.get("blocks")
    if not isinstance(blocks, list):
        return False
    check_blocks(blocks)
    return True


_CHUNKS: dict[object, Callable[[Json], bool]] = {
    "markdown_text": _is_markdown,
    "task_update": _is_task,
    "plan_update": _is_plan,
    "blocks": _is_blocks,
}


def _check_length(message: Message, chunks: list[Json]) -> None:
    """The limit holds for one call and for the whole message."""
    more = sum(len(chunk["text"]) for chunk in chunks if chunk["type"] == "markdown_text")
    if len(message.markdown or "") + more > MAX_MARKDOWN:
        raise Mistake("msg_too_long", f"a streamed message holds {MAX_MARKDOWN} characters")


def _check_session_status(args: Json) -> None:
    if args.get("session_status", "active") not in STATUSES:
        raise Mistake("invalid_arguments", f"session_status: {args['session_status']!r}")


def _grow(team: Workspace, message: Message, chunks: list[Json]) -> None:
    stream = message.stream
    assert stream is not None
    for chunk in chunks:
        stream.chunks.append(chunk)
        if chunk["type"] == "markdown_text":
            message.markdown = (message.markdown or "") + chunk["text"]
        elif chunk["type"] == "task_update":
            stream.tasks[chunk["id"]] = stream.tasks.get(chunk["id"], {}) | chunk
        elif chunk["type"] == "blocks":
            message.blocks = [*message.blocks, *chunk["blocks"]]
    team.hub.changes.tell()


METHODS = (
    method(
        "chat.startStream",
        start,
        "channel! thread_ts! markdown_text recipient_user_id recipient_team_id chunks:list task_display_mode "
        "username icon_emoji icon_url",
        scopes="chat:write",
        tier=2,
    ),
    method("chat.appendStream", append, "channel! ts! markdown_text chunks:list", scopes="chat:write", tier=4),
    method(
        "chat.stopStream",
        stop,
        "channel! ts! markdown_text chunks:list blocks:list metadata:dict session_status",
        scopes="chat:write",
        tier=2,
    ),
)
