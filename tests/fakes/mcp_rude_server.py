"""A gadget server written by hand, for what the SDK's server side never does. On pipes, the handshake of 2025.

    python -m tests.fakes.mcp_rude_server HABIT

Habits: `greets` on standard output before it speaks the protocol; `stays` when its input ends and when it is asked to
end, as does a child of its own; `endless` says one line for ever when it is called; `silent` answers nothing;
`complains` and ends; `mute` lists tools that are none; `changes` says that its tools change, as fast as it can;
`repeats` the same name; `asks` us for what is none of its business.

The numbers of its process and of its child are written to the file that PID_FILE names.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

HABIT = sys.argv[1]
WORD: dict[str, Any] = {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}


def tools() -> list[dict[str, Any]]:
    if HABIT == "mute":
        return [{"name": "say"}]
    names = ["say", "a.b", "a/b", "a_b", "天气", "x" * 100, "x" * 99 + "y"] if HABIT == "repeats" else ["say"]
    return [{"name": name, "description": f"Say {name}.", "inputSchema": WORD} for name in names]


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
    sys.stdout.flush()


def called(message: dict[str, Any]) -> dict[str, Any]:
    while HABIT == "endless":
        sys.stdout.write("x" * 1_000_000)
    if HABIT == "asks":
        send({"id": "q", "method": "sampling/createMessage", "params": {"messages": [], "maxTokens": 1}})
        answer = json.loads(sys.stdin.readline())
        return {"content": [{"type": "text", "text": json.dumps(answer)}]}
    return {"content": [{"type": "text", "text": f"{message['params']['name']}: {message['params']['arguments']}"}]}


def result_of(message: dict[str, Any]) -> dict[str, Any] | None:
    match message["method"]:
        case "initialize":
            capabilities = {"tools": {"listChanged": True}}
            info = {"name": "rude", "version": "1"}
            return {"protocolVersion": "2025-06-18", "capabilities": capabilities, "serverInfo": info}
        case "tools/list":
            return {"tools": tools()}
        case "tools/call":
            return called(message)
        case _:
            return None


def answer(message: dict[str, Any]) -> None:
    if "id" not in message or "method" not in message:
        return
    found = result_of(message)
    if found is None:
        send({"id": message["id"], "error": {"code": -32601, "message": "Method not found"}})
    else:
        send({"id": message["id"], "result": found})
    for _ in range(1_000 if HABIT == "changes" and message["method"] == "tools/list" else 0):
        send({"method": "notifications/tools/list_changed"})


def main() -> None:
    pids = [os.getpid()]
    if HABIT == "complains":
        sys.exit(f"no licence for {os.environ.get('FILES_KEY', 'anybody')}")
    if HABIT == "stays":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        pids.append(subprocess.Popen(["sleep", "1000"]).pid)
    if "PID_FILE" in os.environ:
        file = Path(os.environ["PID_FILE"])
        file.with_suffix(".new").write_text(json.dumps(pids), "utf-8")
        file.with_suffix(".new").rename(file)
    if HABIT == "greets":
        sys.stdout.write("Welcome to the rude server!\n{}\n[1, 2]\n")
    for line in sys.stdin:
        if HABIT != "silent":
            answer(json.loads(line))
    while HABIT == "stays":
        time.sleep(1)


if __name__ == "__main__":
    main()
