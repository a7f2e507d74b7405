"""A wall clock that a test can move, for a process of its own: Debian's package `faketime`.

The process's monotonic clock goes on as it is: nothing that an administrator or a time server does moves that one.
"""

from pathlib import Path

import pytest

from tests.command import ROOT

LIBRARY = "*/faketime/libfaketimeMT.so.1"
HOUR = 3_600
YEAR = 365 * 24 * HOUR
SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select([], [], [], seconds) and None\n"
"""libfaketime 0.9.10 answers EINVAL to the call that Python sleeps with since 3.11; this one it leaves alone."""


class MovableClock:
    """`variables` are what the process needs in its environment. Skips where the library is not installed."""

    def __init__(self, folder: Path) -> None:
        found = next(Path("/usr/lib").glob(LIBRARY), None)
        if found is None:
            pytest.skip("libfaketime is not installed")
        self._file = folder / "clock"
        self.move(0)
        (folder / "start").mkdir()
        (folder / "start" / "sitecustomize.py").write_text(SLEEP, "ascii")
        self.variables = {
            "LD_PRELOAD": str(found),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": f"{folder / 'start'}:{ROOT}",
        }

    def move(self, seconds: int) -> None:
        """From now on the process's wall clock differs by so much from the true one."""
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}s\n", "ascii")
        fresh.replace(self._file)
