"""chat.postMessage, chat.update, chat.delete, chat.postEphemeral, chat.getPermalink, reactions.

Source: https://docs.slack.dev/reference/methods
"""

from tests.fakes.slack.blocks import check_blocks
from tests.fakes.slack.method import method
from tests.fakes.slack.refusals import Json, Mistake, Refusal
from tests.fakes.slack.state import Message
from tests.fakes.slack.wire import message_json, permalink
from tests.fakes.slack.workspace import Workspace

MAX_TEXT = 40_000
MAX_UPDATE = 4_000
MAX_MARKDOWN = 12_000
CONTENT = "text markdown_text blocks:list attachments:list"
LOOKS = "as_user:bool username icon_emoji icon_url link_names:bool parse"


def check_content(args: Json, *, limit: int = MAX_TEXT, needed: bool = True) -> None:
    """Raises Mistake for what no message can hold, or for a message without anything in it."""
    text, markdown, blocks = args.get("text", ""), args.get("markdown_text"), args.get("blocks")
    if markdown is not None and (text or blocks):
        raise Mistake("markdown_text_conflict", "markdown_text goes with neither text nor blocks")
    if len(text) > limit or len(markdown or "") > MAX_MARKDOWN:
        raise Mistake("msg_too_long", f"text has {len(text)}, markdown_text {len(markdown or '')} characters")
    if blocks:
        check_blocks(blocks)
    if needed and not (text.strip() or (markdown or "").strip() or blocks or args.get("attachments")):
        raise Mistake("no_text", "no text, markdown_text, blocks or attachments")
    check_metadata(args.get("metadata"))


def check_metadata(metadata: Json | None) -> None:
    if not metadata:
        return
    if set(metadata) != {"event_type", "event_payload"} or not isinstance(metadata["event_type"], str):
        raise Mistake("invalid_metadata_format", f"metadata: {metadata!r}"[:300])
    if not isinstance(metadata["event_payload"], dict):
        raise Mistake("invalid_metadata_format", "event_payload is no object")


def written(team: Workspace, args: Json, channel: str) -> Message:
    """The bot's message as the arguments describe it, not yet published."""
    return Message(
        channel,
        team.hub.next_ts(),
        team.bot_user,
        text=args.get("text", ""),
        markdown=args.get("markdown_text"),
        blocks=args.get("blocks", []),
        attachments=args.get("attachments", []),
        metadata=args.get("metadata"),
        thread_ts=args.get("thread_ts"),
        bot_id=team.bot_id,
        unfurl_links=args.get("unfurl_links"),
        unfurl_media=args.get("unfurl_media"),
    )


def post(team: Workspace, args: Json) -> Json:
    channel = team.writable(args["channel"])
    check_content(args)
    if "thread_ts" in args:
        team.thread_for(channel.id, args["thread_ts"])
    message = written(team, args, channel.id)
    if args.get("reply_broadcast"):
        message.subtype = "thread_broadcast"
    team.publish(message)
    return {"channel": channel.id, "ts": message.ts, "message": message_json(team, message, metadata=True)}


def own(team: Workspace, args: Json, error: str) -> Message:
    """A message of the bot; raises Refusal(error) for somebody else's. A user id is no channel here."""
    if args["channel"] in team.users:
        raise Mistake("channel_not_found", "the id of the direct message is needed, not the user's")
    message = team.message_for(team.channel_for(args["channel"]).id, args["ts"])
    if message.bot_id != team.bot_id:
        raise Refusal(error)
    return message


def update(team: Workspace, args: Json) -> Json:
    channel = team.writable(args["channel"])
    message = own(team, args, "cant_update_message")
    if message.streaming(team.hub.clock.now()):
        raise Refusal("streaming_state_conflict")
    check_content(args, limit=MAX_UPDATE)
    team.revise(message, _change(args))
    content = message_json(team, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": content}


def _change(args: Json) -> Json:
    """A new text takes the place of blocks that are not given again; attachments and metadata stay."""
    change: Json = {name: args[name] for name in ("blocks", "attachments", "metadata") if name in args}
    if "text" in args or "markdown_text" in args:
        fresh = {"text": args.get("text", ""), "markdown": args.get("markdown_text"), "blocks": []}
        return fresh | change
    return change


def delete(team: Workspace, args: Json) -> Json:
    message = own(team, args, "cant_delete_message")
    if message.streaming(team.hub.clock.now()):
        raise Refusal("streaming_state_conflict")
    team.withdraw(message)
    return {"channel": message.channel, "ts": message.ts}


def post_ephemeral(team: Workspace, args: Json) -> Json:
    channel = team.writable(args["channel"])
    check_content(args)
    if args["user"] not in channel.members:
        raise Refusal("user_not_in_channel")
    if "thread_ts" in args:
        team.thread_for(channel.id, args["thread_ts"])
    message = written(team, args, channel.id)
    message.ephemeral_to = args["user"]
    team.publish(message)
    return {"message_ts": message.ts}


def get_permalink(team: Workspace, args: Json) -> Json:
    channel = team.channel_for(args["channel"])
    message = team.message_for(channel.id, args["message_ts"])
    return {"channel": channel.id, "permalink": permalink(team, message)}


def add_reaction(team: Workspace, args: Json) -> Json:
    message = team.message_for(team.writable(args["channel"]).id, args["timestamp"])
    users = message.reactions.setdefault(args["name"], [])
    if team.bot_user in users:
        raise Refusal("already_reacted")
    users.append(team.bot_user)
    return {}


def remove_reaction(team: Workspace, args: Json) -> Json:
    message = team.message_for(team.writable(args["channel"]).id, args["timestamp"])
    users = message.reactions.get(args["name"], [])
    if team.bot_user not in users:
        raise Refusal("no_reaction")
    users.remove(team.bot_user)
    if not users:
        del message.reactions[args["name"]]
    return {}


_POST = f"channel! {CONTENT} {LOOKS} thread_ts metadata:dict unfurl_links:bool unfurl_media:bool mrkdwn:bool"
METHODS = (
    method("chat.postMessage", post, f"{_POST} reply_broadcast:bool", scopes="chat:write", tier=4),
    method(
        "chat.update",
        update,
        f"channel! ts! {CONTENT} metadata:dict as_user:bool link_names:bool parse reply_broadcast:bool file_ids",
        scopes="chat:write",
    ),
    method("chat.delete", delete, "channel! ts! as_user:bool", scopes="chat:write"),
    method(
        "chat.postEphemeral", post_ephemeral, f"channel! user! {CONTENT} {LOOKS} thread_ts", scopes="chat:write", tier=4
    ),
    method("chat.getPermalink", get_permalink, "channel! message_ts!", json=False, tier=4),
    method("reactions.add", add_reaction, "channel! timestamp! name!", scopes="reactions:write"),
    method("reactions.remove", remove_reaction, "channel! timestamp! name!", scopes="reactions:write", tier=2),
)
