"""Fetching a large file over HTTP so that an interruption costs nothing (ranges: RFC 9110, section 14)."""

import asyncio
import os
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from bot.models.downloads import Meter, SourceFailed, size_of
from storage.in_thread import in_thread

CONNECT_SECONDS = 5.0
READ_SECONDS = 30.0
ATTEMPTS = 20
"""Connections for one file, all in all."""
IDLE_ATTEMPTS = 3
"""Connections in a row that bring nothing."""
RETRY_SECONDS = 1.0
WRITE_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    connect: float = CONNECT_SECONDS
    read: float = READ_SECONDS
    retry: float = RETRY_SECONDS


async def download(http: ClientSession, url: str, part: Path, meter: Meter, patience: Patience) -> None:
    """Complete `part` to `meter.total` bytes from `url`, going on where it ends. Raises SourceFailed."""
    idle = 0
    for _ in range(ATTEMPTS):
        before = size_of(part)
        try:
            await _fetch_rest(http, url, part, meter, patience)
        except (ClientError, TimeoutError, ConnectionError) as error:
            failure = f"{url}: {str(error) or repr(error)}"
        else:
            return
        idle = 0 if size_of(part) > before else idle + 1
        if idle == IDLE_ATTEMPTS or not size_of(part):
            break
        await asyncio.sleep(patience.retry)
    raise SourceFailed(failure)


async def _fetch_rest(http: ClientSession, url: str, part: Path, meter: Meter, patience: Patience) -> None:
    offset = size_of(part)
    if offset == meter.total:
        return
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={offset}-"} if offset else {})}
    timeout = ClientTimeout(
        total=None, connect=patience.connect, sock_connect=patience.connect, sock_read=patience.read
    )
    async with http.get(url, headers=headers, timeout=timeout) as response:
        start = _start(response, offset, meter.total)
        with part.open("r+b" if start else "wb", buffering=0) as file:
            file.seek(start)
            await _write(response, file.fileno(), start, meter)
    if size_of(part) != meter.total:
        raise ClientError(f"the connection ended at byte {size_of(part)} of {meter.total}")


def _start(response: ClientResponse, offset: int, total: int) -> int:
    """Where the body belongs: at our offset, or at 0 when the server ignores ranges. Raises SourceFailed."""
    if response.status == 206:
        given = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        if given is None or int(given[1]) != offset or given[2] not in ("*", str(total)):
            raise SourceFailed(f"{response.url} sends {response.headers.get('Content-Range')} of {total} bytes")
        return offset
    if response.status != 200:
        raise SourceFailed(f"{response.url}: HTTP {response.status}")
    if response.content_length not in (None, total):
        raise SourceFailed(f"{response.url} has {response.content_length} bytes instead of {total}")
    return 0


async def _write(response: ClientResponse, file: int, position: int, meter: Meter) -> None:
    """Write in large pieces in a thread: the disk may be slower than the network. What came is kept, cut or not."""
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in response.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if position + size > meter.total:
                raise SourceFailed(f"{response.url} sends more than {meter.total} bytes")
            meter.at(position + size)
            if size >= WRITE_BYTES:
                data, pieces = b"".join(pieces), []
                position, size = position + size, 0
                await in_thread(_write_all, file, data)
    finally:
        _write_all(file, b"".join(pieces))


def _write_all(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:  # bounded by the data; write() takes at most 2 GiB at once
        view = view[os.write(file, view) :]
