"""Python code run in another process, which says `ready` and waits until it is let go."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAUSE = "print('ready', flush=True); input()\n"
"""What the code runs where it is to wait."""


@contextmanager
def other_process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Running from its first PAUSE until the block ends; then it goes on, and must end well."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
            process.communicate("\n", timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
