"""A person's prompt in the terminal: what they type, with their earlier messages to go back to."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

PROMPT = "> "


class Prompt:
    """Open while a line is waited for."""

    def __init__(self) -> None:
        self._asking: asyncio.Task[str] | None = None
        self._left = False
        self._session: PromptSession[str] | None = None

    @property
    def is_open(self) -> bool:
        return self._asking is not None

    def begin(self, history: Iterable[str]) -> None:
        """Make it ready, with the messages to go back to, the oldest first."""
        from prompt_toolkit import PromptSession  # noqa: PLC0415 - heavy, and of no use to a pipe
        from prompt_toolkit.history import InMemoryHistory  # noqa: PLC0415 - see above

        remembered = InMemoryHistory()
        for message in history:
            remembered.append_string(message)
        # KeyboardInterrupt would end the event loop around the task that it is raised in.
        self._session = PromptSession(history=remembered, interrupt_exception=EOFError)

    async def line(self) -> str | None:
        """What was entered; None for Ctrl-C, Ctrl-D, or after `leave`."""
        assert self._session is not None, "begin() comes before line()"
        self._asking = asyncio.create_task(self._session.prompt_async(PROMPT, handle_sigint=False))
        try:
            return await self._asking
        except EOFError:
            return None
        except asyncio.CancelledError:
            if self._left:
                return None
            raise
        finally:
            self._asking = None

    def leave(self) -> None:
        """Let nobody enter anything any more, if it is open."""
        if self._asking is not None:
            self._left = True
            self._asking.cancel()

    async def above(self, show: Callable[[], None]) -> None:
        """Print something; above the prompt while it is open, with what was typed so far kept."""
        if self._asking is None or self._session is None:
            show()
            return
        from prompt_toolkit.application import run_in_terminal  # noqa: PLC0415 - see above
        from prompt_toolkit.application.current import set_app  # noqa: PLC0415 - see above

        with set_app(self._session.app):
            await run_in_terminal(show)
