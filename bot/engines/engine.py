"""What decides who drains which conversation, and when."""

from typing import Protocol, Self


class Engine(Protocol):
    """Opened before any platform, closed after them."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc_info: object) -> None: ...

    def wake(self, conversation: int) -> None:
        """This conversation has open turns. Returns at once; waking it twice is harmless."""
        ...

    def stop(self, conversation: int) -> None:
        """The running answer of this conversation was asked to stop (that is recorded already): interrupt it, or end it
        where it is paused.
        """
        ...
