"""Files to and from Slack."""

import asyncio
import logging
from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from yarl import URL

from bot.errors import PlatformError
from bot.platforms.files import SentFile
from bot.platforms.slack.api import Api, named

_log = logging.getLogger(__name__)

DOWNLOAD_SECONDS = 45.0


async def upload(api: Api, name: str, content: bytes, **place: Any) -> None:
    """Share a file in a channel or thread. Raises Refused, or PlatformError; then it may be shared all the same."""
    try:
        await api.client.files_upload_v2(filename=name, title=name, content=content, **place)
    except SlackApiError as error:
        raise named("a file's upload", error) from error
    except (SlackClientError, aiohttp.ClientError, OSError, TimeoutError) as error:
        raise PlatformError(f"a file could not be uploaded: {type(error).__name__}") from error


async def sent_file(api: Api, file: dict[str, Any], limit: int) -> SentFile:
    """A file of a message. Bytes come only for the bot's token; without it Slack sends a page to log in."""
    known = await _known(api, file)
    name, media_type = str(known.get("name") or ""), str(known.get("mimetype") or "")

    async def download() -> bytes | None:
        try:
            async with asyncio.timeout(DOWNLOAD_SECONDS):
                return await _bytes(api, _address(known), limit, html=media_type == "text/html")
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            _log.warning("a file could not be read: %r", error)
            return None

    return SentFile(name, media_type, int(known.get("size") or 0), download)


async def _known(api: Api, file: dict[str, Any]) -> dict[str, Any]:
    """What there is to know of a file: of some, such as another workspace's, an event has only the id."""
    if file.get("file_access") != "check_file_info":
        return file
    try:
        return dict((await api.call("files.info", file=file["id"]))["file"])
    except PlatformError as error:
        _log.warning("a file cannot be looked at: %s", error)
        return {}


def _address(file: dict[str, Any]) -> str:
    """Empty for what is not at Slack's, where our token is nobody's business."""
    if file.get("is_external") or file.get("mode") == "external":
        return ""
    return str(file.get("url_private_download") or file.get("url_private") or "")


def _is_slacks(url: URL, api: URL) -> bool:
    """Whether our token may go there."""
    if not url.absolute:
        return False
    return url.origin() == api.origin() or (url.scheme == "https" and str(url.host).endswith(".slack.com"))


async def _bytes(api: Api, url: str, limit: int, *, html: bool) -> bytes | None:
    if not _is_slacks(URL(url), URL(api.client.base_url)):
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
