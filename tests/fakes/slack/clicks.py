"""The payloads of commands, clicks and shortcuts.

Source: https://docs.slack.dev/reference/interaction-payloads and https://docs.slack.dev/interactivity/implementing-slash-commands
"""

from tests.fakes.slack import events
from tests.fakes.slack.delivery import Kind
from tests.fakes.slack.interactions import Interaction
from tests.fakes.slack.refusals import Json
from tests.fakes.slack.response_urls import ResponseUrl
from tests.fakes.slack.state import Message
from tests.fakes.slack.wire import message_json
from tests.fakes.slack.workspace import Workspace


def sent(team: Workspace, kind: Kind, payload: Json, url: ResponseUrl) -> Interaction:
    return Interaction(events.interaction(team, kind, payload), url)


def command(team: Workspace, url: ResponseUrl, name: str, text: str) -> Json:
    channel = team.channels[url.channel]
    return {
        "token": "verification-token",
        "team_id": team.id,
        "team_domain": team.domain,
        "channel_id": channel.id,
        "channel_name": "directmessage" if channel.kind == "im" else channel.name,
        "user_id": url.user,
        "user_name": team.users[url.user].name,
        "command": name,
        "text": text,
        "api_app_id": team.hub.app_id,
        "is_enterprise_install": "false",
        "response_url": url.url,
        "trigger_id": team.hub.trigger(),
    }


def block_actions(team: Workspace, url: ResponseUrl, message: Message, action_id: str, value: str | None) -> Json:
    """A click on an element. An ephemeral message does not come along, only its container."""
    block_id, element = message.action(action_id)
    action = {"action_id": action_id, "block_id": block_id, "action_ts": team.hub.next_ts()}
    payload = _common(team, url, "block_actions") | {
        "container": _container(message),
        "state": {"values": {}},
        "actions": [action | _chosen(element, value)],
    }
    if message.ephemeral_to is None:
        payload["message"] = message_json(team, message, metadata=True)
    return payload


def message_action(team: Workspace, url: ResponseUrl, message: Message, callback_id: str) -> Json:
    return _common(team, url, "message_action") | {
        "callback_id": callback_id,
        "action_ts": team.hub.next_ts(),
        "message_ts": message.ts,
        "message": message_json(team, message),
    }


def _common(team: Workspace, url: ResponseUrl, kind: str) -> Json:
    user = team.users[url.user]
    channel = team.channels[url.channel]
    return {
        "type": kind,
        "user": {"id": user.id, "username": user.name, "name": user.name, "team_id": team.id},
        "api_app_id": team.hub.app_id,
        "token": "verification-token",
        "trigger_id": team.hub.trigger(),
        "team": {"id": team.id, "domain": team.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "channel": {"id": channel.id, "name": "directmessage" if channel.kind == "im" else channel.name},
        "response_url": url.url,
    }


def _container(message: Message) -> Json:
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.ephemeral_to is not None,
    }
    return container | ({"thread_ts": message.thread_ts} if message.thread_ts else {})


def _chosen(element: Json, value: str | None) -> Json:
    kind = element["type"]
    if kind in {"static_select", "overflow"}:
        option = next((o for o in element["options"] if value in {None, o["value"]}), None)
        if option is None:
            raise KeyError(value)
        return {"type": kind, "selected_option": option}
    if kind == "feedback_buttons":
        values = [element["positive_button"].get("value"), element["negative_button"].get("value")]
    else:
        values = [element.get("value")]
    if value is not None and value not in values:
        raise KeyError(value)
    return {"type": kind, "value": value if value is not None else values[0]} | _label(element)


def _label(element: Json) -> Json:
    return {"text": element["text"]} if "text" in element else {}
