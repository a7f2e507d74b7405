"""What it costs to start, and to be there: CPU until the first page is served, memory and CPU when nobody says a word.

    python -m benchmarks.startup [--rounds N] [--idle SECONDS]

`python -m bot run` in a folder of its own, with Ollama as its model (a scripted one, in another process) and the web
page on. CPU is user and system time of the whole process up to the first page, as the kernel tells it when the process
is gone (wait4); memory and idle CPU are read from /proc after that page. Beside them: bare Python, and Python with the
web framework alone, which is what any program on it pays.
"""

import argparse
import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.support.verdict import verdict

ROOT = Path(__file__).resolve().parent.parent
HEAVY = (
    "discord", "httpx", "httpx2", "jsonschema", "markdown_it", "mcp", "nh3", "ollama", "openai", "prompt_toolkit",
    "psycopg", "rich", "selenium", "slack_bolt", "slack_sdk", "xllamacpp",
)  # fmt: skip
"""Packages that nothing needs before the first message."""
CONFIG = """
[storage]
url = "sqlite:///bench.db"
[model]
provider = "ollama"
name = "qwen3:8b"
[ollama]
host = "{host}"
[web]
port = {port}
"""
REFUSED = 50
"""Microseconds within which no package is imported, only an import refused."""
SECONDS = 30.0
"""How long the page may take before this gives up."""
TICKS = os.sysconf("SC_CLK_TCK")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def ollama() -> Iterator[str]:
    """Where the scripted server listens while the block runs."""
    command = [sys.executable, "-m", "tests.fakes.ollama"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Bot:
    """The program, started in `folder`."""

    def __init__(self, folder: Path, host: str, *options: str, log: int = subprocess.DEVNULL) -> None:
        self._port = free_port()
        (folder / "config.toml").write_text(CONFIG.format(host=host, port=self._port), "utf-8")
        command = [sys.executable, *options, "-m", "bot", "run"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)  # noqa: S603

    def page(self) -> None:
        """Ask for the page until it is there. Raises SystemExit."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SECONDS)
            try:
                connection.request("GET", "/")
                if connection.getresponse().status == http.HTTPStatus.OK:
                    return
            except OSError:
                time.sleep(0.005)
            finally:
                connection.close()
        raise SystemExit("the page is not served")

    def memory(self) -> float:
        """Resident megabytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) / 1024

    def cpu(self) -> float:
        """Seconds until now; the kernel counts in hundredths."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def end(self) -> float:
        """Kill it; the seconds of CPU it took."""
        self.process.kill()
        return reaped(self.process)


def reaped(process: "subprocess.Popen[bytes]") -> float:
    """Seconds of CPU, user and system, that a process took until its end."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def cpu_of(*arguments: str, folder: Path) -> float:
    command, environment = [sys.executable, *arguments], os.environ | {"PYTHONPATH": str(ROOT)}
    return reaped(subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL))  # noqa: S603


def start(folder: Path, host: str) -> float:
    bot = Bot(folder, host)
    try:
        bot.page()
    finally:
        spent = bot.end()
    return spent


def imported(folder: Path, host: str) -> set[str]:
    """The packages that were imported until the first page was served; an import that was refused takes no time."""
    with (folder / "imports").open("wb") as log:
        bot = Bot(folder, host, "-X", "importtime", log=log.fileno())
        try:
            bot.page()
        finally:
            bot.end()
    lines = (folder / "imports").read_text("utf-8").splitlines()
    rows = [line.split("|") for line in lines if line.startswith("import time:") and "cumulative" not in line]
    return {name.strip().partition(".")[0] for _, microseconds, name in rows if int(microseconds) >= REFUSED}


def idle(folder: Path, host: str, seconds: float) -> tuple[float, float]:
    """Megabytes after the first page, and the part of one core, in percent, that waiting takes."""
    bot = Bot(folder, host)
    try:
        bot.page()
        time.sleep(1.0)  # whatever is still going on after the page
        memory, before = bot.memory(), bot.cpu()
        time.sleep(seconds)
        return memory, 100 * (bot.cpu() - before) / seconds
    finally:
        bot.end()


def commands(folder: Path, rounds: int) -> None:
    """What else is started often, beside what cannot be avoided."""
    shown: list[tuple[str, Sequence[str]]] = [
        ("python", ["-c", ""]),
        ("python, aiohttp.web imported", ["-c", "import aiohttp.web"]),
        ("secret-agents --help", ["-m", "bot", "--help"]),
        ("secret-agents list", ["-m", "bot", "list"]),
    ]
    for name, arguments in shown:
        spent = statistics.median(cpu_of(*arguments, folder=folder) for _ in range(rounds))
        print(f"{name:48} {spent:10.2f}  s of CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=float, default=10.0, metavar="SECONDS")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ollama() as host:
        folder = Path(name)
        start(folder, host)  # makes the database and the compiled files
        commands(folder, given.rounds)
        spent = [start(folder, host) for _ in range(given.rounds)]
        print(verdict("start to first page, s of CPU", statistics.median(spent), 1.0, f"worst {max(spent):.2f}"))
        memory, cpu = idle(folder, host, given.idle)
        print(verdict("memory when idle, MB", memory, 60))
        print(verdict(f"CPU over {given.idle:g} s of idling, %", cpu, 0.5))
        found = sorted(imported(folder, host) & set(HEAVY))
        print(verdict("heavy packages imported before a message", len(found), 0, ", ".join(found)))


if __name__ == "__main__":
    main()
