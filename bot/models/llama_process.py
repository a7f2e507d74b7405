"""The parent's side of the process that holds the embedded model; `llama_worker` shows what is said on the wire."""

import asyncio
import logging
import shutil
import signal
import sys
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from bot.errors import ModelBroken, ModelNotReady, ModelSilent
from bot.models.lines import LineSplitter, LineTooLong
from bot.models.payload import encode

WORKER = (sys.executable, "-P", str(Path(__file__).with_name("llama_worker.py")))
READ_BYTES = 65_536
IDLE_SECONDS = 120.0
"""Without a token or a batch of the prompt; a working llama.cpp needs a few seconds for either."""
END_SECONDS = 1.0
"""For the process to end by itself."""
SAID_LINES = 5

_log = logging.getLogger(__name__)
_said = logging.getLogger(f"content.{__name__}")


class _First(msgspec.Struct):
    """The first line of a worker."""

    ready: float | None = None
    failed: str | None = None


class _Generation:
    """What has come of one generation and was not taken yet."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.done = False
        self.news = asyncio.Event()


class LlamaProcess:
    """One worker process. `start` once, `generate` one at a time, `close` always."""

    def __init__(self, command: Sequence[str] = WORKER) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._said: deque[str] = deque(maxlen=SAID_LINES)
        self._current: deque[_Generation] = deque()
        self._count = 0
        self._ended = asyncio.Event()

    @property
    def alive(self) -> bool:
        return self._process is not None and not self._ended.is_set()

    async def start(self, path: Path, *, num_ctx: int, threads: int) -> float:
        """Load the weights and return the seconds it took. Raises ModelNotReady."""
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="llama-")
        try:
            load = {"path": str(path), "num_ctx": num_ctx, "threads": threads, "socket": f"{folder}/s.sock"}
            return await self._load({"load": load})
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def generate(self, body: Mapping[str, Any]) -> AsyncGenerator[list[bytes], None]:
        """Yield llama.cpp's events, all that have come since the last time. Closing it stops the generation.

        Raises ModelBroken when the process ends, ModelSilent when nothing comes from it any more.
        """
        self._count += 1
        number, generation = self._count, _Generation()
        self._current.append(generation)
        await self._send({"generate": number, "body": body})
        try:
            while lines := await self._news(generation):
                yield lines
        finally:
            if not generation.done and self.alive:
                with suppress(ModelBroken):
                    await self._send({"stop": number})

    async def close(self) -> None:
        """End the process, whatever it is doing, and with it all its memory."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        await _reap(self._process)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _load(self, load: Mapping[str, Any]) -> float:
        pipe = asyncio.subprocess.PIPE
        self._process = process = await asyncio.create_subprocess_exec(
            *self._command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self._tasks.append(asyncio.create_task(self._listen(process.stderr)))
        await self._send(load)
        line = await process.stdout.readline()
        first = _decode_first(line) if line else _First()
        if first.ready is None:
            await self.close()
            raise ModelNotReady(f"the language model cannot be loaded: {first.failed or self._end()}")
        self._tasks.append(asyncio.create_task(self._read(process.stdout)))
        return first.ready

    async def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(encode(message) + b"\n")
            await self._process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise ModelBroken(f"the language model's process is gone: {self._end()}") from error

    async def _news(self, generation: _Generation) -> list[bytes]:
        """The lines that have come, waiting for some; none at the end."""
        if not generation.lines and not generation.done:
            generation.news.clear()
            try:
                await asyncio.wait_for(generation.news.wait(), IDLE_SECONDS)
            except TimeoutError as error:
                await self.close()
                raise ModelSilent(f"llama.cpp gave no token for {IDLE_SECONDS:g} s") from error
        if self._ended.is_set() and not generation.done:
            raise ModelBroken(f"the language model's process ended: {self._end()}")
        lines, generation.lines = generation.lines, []
        return lines

    async def _read(self, stdout: asyncio.StreamReader) -> None:
        """Give each generation its lines; those of one that was closed go nowhere."""
        splitter = LineSplitter()
        try:
            while data := await stdout.read(READ_BYTES):
                for line in splitter.feed(data):
                    self._give(line)
        except (LineTooLong, IndexError):
            _log.exception("the language model's process does not speak its protocol")
        assert self._process is not None
        await _reap(self._process)
        await asyncio.wait(self._tasks[:1], timeout=END_SECONDS)  # its last words
        self._ended.set()
        for generation in self._current:
            generation.news.set()

    def _give(self, line: bytes) -> None:
        generation = self._current[0]
        if line.startswith(b'{"done"'):
            generation.done = True
            self._current.popleft()
        else:
            generation.lines.append(line)
        generation.news.set()

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        """Keep the last words: they tell why a process ended."""
        while data := await stderr.read(READ_BYTES):
            for line in data.decode("utf-8", "replace").splitlines():
                self._said.append(line.strip())
                _said.debug("llama.cpp: %s", line)

    def _end(self) -> str:
        code = self._process.returncode if self._process else None
        if code is not None and code < 0:
            with suppress(ValueError):
                return f"{signal.Signals(-code).name}; {' '.join(self._said)}".rstrip("; ")
        return " ".join(self._said) or f"exit {code}"


async def _reap(process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a process that should end by itself; it is killed when it does not."""
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), END_SECONDS)
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def _decode_first(line: bytes) -> _First:
    try:
        return msgspec.json.decode(line, type=_First)
    except ValueError:
        return _First(failed=f"its process said {line[:200]!r}")
