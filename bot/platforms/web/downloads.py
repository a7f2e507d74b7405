"""Files that the answers to commands come with: each waits for the browser that asked, to be fetched once.

A file is found by a token that nobody can guess, and only by whoever shows that browser's cookie. It goes when it was
fetched, after a while, when too many wait, and when the server ends; then the asker uses the command again.
"""

import asyncio
import logging
import re
import secrets
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import quote

from aiohttp import web

from bot.answer_files import AnswerFile
from bot.platforms.web.frames import FileLink
from bot.platforms.web.sessions import Sessions

FILES = "/files/"
"""The path of a file, its token behind it."""
KEPT_SECONDS = 600.0
"""How long a file waits; its page names the minutes."""
SENDING_SECONDS = 600.0
"""How long a browser may take to receive it."""
PER_BROWSER = 4
IN_ALL = 64
"""Files that wait at once. Beyond either number the one goes that has waited longest."""
CHUNK = 256 * 1024
"""Bytes of a file that are in memory."""
_TOKEN_BYTES = 32
_UNQUOTED = re.compile(r"[^A-Za-z0-9._ -]")
_TYPES = {
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".gz": "application/gzip",
}
_UNKNOWN_TYPE = "application/octet-stream"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Waiting:
    browser: str
    file: AnswerFile
    size: int
    expiry: asyncio.TimerHandle


class Downloads:
    """`kept` and `sending` are seconds: see KEPT_SECONDS and SENDING_SECONDS."""

    def __init__(self, sessions: Sessions, *, kept: float = KEPT_SECONDS, sending: float = SENDING_SECONDS) -> None:
        self._sessions = sessions
        self._kept = kept
        self._sending = sending
        self._waiting: dict[str, _Waiting] = {}  # by token, the oldest first

    def keep(self, browser: str, file: AnswerFile) -> FileLink:
        """Take a file over. Raises OSError when it is gone already."""
        token, size = secrets.token_urlsafe(_TOKEN_BYTES), file.path.stat().st_size
        expiry = asyncio.get_running_loop().call_later(self._kept, self._drop, token)
        self._waiting[token] = _Waiting(browser, file, size, expiry)
        self._make_room(browser)
        return FileLink(name=file.name, url=f"{FILES}{token}", size=size)

    def forget(self, browser: str) -> None:
        """Remove what waits for a browser."""
        for token in self._tokens(browser):
            self._drop(token)

    def close(self) -> None:
        for token in tuple(self._waiting):
            self._drop(token)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """404, always the same, for whatever is not (or no more) a file for this browser."""
        claimed = self._claim(request)
        response = _response(claimed)
        async with claimed.file as file:
            try:
                await self._send(request, response, file)
            except TimeoutError:
                _log.warning("a browser took too long to receive a file, so it is cut off")
                if request.transport is not None:
                    request.transport.abort()
        return response

    async def _send(self, request: web.Request, response: web.StreamResponse, file: AnswerFile) -> None:
        with await asyncio.to_thread(file.path.open, "rb") as content:
            async with asyncio.timeout(self._sending):
                await response.prepare(request)
                while chunk := await asyncio.to_thread(content.read, CHUNK):
                    await response.write(chunk)

    def _claim(self, request: web.Request) -> _Waiting:
        """What a request may have. It waits no more: without an await in between, nobody else gets it, too."""
        session, token = self._sessions.read(request.cookies), request.match_info["token"]
        waiting = self._waiting.get(token)
        if waiting is None or not session.trusted or session.browser != waiting.browser:
            raise web.HTTPNotFound
        del self._waiting[token]
        waiting.expiry.cancel()
        return waiting

    def _make_room(self, browser: str) -> None:
        too_many = {*self._tokens(browser)[:-PER_BROWSER], *list(self._waiting)[:-IN_ALL]}
        for token in too_many:
            self._drop(token)

    def _tokens(self, browser: str) -> list[str]:
        return [token for token, waiting in self._waiting.items() if waiting.browser == browser]

    def _drop(self, token: str) -> None:
        waiting = self._waiting.pop(token)
        waiting.expiry.cancel()
        waiting.file.close()


def _response(claimed: _Waiting) -> web.StreamResponse:
    """A page that somebody makes the browser show all the same runs nothing and is not of this site."""
    name = claimed.file.name
    headers = {
        "Content-Type": _TYPES.get(PurePath(name).suffix, _UNKNOWN_TYPE),
        "Content-Disposition": disposition(name),
        "Content-Security-Policy": "sandbox",
        "Content-Length": str(claimed.size),
    }
    return web.StreamResponse(headers=headers)


def disposition(name: str) -> str:
    """`Content-Disposition` of a file to keep (RFC 6266): what is not plain in its name is told as RFC 8187 has it."""
    plain = _UNQUOTED.sub("_", name)
    exact = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    return f'attachment; filename="{plain}"{exact}'
