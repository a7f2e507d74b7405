"""Attachments' addresses: signed, and good for a day. Source: .../docs/reference#signed-attachment-cdn-urls"""

import hashlib
import hmac
import secrets
from urllib.parse import quote

from aiohttp import web

from tests.fakes.discord.state import Attachment, Channel
from tests.fakes.discord.world import World


class Cdn:
    """`base` is set as soon as the server listens."""

    def __init__(self, world: World) -> None:
        self.base = ""
        self.downloads: list[str] = []
        """File names, in the order they were fetched."""
        self._world = world
        self._secret = secrets.token_bytes(16)
        self._files: dict[str, Attachment] = {}

    def url(self, channel: Channel, attachment: Attachment) -> str:
        path = f"/attachments/{channel.id}/{attachment.id}/{attachment.filename}"
        self._files[path] = attachment
        expires = f"{int(self._world.clock.now() + self._world.limits.attachment):x}"
        return f"{self.base}{quote(path)}?ex={expires}&is=0&hm={self._signature(path, expires)}&"

    def expire(self) -> None:
        """Every address that was handed out is dead from now on; the same attachments get new ones."""
        self._secret = secrets.token_bytes(16)

    async def serve(self, request: web.Request) -> web.Response:
        expires = request.query.get("ex", "0")
        signed = hmac.compare_digest(request.query.get("hm", ""), self._signature(request.path, expires))
        attachment = self._files.get(request.path)
        if attachment is None or not signed or int(expires, 16) < self._world.clock.now():
            return web.Response(status=404, text="This content is no longer available.")
        self.downloads.append(attachment.filename)
        return web.Response(body=attachment.data, content_type="application/octet-stream")

    def _signature(self, path: str, expires: str) -> str:
        return hmac.new(self._secret, f"{path}?{expires}".encode(), hashlib.sha256).hexdigest()
