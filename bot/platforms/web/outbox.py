"""What is still to be sent to one page: bounded, and where only the latest counts, only the latest is kept."""

import asyncio
from collections.abc import Callable, Hashable

MAX_FRAMES = 256
MAX_BYTES = 16 * 1024 * 1024
"""Of waiting frames; a page that lets more pile up is cut off, comes back, and asks for what it missed."""


class Outbox:
    """Frames in order. A frame put into a `slot` takes the place of the one that still waits there."""

    def __init__(self, overflowed: Callable[[], None]) -> None:
        self._overflowed = overflowed
        self._frames: dict[Hashable, bytes] = {}
        self._size = 0
        self._filled = asyncio.Event()
        self._cut_off = False

    def put(self, frame: bytes, slot: Hashable = None) -> None:
        """Returns at once; calls `overflowed`, once, when too much waits."""
        if self._cut_off:
            return
        slot = object() if slot is None else slot
        self._size += len(frame) - len(self._frames.get(slot, b""))
        self._frames[slot] = frame
        self._filled.set()
        if len(self._frames) > MAX_FRAMES or self._size > MAX_BYTES:
            self._cut()

    async def take(self) -> bytes:
        """The next frame, as soon as there is one."""
        await self._filled.wait()
        frame = self._frames.pop(next(iter(self._frames)))
        self._size -= len(frame)
        if not self._frames:
            self._filled.clear()
        return frame

    def _cut(self) -> None:
        self._cut_off = True
        self._frames.clear()
        self._size = 0
        self._filled.clear()
        self._overflowed()
