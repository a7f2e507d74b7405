"""conversations.*: where people talk, and what was said there.

Source: https://docs.slack.dev/reference/methods/conversations.replies and its neighbours.
"""

from typing import TypeVar

from tests.fakes.slack.method import method
from tests.fakes.slack.refusals import Json, Mistake, Refusal
from tests.fakes.slack.state import Channel, Message
from tests.fakes.slack.wire import channel_json, message_json
from tests.fakes.slack.workspace import Workspace

T = TypeVar("T")
PAGE = 100
KIND_OF_TYPE = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def open_direct(team: Workspace, args: Json) -> Json:
    if ("users" in args) == ("channel" in args):
        raise Mistake("invalid_arguments", "either users or channel")
    if "channel" in args:
        return {"channel": channel_json(team, team.channel_for(args["channel"])), "already_open": True}
    users = args["users"].split(",")
    if any(user not in team.users for user in users):
        raise Refusal("user_not_found")
    if users == [team.bot_user]:
        raise Refusal("cannot_dm_bot")
    channel = team.direct(users)
    return {"channel": channel_json(team, channel) if args.get("return_im") else {"id": channel.id}}


def info(team: Workspace, args: Json) -> Json:
    channel = team.channel_for(args["channel"])
    more = {"num_members": len(channel.members)} if args.get("include_num_members") else {}
    return {"channel": channel_json(team, channel) | more}


def members(team: Workspace, args: Json) -> Json:
    names = sorted(team.channel_for(args["channel"]).members)
    page, cursor = _page(names, args)
    return {"members": page, "response_metadata": {"next_cursor": cursor}}


def listing(team: Workspace, args: Json) -> Json:
    asked = args.get("types", "public_channel").split(",")
    if any(kind not in KIND_OF_TYPE for kind in asked):
        raise Mistake("invalid_types", f"types: {asked}")
    kinds = {KIND_OF_TYPE[kind] for kind in asked}
    seen = [c for c in team.channels.values() if c.kind in kinds and _listed(team, c, args)]
    page, cursor = _page(seen, args)
    return {"channels": [channel_json(team, c) for c in page], "response_metadata": {"next_cursor": cursor}}


def history(team: Workspace, args: Json) -> Json:
    channel = _readable(team, args)
    shown = [m for m in team.posts() if m.channel == channel.id and not m.deleted and _top_level(m)]
    return _messages(team, sorted(shown, key=lambda m: m.ts, reverse=True), args)


def replies(team: Workspace, args: Json) -> Json:
    channel = _readable(team, args)
    root = team.messages.get((channel.id, args["ts"]))
    if root is None or root.ephemeral_to is not None:
        raise Refusal("thread_not_found")
    start = [] if root.deleted else [root]
    return _messages(team, start + team.thread(channel.id, root.ts), args)


def _messages(team: Workspace, found: list[Message], args: Json) -> Json:
    page, cursor = _page([m for m in found if _within(m, args)], args)
    metadata = args.get("include_all_metadata", False)
    answer: Json = {"messages": [message_json(team, m, metadata=metadata) for m in page], "has_more": bool(cursor)}
    return answer | ({"response_metadata": {"next_cursor": cursor}} if cursor else {})


def _readable(team: Workspace, args: Json) -> Channel:
    channel = team.channel_for(args["channel"])
    if team.bot_user not in channel.members:
        raise Refusal("not_in_channel")
    return channel


def _listed(team: Workspace, channel: Channel, args: Json) -> bool:
    if args.get("exclude_archived") and channel.archived:
        return False
    return channel.kind == "channel" or team.bot_user in channel.members


def _top_level(message: Message) -> bool:
    return message.root == message.ts or message.subtype == "thread_broadcast"


def _within(message: Message, args: Json) -> bool:
    oldest, latest = args.get("oldest", "0"), args.get("latest", "9999999999")
    if args.get("inclusive"):
        return float(oldest) <= float(message.ts) <= float(latest)
    return float(oldest) < float(message.ts) < float(latest)


def _page(found: list[T], args: Json) -> tuple[list[T], str]:
    """One page and the cursor of the next; empty when there is none."""
    limit = args.get("limit", PAGE)
    if not 1 <= limit <= 1000:
        raise Mistake("invalid_limit", f"limit: {limit}")
    start = _start(args.get("cursor", ""))
    rest = len(found) > start + limit
    return found[start : start + limit], f"next:{start + limit}" if rest else ""


def _start(cursor: str) -> int:
    if not cursor:
        return 0
    word, _, number = cursor.partition(":")
    if word != "next" or not number.isdecimal():
        raise Mistake("invalid_cursor", f"cursor: {cursor}")
    return int(number)


_READ = "channels:read groups:read im:read mpim:read"
_HISTORY = "channels:history groups:history im:history mpim:history"
_RANGE = "cursor inclusive:bool include_all_metadata:bool latest limit:int oldest"
METHODS = (
    method("conversations.open", open_direct, "users channel return_im:bool", scopes="im:write mpim:write"),
    method(
        "conversations.info",
        info,
        "channel! include_locale:bool include_num_members:bool",
        scopes=_READ,
        json=False,
    ),
    method("conversations.members", members, "channel! cursor limit:int", scopes=_READ, tier=4, json=False),
    method(
        "conversations.list", listing, "cursor exclude_archived:bool limit:int types", scopes=_READ, tier=2, json=False
    ),
    method("conversations.history", history, f"channel! {_RANGE}", scopes=_HISTORY, json=False),
    method("conversations.replies", replies, f"channel! ts! {_RANGE}", scopes=_HISTORY, json=False),
)
