"""A real file system of its own, where this user may mount one: to be full or read-only in earnest."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def tiny_disk(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir(parents=True)
    command: list[str | Path] = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this user cannot mount a file system: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    """Nobody can write this file, or in this folder: not even root, for whom it is mounted over itself."""
    if os.geteuid():
        mode = path.stat().st_mode
        path.chmod(mode & ~0o222)
        try:
            yield
        finally:
            path.chmod(mode)
        return
    mounted = subprocess.run(["mount", "--bind", path, path], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip(f"this user cannot mount a file system: {mounted.stderr.decode().strip()}")
    try:
        remount(path, "bind,ro")
        yield
    finally:
        subprocess.run(["umount", path], check=True)
