"""Values of the workspace in the JSON shapes that Slack sends.

Source: https://docs.slack.dev/reference/objects and the samples of https://docs.slack.dev/reference/events
"""

from typing import TYPE_CHECKING

from tests.fakes.slack.refusals import Json
from tests.fakes.slack.state import Channel, File, Message, User

if TYPE_CHECKING:
    from tests.fakes.slack.workspace import Workspace


def message_json(team: "Workspace", message: Message, *, metadata: bool = False) -> Json:
    """A message as in `conversations.replies` and in events."""
    made: Json = {
        "type": "message",
        "user": message.user,
        "text": message.markdown if message.markdown is not None else message.text,
        "ts": message.ts,
        "team": team.id,
    }
    optional = {
        "subtype": message.subtype,
        "thread_ts": message.thread_ts,
        "blocks": message.blocks,
        "attachments": message.attachments,
        "files": [event_file(team, file) for file in message.files],
        "metadata": message.metadata if metadata else None,
        "reactions": [{"name": n, "users": u, "count": len(u)} for n, u in message.reactions.items()],
    }
    made |= {key: value for key, value in optional.items() if value}
    if message.bot_id is not None:
        made |= {"bot_id": message.bot_id}
        made |= {"app_id": team.hub.app_id} if message.bot_id == team.bot_id else {}
    if message.edited_ts is not None:
        made["edited"] = {"user": message.user, "ts": message.edited_ts}
    return made


def event_file(team: "Workspace", file: File) -> Json:
    return {"id": file.id, "file_access": "check_file_info"} if file.hidden else file_json(team, file)


def file_json(team: "Workspace", file: File) -> Json:
    url = f"{team.hub.base}/files-pri/{team.id}-{file.id}"
    return {
        "id": file.id,
        "created": file.created,
        "name": file.name,
        "title": file.title,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2],
        "user": file.user,
        "size": len(file.content),
        "mode": "hosted",
        "is_external": False,
        "channels": [c for c in file.channels if c.startswith("C")],
        "ims": [c for c in file.channels if c.startswith("D")],
        "url_private": f"{url}/{file.name}",
        "url_private_download": f"{url}/download/{file.name}",
        "permalink": f"https://{team.domain}.slack.com/files/{file.user}/{file.id}",
    }


def channel_json(team: "Workspace", channel: Channel) -> Json:
    made: Json = {
        "id": channel.id,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_private": channel.kind != "channel",
        "is_archived": channel.archived,
        "context_team_id": team.id,
    }
    if channel.kind == "im":
        return made | {"user": next(iter(channel.members - {team.bot_user}))}
    return made | {"name": channel.name, "is_member": team.bot_user in channel.members}


def user_json(team: "Workspace", user: User) -> Json:
    return {
        "id": user.id,
        "team_id": team.id,
        "name": user.name,
        "real_name": user.name.title(),
        "deleted": user.deleted,
        "tz": "Europe/Berlin",
        "profile": {"display_name": user.name, "real_name": user.name.title(), "team": team.id},
        "is_admin": user.is_admin,
        "is_owner": user.is_owner,
        "is_primary_owner": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
    }


def permalink(team: "Workspace", message: Message) -> str:
    link = f"https://{team.domain}.slack.com/archives/{message.channel}/p{message.ts.replace('.', '')}"
    if message.thread_ts is None or message.thread_ts == message.ts:
        return link
    return f"{link}?thread_ts={message.thread_ts}&cid={message.channel}"
