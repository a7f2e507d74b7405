"""One bounded GET of a JSON service, its answer decoded into a typed value. Every way to fail is one sentence.

Neither a message nor the log holds the URL: a query may carry a key.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import msgspec

from gadgets.errors import GadgetFailed

if TYPE_CHECKING:
    import aiohttp

MAX_BODY = 1_000_000
"""Bytes of an answer that are read, after decompression."""

CHUNK = 65_536

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """The other side: the name that users know it by, its URL, and the seconds that one request may take."""

    name: str
    url: str
    seconds: float


async def fetch(http: "aiohttp.ClientSession", service: Service, query: Mapping[str, str], into: type[T]) -> T:
    """GET the service's URL with `query` and decode the JSON answer into the type `into`.

    Raises GadgetFailed, whatever goes wrong.
    """
    body = await _read(http, service, query)
    try:
        return msgspec.json.decode(body, type=into)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        logger.warning("%s sent %d bytes that are not its format: %s", service.name, len(body), exc)
        raise unreadable(service.name) from None


def unreadable(service: str) -> GadgetFailed:
    return GadgetFailed(f"{service} sent an answer that cannot be read.")


async def _read(http: "aiohttp.ClientSession", service: Service, query: Mapping[str, str]) -> bytes:
    import aiohttp  # noqa: PLC0415 - `secret-agents list` knows the gadgets, too, and fetches nothing

    limit = aiohttp.ClientTimeout(total=service.seconds)
    try:
        async with http.get(service.url, params=query, timeout=limit) as response:
            if response.status != 200:
                raise _refused(service.name, response.status)
            return await _body(response, service.name)
    except TimeoutError:
        logger.warning("%s did not answer within %g seconds", service.name, service.seconds)
        raise GadgetFailed(f"{service.name} did not answer in time.") from None
    except (aiohttp.ClientError, OSError, ValueError) as exc:
        logger.warning("%s cannot be reached: %s", service.name, type(exc).__name__)
        raise GadgetFailed(f"{service.name} cannot be reached right now.") from None


async def _body(response: "aiohttp.ClientResponse", service: str) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK):
        body += chunk
        if len(body) > MAX_BODY:
            logger.warning("%s sent more than %d bytes", service, MAX_BODY)
            raise GadgetFailed(f"{service} sent an answer that is far too long.")
    return bytes(body)


def _refused(service: str, status: int) -> GadgetFailed:
    logger.warning("%s answered with HTTP status %d", service, status)
    if status in {401, 403}:
        return GadgetFailed(f"{service} refused access; an operator has to check its key in the settings.")
    if status == 429:
        return GadgetFailed(f"{service} has been asked too often; try again later.")
    if status >= 500:
        return GadgetFailed(f"{service} has a problem of its own right now (HTTP {status}); try again later.")
    return GadgetFailed(f"{service} did not accept the question (HTTP {status}).")
