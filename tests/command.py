"""The command as people start it: a process of its own, on pipes or on a pseudo-terminal."""

import asyncio
import fcntl
import os
import re
import signal
import sys
import termios
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.settings.sources import PLAIN_NAMES, PREFIX

ROOT = Path(__file__).parents[1]
SECONDS = 60.0
"""How long anything may take before a test gives up on it."""
WARNINGS = "error,ignore:'audioop' is deprecated:DeprecationWarning"
"""Every warning is an error, but for what discord.py imports."""


@dataclass(frozen=True, slots=True)
class Done:
    status: int
    out: str
    err: str


class Command:
    """`secret-agents` in a folder of its own, answered by a fake Ollama."""

    def __init__(self, folder: Path, variables: Mapping[str, str]) -> None:
        self.folder = folder
        ours = {name for name in os.environ if name in PLAIN_NAMES or name.startswith(PREFIX)}
        inherited = {name: value for name, value in os.environ.items() if name not in ours}
        self.variables = inherited | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": WARNINGS} | dict(variables)

    async def start(self, *arguments: str, stdin: int = PIPE, stdout: int = PIPE) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *arguments,
            stdin=stdin, stdout=stdout, stderr=PIPE, cwd=self.folder, env=self.variables,
        )  # fmt: skip

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[Process]:
        """Started, and killed in the end if it still runs."""
        process = await self.start(*arguments)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()

    async def __call__(self, *arguments: str, said: str = "") -> Done:
        process = await self.start(*arguments)
        async with asyncio.timeout(SECONDS):
            out, err = await process.communicate(said.encode())
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    async def terminal(self, *arguments: str) -> "Terminal":
        """Start it with a pseudo-terminal as its controlling terminal."""
        ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (24, 100))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *arguments,
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=self.folder, start_new_session=True,
            env=self.variables | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
            preexec_fn=lambda: fcntl.ioctl(theirs, termios.TIOCSCTTY, 0) and None,
        )  # fmt: skip
        os.close(theirs)
        return Terminal(process, ours)


class Terminal:
    """The person's end of a pseudo-terminal. `text` is all that was shown since it was last cleared."""

    def __init__(self, process: Process, descriptor: int) -> None:
        self.process = process
        self.text = ""
        self._descriptor = descriptor
        self._grown = asyncio.Event()
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def _read(self) -> None:
        try:
            self.text += os.read(self._descriptor, 65_536).decode(errors="replace")
        except OSError:  # the other end is closed
            self._forget()
        self._grown.set()

    def _forget(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)

    def type(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    async def shows(self, pattern: str) -> str:
        """Wait until the pattern is on the screen; forget all up to its end and return that."""
        try:
            async with asyncio.timeout(SECONDS):
                while (found := re.search(pattern, self.text, re.DOTALL)) is None:
                    self._grown.clear()
                    assert self.process.returncode is None, self.text
                    await self._grown.wait()
        except TimeoutError:
            raise AssertionError(f"{pattern!r} is not in {self.text!r}") from None
        before, self.text = self.text[: found.end()], self.text[found.end() :]
        return before

    async def ends(self) -> int:
        async with asyncio.timeout(SECONDS):
            return await self.process.wait()

    async def close(self) -> None:
        self._forget()
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.wait()
        os.close(self._descriptor)


def answered_by(host: str) -> dict[str, str]:
    """The environment in which an Ollama at `host` answers by function calling, and the page takes any free port."""
    return {
        "OLLAMA_HOST": host,
        "SECRET_AGENTS_MODEL__PROVIDER": "ollama",
        "SECRET_AGENTS_MODEL__PROTOCOL": "native",
        "SECRET_AGENTS_WEB__PORT": "0",
    }
