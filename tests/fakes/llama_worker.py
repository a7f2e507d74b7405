"""A process that speaks the embedded model's wire as the real worker does, without a model.

Run as `python llama_worker.py RECORD [LOADING]`: every line it is given is appended to the file RECORD. LOADING is
`fails`, `dies`, `babbles` or `waits` (until the file RECORD.go is there). What a request's last message says is what
is done: `say WORDS`, `wait` (until it is stopped), `die`, `too long`, `break off`, `read` (a long prompt, with
progress). Anything that is not the protocol ends the process with a complaint.
"""

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RECORD = Path(sys.argv[1])
LOADING = sys.argv[2] if len(sys.argv) > 2 else ""
BODY = {
    "model", "messages", "stream", "stream_options", "max_tokens", "temperature", "tools", "response_format",
    "id_slot", "cache_prompt", "return_progress",
}  # fmt: skip
TOO_LONG = {"code": 400, "type": "exceed_context_size_error", "message": "request (9 tokens) exceeds the available"}


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def event(delta: dict[str, Any], reason: str | None = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}], **more}


def take(line: str) -> dict[str, Any]:
    with RECORD.open("a") as file:
        file.write(line)
    message: dict[str, Any] = json.loads(line)
    assert set(message) in ({"generate", "body"}, {"stop"}), f"unknown message {sorted(message)}"
    assert set(message.get("body", ())) <= BODY, f"unknown keys in {sorted(message['body'])}"
    return message


def answer(said: str) -> Iterator[dict[str, Any]]:
    """The events that come of a message which is not about stopping."""
    yield event({"role": "assistant", "content": None})
    if said == "too long":
        yield {"error": TOO_LONG}
    elif said == "read":
        for processed in (0, 500, 1000):
            yield event({}, prompt_progress={"total": 1000, "cache": 0, "processed": processed, "time_ms": 1})
    for word in said.split()[1:]:
        yield event({"content": word + " "})
    if said not in ("too long", "break off"):
        yield event({}, "stop")
        yield {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": len(said.split()) - 1}}


def generate(waiting: "queue.Queue[dict[str, Any]]", stopped: "queue.Queue[int]") -> None:
    while True:
        message = waiting.get()
        said = message["body"]["messages"][-1]["content"]
        if said == "die":
            sys.stderr.write("GGML_ASSERT(false) failed\n")
            sys.stderr.flush()
            os.abort()
        if said == "wait":
            send(event({"content": "Well"}))
            assert stopped.get() == message["generate"]
        else:
            for each in answer(said):
                send(each)
        send({"done": message["generate"]})


def load() -> None:
    asked = json.loads(sys.stdin.readline())["load"]
    assert set(asked) == {"path", "num_ctx", "threads", "socket"}
    while LOADING == "waits" and not RECORD.with_suffix(".go").exists():
        time.sleep(0.005)
    if LOADING == "dies":
        sys.exit("out of memory")
    if LOADING == "babbles":
        sys.stdout.write("Hello!\n")
    elif LOADING == "fails":
        send({"failed": "not a GGUF file"})
    else:
        send({"ready": 0.01})
    sys.stdout.flush()


def main() -> None:
    load()
    waiting: queue.Queue[dict[str, Any]] = queue.Queue()
    stopped: queue.Queue[int] = queue.Queue()
    threading.Thread(target=generate, args=(waiting, stopped), daemon=True).start()
    for line in sys.stdin:
        message = take(line)
        if "stop" in message:
            stopped.put(message["stop"])
        else:
            waiting.put(message)
    os._exit(0)


if __name__ == "__main__":
    main()
