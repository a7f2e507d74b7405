"""The process that holds the embedded model: llama.cpp, driven by lines of JSON over standard input and output.

It is a process of its own for two reasons, both measured with xllamacpp 2026.10: its constructor keeps Python's
interpreter lock for the whole 5 seconds of loading a 1.5B model, in which an event loop beside it would stand still;
and where llama.cpp gives up (`GGML_ASSERT`) it aborts the process. Run by path, it imports nothing of the program.

    → {"load": {"path": "/…/qwen.gguf", "num_ctx": 10240, "threads": 2, "socket": "/tmp/llama-x/s.sock"}}
    ← {"ready": 5.21}                                         or {"failed": "…"}, and the process ends
    → {"generate": 1, "body": {"messages": […], "stream": true, …}}       OpenAI's chat completions
    ← {"choices": [{"delta": {"content": "Hel"}, …}], …}      llama.cpp's events, one a line, as they come
    → {"stop": 1}                                             the generation ends after the token or batch at hand
    ← {"done": 1}                                             always the last line of a generation
    ← {"error": {"message": "…"}}                             before `done`, when it failed

One generation runs at a time. The end of standard input ends the process, whatever it is doing.
"""

import contextlib
import json
import os
import queue
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

BATCH_TOKENS = 256
"""Prompt tokens between two looks at whether to stop: 2 to 3 s of reading on 2 cores."""
SLOTS = 2
"""Prompt caches: one for decisions, whose long beginning never changes, one for answers."""
SOCKET_CHARACTERS = 100
"""A longer path is refused by the kernel as the address of a socket (108 bytes)."""
QUIET = -1
"""llama.cpp's log level below errors; its errors arrive as events as well."""


def open_server(load: Mapping[str, Any]) -> Any:
    """Load the model, with two prompt caches in one window of `num_ctx` tokens.

    `poll = 0` lets idle threads sleep; without it they burn a core. Its HTTP server cannot be turned off, so it
    listens on a socket that is deleted as soon as it is there, and asks for a key that nobody knows.
    """
    import xllamacpp  # noqa: PLC0415 - where it is missing, that is an answer to the load line

    params = xllamacpp.CommonParams()
    params.model.path = load["path"]
    params.n_ctx = load["num_ctx"]
    params.n_parallel, params.kv_unified, params.cache_idle_slots, params.cache_ram_mib = SLOTS, True, False, 0
    params.n_batch = params.n_ubatch = BATCH_TOKENS
    for threads in (params.cpuparams, params.cpuparams_batch):
        threads.n_threads, threads.poll = load["threads"] or -1, 0
    params.verbosity, params.warmup, params.fit_params = QUIET, True, False
    usable = os.name == "posix" and len(load["socket"]) < SOCKET_CHARACTERS
    params.hostnames = [load["socket"] if usable else "127.0.0.1"]
    params.api_keys, params.n_threads_http = [secrets.token_hex(32)], 1
    params.ui, params.endpoint_slots, params.sse_ping_interval = False, False, 0
    try:
        return xllamacpp.Server(params)
    finally:
        Path(load["socket"]).unlink(missing_ok=True)


class Worker:
    """Reads requests on the main thread, generates on another."""

    def __init__(self, output: BinaryIO) -> None:
        self._output = output
        self._waiting: queue.SimpleQueue[tuple[int, bytes]] = queue.SimpleQueue()
        self._stopped: set[int] = set()

    def load(self, line: bytes) -> Any:
        started = time.perf_counter()
        try:
            server = open_server(json.loads(line)["load"])
        except (RuntimeError, ValueError, ImportError) as error:
            self._send({"failed": str(error)})
            return None
        self._send({"ready": round(time.perf_counter() - started, 2)})
        return server

    def take(self, line: bytes) -> None:
        message = json.loads(line)
        if "stop" in message:
            self._stopped.add(message["stop"])
        else:
            self._waiting.put((message["generate"], json.dumps(message["body"]).encode()))

    def generate_forever(self, server: Any) -> None:
        while True:  # bounded by the process, which ends with its input
            number, body = self._waiting.get()
            try:
                server.handle_chat_completions(body, self._callback(number))
            except (RuntimeError, ValueError) as error:
                self._send({"error": {"message": str(error)}})
            self._stopped.discard(number)
            self._send({"done": number})

    def _callback(self, number: int) -> Callable[[bytes], bool]:
        """What llama.cpp calls with each event; true stops the generation."""

        def callback(event: bytes) -> bool:
            if number in self._stopped:
                return True
            self._output.write(event + b"\n")
            self._output.flush()
            return False

        return callback

    def _send(self, message: Mapping[str, Any]) -> None:
        self._output.write(json.dumps(message).encode() + b"\n")
        self._output.flush()


def private_output() -> BinaryIO:
    """Standard output for our lines alone: whatever a library prints goes to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return output


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    worker = Worker(private_output())
    with contextlib.suppress(BrokenPipeError):
        server = worker.load(sys.stdin.buffer.readline())
        if server is not None:
            threading.Thread(target=worker.generate_forever, args=(server,), daemon=True).start()
            for line in sys.stdin.buffer:
                worker.take(line)
    os._exit(0)  # a generation may still be running, and the kernel frees faster than destructors


if __name__ == "__main__":
    main()
