"""Files to and from Slack."""

import logging
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from yarl import URL

from bot.errors import PlatformError
from bot.platforms.files import SentFile
from bot.platforms.slack.api import Api

_log = logging.getLogger(__name__)

UPLOAD_SECONDS = 45.0


async def upload(api: Api, name: str, content: bytes, **place: Any) -> None:
    """Share a file in a channel or thread. Raises PlatformError; then it may be shared all the same."""
    try:
        await api.client.files_upload_v2(filename=name, title=name, content=content, **place)
    except (SlackApiError, SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise PlatformError(f"a file could not be uploaded: {error}") from error


def sent_file(api: Api, file: dict[str, Any], limit: int) -> SentFile:
    """A file of a message. Bytes come only for the bot's token; without it Slack sends a page to log in."""
    name, media_type = str(file.get("name") or ""), str(file.get("mimetype") or "")

    async def download() -> bytes | None:
        try:
            url = await _address(api, file)
            return await _bytes(api, url, limit, html=media_type == "text/html") if url else None
        except (SlackApiError, SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
            _log.warning("a file could not be read: %r", error)
            return None

    return SentFile(name, media_type, int(file.get("size") or 0), download)


async def _address(api: Api, file: dict[str, Any]) -> str:
    if file.get("is_external") or file.get("mode") == "external":
        return ""  # somewhere else, where our token is nobody's business
    if file.get("file_access") == "check_file_info":  # of another workspace
        file = (await api.call("files.info", file=file["id"]))["file"]
    return str(file.get("url_private_download") or file.get("url_private") or "")


async def _bytes(api: Api, url: str, limit: int, *, html: bool) -> bytes | None:
    host, own = URL(url).host or "", URL(api.client.base_url).host
    if host != own and not host.endswith(".slack.com"):
        return None
    session = api.client.session
    assert session is not None
    headers = {"Authorization": f"Bearer {api.client.token}"}
    async with session.get(url, headers=headers) as response:
        if response.status != 200 or (response.content_type == "text/html" and not html):
            _log.warning("a file could not be read: %d %s", response.status, response.content_type)
            return None
        data = await response.content.read(limit + 1)
        while len(data) <= limit and (more := await response.content.read(limit + 1 - len(data))):
            data += more
        return data if len(data) <= limit else None
