"""Events as Slack wraps and sends them to the app: who hears what, and in which order.

Source: https://docs.slack.dev/apis/events-api and the reference page of each event.
"""

import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from tests.fakes.slack.delivery import Delivery, Kind
from tests.fakes.slack.refusals import Json
from tests.fakes.slack.state import Channel, Message
from tests.fakes.slack.wire import message_json

if TYPE_CHECKING:
    from tests.fakes.slack.workspace import Workspace

SUBSCRIPTION = {"channel": "message.channels", "group": "message.groups", "im": "message.im", "mpim": "message.mpim"}
_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>")


def event_callback(team: "Workspace", event: Json) -> Delivery:
    """Send one event to the app; each gets its own event_id."""
    event_id = team.hub.next_id("Ev")
    payload = {
        "token": "verification-token",
        "team_id": team.id,
        "context_team_id": team.id,
        "context_enterprise_id": None,
        "api_app_id": team.hub.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(time.time()),
        "authorizations": [_authorization(team)],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }
    return team.hub.dispatcher.dispatch(Delivery("events_api", team.id, payload, event_id))


def interaction(team: "Workspace", kind: Kind, payload: Json) -> Delivery:
    return team.hub.dispatcher.dispatch(Delivery(kind, team.id, payload))


def posted(team: "Workspace", message: Message) -> None:
    """A new message: `message`, and `app_mention` where it names the bot in a channel."""
    channel = team.channels[message.channel]
    if not heard(team, channel, message):
        return
    event = message_json(team, message) | {"channel": channel.id, "event_ts": message.ts}
    if message.bot_id is None:
        event["client_msg_id"] = str(uuid.uuid4())
    events = [("message", event | {"channel_type": channel.kind})]
    if channel.kind != "im" and message.bot_id is None and team.bot_user in mentioned(message.text):
        mention = {key: value for key, value in event.items() if key != "subtype"}
        events.append(("app_mention", mention | {"type": "app_mention"}))
    for name, content in _ordered(team, events):
        wanted = name if name == "app_mention" else SUBSCRIPTION[channel.kind]
        if wanted in team.hub.subscriptions:
            message.deliveries.append(event_callback(team, content))


def changed(team: "Workspace", message: Message, before: Json) -> None:
    """An edit, also one that only attached a preview."""
    details = {"message": message_json(team, message), "previous_message": before}
    _hidden(team, message, {"subtype": "message_changed", **details})


def removed(team: "Workspace", message: Message, before: Json) -> None:
    """A deletion; the root of a thread stays behind as a tombstone, which is an edit."""
    if any(other.thread_ts == message.ts and not other.deleted for other in team.posts() if other is not message):
        stone = {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT", "hidden": True}
        kept = {"type": "message", "ts": message.ts, "thread_ts": message.ts}
        _hidden(team, message, {"subtype": "message_changed", "message": stone | kept, "previous_message": before})
        return
    _hidden(team, message, {"subtype": "message_deleted", "deleted_ts": message.ts, "previous_message": before})


def mentioned(text: str) -> set[str]:
    return set(_MENTION.findall(text))


def heard(team: "Workspace", channel: Channel, message: Message) -> bool:
    """Whether the app is told of this message at all."""
    if team.bot_user not in channel.members or message.ephemeral_to is not None:
        return False
    return team.hub.echo or message.bot_id != team.bot_id


def _hidden(team: "Workspace", message: Message, details: Json) -> None:
    channel = team.channels[message.channel]
    if not heard(team, channel, message) or SUBSCRIPTION[channel.kind] not in team.hub.subscriptions:
        return
    ts = team.hub.next_ts()
    event: Json = {"type": "message", "hidden": True, "channel": channel.id, "channel_type": channel.kind}
    message.deliveries.append(event_callback(team, event | {"ts": ts, "event_ts": ts} | details))


def _ordered(team: "Workspace", events: list[tuple[str, Json]]) -> list[tuple[str, Json]]:
    order = team.hub.mention_order
    if order == "mention_first" or (order == "random" and team.hub.rng.random() < 0.5):
        return events[::-1]
    return events


def _authorization(team: "Workspace") -> dict[str, Any]:
    return {
        "enterprise_id": None,
        "team_id": team.id,
        "user_id": team.bot_user,
        "is_bot": True,
        "is_enterprise_install": False,
    }
