"""Scripts of a model server's faults, by the thousand, drawn from a seed."""

import json
import random
from collections.abc import Iterator

from tests.fakes.scripted import Script

HEALTHY = ("All ", "is ", "well ", "in ", "the ", "field.")
STREAM_BYTES = 900
"""About the length of HEALTHY's stream: cuts are made at every byte of it."""
CALL = {"name": "shout", "arguments": {"text": "again"}}
TRUNCATED = json.dumps({"model": "m", "message": {"role": "assistant", "content": "Half a li"}, "done": False})[:-9]


def cuts() -> Iterator[Script]:
    """The connection is reset at every byte of a recorded stream."""
    return (Script(text=HEALTHY, cut_at=offset) for offset in range(STREAM_BYTES))


def faulty(draw: random.Random) -> Script:
    """Any one fault."""
    kinds = [
        Script(status=503, error="server busy"),
        Script(status=404, error="model 'x' not found"),
        Script(status=500, error="llama runner process has terminated"),
        Script(drop=True),
        Script(hang=True),
        Script(text=HEALTHY, stall_after=draw.randint(1, 5)),
        Script(text=HEALTHY, end_after=draw.randint(0, 5)),
        Script(text=HEALTHY, error="an error was encountered while running the model"),
        Script(text=HEALTHY, cut_at=draw.randint(0, STREAM_BYTES)),
        Script(text=HEALTHY, drip=1, delay=0.05),
        Script(text=("word ",) * 50, endless=True),
        Script(raw=TRUNCATED),
        Script(raw="<html>502 Bad Gateway</html>"),
        Script(raw='{"message": {"content": 7}, "done": false}\n'),
        Script(tool_calls=(CALL,)),
        Script(tool_calls=({"name": "no_such_gadget", "arguments": {}},)),
        Script(tool_calls=({"name": "shout", "arguments": {"text": "x" * 100_000}},) * 30),
        Script(text=('<tool_call>{"name": "shout", "arguments": {"te',)),
        Script(text=("<think>", "round and round ", "I go ") * 20),
        Script(text=()),
    ]
    return draw.choice(kinds)
