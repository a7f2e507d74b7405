"""What a process asked of the operating system, in order: the output of `strace -f -y`."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

CALLS = "trace=openat,mkdir,fsync,fdatasync,write,pwrite64,pwritev,sendto"
LONGEST = 8_192
"""Bytes of what is written that are shown; a page of the database has 4,096."""
_BEGUN = re.compile(r'(?P<process>\d+) +(?P<name>\w+)\((?:\d+<(?P<path>[^>]*)>|"(?P<made>[^"]*)")(?P<rest>.*)')
_RESUMED = re.compile(r"(?P<process>\d+) +<\.\.\. \w+ resumed>(?P<rest>.*)")
_DONE = re.compile(r"\) += (?P<result>-?\d+)")


@dataclass(slots=True)
class Call:
    """One call that worked on a file. `begun` and `done` are lines of the trace; another thread's may lie between."""

    name: str
    path: str
    text: str
    begun: int
    done: int

    @property
    def syncs(self) -> bool:
        return self.name in {"fsync", "fdatasync"}

    @property
    def writes(self) -> bool:
        return self.name in {"write", "pwrite64", "pwritev"}


def calls_in(lines: Iterable[str]) -> list[Call]:
    """Those that succeeded, in the order in which they began."""
    found: list[Call] = []
    waiting: dict[str, Call] = {}
    for number, line in enumerate(lines):
        if begun := _BEGUN.match(line):
            call = Call(begun["name"], begun["path"] or begun["made"] or "", begun["rest"], number, number)
            if line.endswith("<unfinished ...>"):
                waiting[begun["process"]] = call
            elif _worked(begun["rest"]):
                found.append(call)
        elif (resumed := _RESUMED.match(line)) and (going := waiting.pop(resumed["process"], None)):
            going.done = number
            if _worked(resumed["rest"]):
                found.append(going)
    return sorted(found, key=lambda call: call.begun)


def _worked(rest: str) -> bool:
    done = _DONE.search(rest, max(0, rest.rfind(") ")))
    return done is not None and int(done["result"]) >= 0


def trace(command: list[str], into: Path, folder: Path) -> list[Call]:
    """Run a program in `folder` under strace, which writes `into`; it has to end well. Skips where it cannot."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    tried = subprocess.run([strace, "-f", "-o", into, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"this user may not trace a process: {tried.stderr.strip()}")
    options = ["-f", "-y", "-s", str(LONGEST), "-e", CALLS, "-o", str(into)]
    subprocess.run([strace, *options, *command], cwd=folder, check=True, timeout=100)
    return calls_in(into.read_text("utf-8", "replace").splitlines())
