"""Files: the external upload in its three steps, files.info, and the pages that bytes go to and come from.

    files.getUploadURLExternal → POST of the bytes to upload_url → files.completeUploadExternal

Source: https://docs.slack.dev/messaging/working-with-files
"""

import mimetypes
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.slack.method import method
from tests.fakes.slack.refusals import Json, Mistake, Refusal
from tests.fakes.slack.state import File
from tests.fakes.slack.web_api_messages import written
from tests.fakes.slack.wire import file_json
from tests.fakes.slack.workspace import Workspace

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body>Sign in to Slack</body></html>"


@dataclass(slots=True)
class Upload:
    """An upload under way. `content` is None until the bytes came."""

    name: str
    length: int
    content: bytes | None = None


class Uploads:
    """Uploads under way, by file id. One per fake; file ids are unique."""

    def __init__(self) -> None:
        self.open: dict[str, Upload] = {}

    def begin(self, team: Workspace, args: Json) -> Json:
        if args["length"] < 1:
            raise Mistake("invalid_arguments", "length is the number of bytes, at least 1")
        file_id = team.hub.next_id("F")
        self.open[file_id] = Upload(args["filename"], args["length"])
        return {"upload_url": f"{team.hub.base}/upload/v1/{file_id}", "file_id": file_id}

    async def receive(self, request: web.Request) -> web.Response:
        """The bytes, raw as the Python SDK sends them, or the first part of a multipart form."""
        upload = self.open.get(request.match_info["file_id"])
        if upload is None or upload.content is not None:
            return web.Response(status=404, text="no such upload")
        content = await _content(request)
        if len(content) != upload.length:
            return web.Response(status=400, text=f"{upload.length} bytes announced, {len(content)} sent")
        upload.content = content
        return web.Response(text=f"OK - {len(content)}", content_type="text/plain")

    def complete(self, team: Workspace, args: Json) -> Json:
        """Share the files in the channels as one message, or keep them private without one."""
        channels = [team.writable(channel).id for channel in _channels(args)]
        if not channels and ({"thread_ts", "initial_comment"} & args.keys()):
            raise Mistake("invalid_arguments", "thread_ts and initial_comment need a channel")
        for channel in channels:
            if "thread_ts" in args:
                team.thread_for(channel, args["thread_ts"])
        files = [self._finished(team, item) for item in args["files"]]
        for channel in channels:
            _share(team, channel, files, args)
        return {"files": [file_json(team, file) for file in files]}

    def _finished(self, team: Workspace, item: Any) -> File:
        if not isinstance(item, dict) or not isinstance(item.get("id"), str):
            raise Mistake("invalid_arguments", f"files holds objects with id: {item!r}")
        upload = self.open.get(item["id"])
        if upload is None or upload.content is None:
            raise Mistake("file_not_found", f"nothing was uploaded as {item['id']}")
        del self.open[item["id"]]
        kind = mimetypes.guess_type(upload.name)[0] or "application/octet-stream"
        file = File(item["id"], upload.name, item.get("title") or upload.name, kind, upload.content, team.bot_user)
        team.files[file.id] = file
        return file


def _channels(args: Json) -> list[str]:
    several = [name for name in args.get("channels", "").split(",") if name]
    return several or ([args["channel_id"]] if "channel_id" in args else [])


def _share(team: Workspace, channel: str, files: list[File], args: Json) -> None:
    message = written(team, {"text": args.get("initial_comment", "")}, channel)
    message.thread_ts = args.get("thread_ts")
    message.subtype, message.files = "file_share", files
    for file in files:
        file.channels.append(channel)
    team.publish(message)


async def _content(request: web.Request) -> bytes:
    if request.content_type != "multipart/form-data":
        return await request.read()
    for part in (await request.post()).values():
        return part.file.read() if isinstance(part, web.FileField) else str(part).encode()
    return b""


def info(team: Workspace, args: Json) -> Json:
    return {"file": file_json(team, visible(team, args["file"])), "comments": []}


def visible(team: Workspace, file_id: str) -> File:
    """A file that the bot may see: its own, or shared where it is a member. Raises Refusal("file_not_found")."""
    file = team.files.get(file_id)
    if file is None:
        raise Refusal("file_not_found")
    shared = any(team.bot_user in team.channels[channel].members for channel in file.channels)
    if not shared and file.user != team.bot_user:
        raise Refusal("file_not_found")
    return file


def download(teams: dict[str, Workspace], request: web.Request) -> web.Response:
    """The bytes for the right bearer token; for any other Slack redirects to a page to sign in."""
    team_id, _, file_id = request.match_info["key"].partition("-")
    team = teams.get(team_id)
    authorized = team is not None and request.headers.get("Authorization") == f"Bearer {team.bot_token}"
    if team is None or not authorized or team.revoked or "files:read" not in team.scopes:
        return web.Response(status=302, headers={"Location": f"/login?redir={request.path}"})
    try:
        file = visible(team, file_id)
    except Refusal:
        return web.Response(status=404, text="File not found")
    if file.status != 200:
        return web.Response(status=file.status, text="file server error")
    return web.Response(body=file.content, content_type=file.mimetype)


async def login(_: web.Request) -> web.Response:
    return web.Response(text=LOGIN_PAGE, content_type="text/html")


INFO = method("files.info", info, "file! count:int cursor limit:int page:int", scopes="files:read", tier=4, json=False)
BEGIN_ARGUMENTS = "filename! length!:int alt_txt snippet_type"
COMPLETE_ARGUMENTS = "files!:list channel_id channels initial_comment thread_ts blocks:list"
