"""`secret-agents run`, killed in the middle of an answer and started again, shows the whole answer once."""

import asyncio
import signal
from asyncio.subprocess import Process
from pathlib import Path
from typing import Any

import aiohttp

from tests.command import SECONDS, Command, answered_by
from tests.fakes.ollama import FakeOllama
from tests.fakes.scripted import Script
from tests.page import page_of
from tests.waiting import until_found

WORDS = [f"word{number} " for number in range(40)]
QUESTION = {"type": "message", "text": "Encrypt HELLO", "message_id": "m1"}
CALL = {"name": "encrypt", "arguments": {"plaintext": "HELLO", "shift": 1}}


async def frame(socket: aiohttp.ClientWebSocketResponse, kind: str, **wanted: Any) -> dict[str, Any]:
    """The next frame of this type and these fields."""
    async with asyncio.timeout(SECONDS):
        while True:
            found: dict[str, Any] = await socket.receive_json()
            if found["type"] == kind and wanted.items() <= found.items():
                return found


async def history(http: aiohttp.ClientSession, url: str, conversation: str) -> list[dict[str, Any]]:
    async with http.ws_connect(f"{url}/ws", origin=url) as socket:
        await socket.send_json({"type": "get_conversations", "conversation_id": conversation})
        while not (answer := await frame(socket, "conversations")).get("messages"):
            pass
        messages: list[dict[str, Any]] = answer["messages"]
        return messages


async def ask_and_kill(process: Process, http: aiohttp.ClientSession, url: str) -> str:
    """Ask, wait until some of the answer is there, and kill. Returns the conversation's id."""
    async with http.ws_connect(f"{url}/ws", origin=url) as socket:
        await socket.send_json(QUESTION)
        received = await frame(socket, "status", state="received")
        while "word3" not in (await frame(socket, "response_chunk"))["text"]:
            pass
        process.send_signal(signal.SIGKILL)
        await process.wait()
    conversation: str = received["conversation_id"]
    return conversation


async def test_an_answer_interrupted_by_kill_9_is_whole_and_there_once_after_a_restart(tmp_path: Path) -> None:
    """It is killed while the answer streams, after a gadget ran: the gadget's step is not asked for again."""
    slow, quick = Script(text=WORDS, delay=0.05), Script(text=WORDS)
    async with FakeOllama() as ollama, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        command = Command(tmp_path, answered_by(ollama.host) | {"SECRET_AGENTS_WEB__PORT": "0"})
        ollama.queue(Script(tool_calls=(CALL,)), slow, quick)
        async with command.running("run") as first:
            url = await page_of(first)
            await http.get(url)
            conversation = await ask_and_kill(first, http, url)
        command.variables["SECRET_AGENTS_WEB__PORT"] = url.rsplit(":", 1)[1]
        async with command.running("run") as second:
            assert await page_of(second) == url
            async with http.ws_connect(f"{url}/ws", origin=url) as socket:
                await socket.send_json(QUESTION)
                assert (await frame(socket, "status", state="received"))["duplicate"]
            messages = await until_found(
                lambda: history(http, url, conversation), lambda found: found[0]["status"] != "running"
            )
            second.send_signal(signal.SIGTERM)
            assert await second.wait() == 0
        ollama.errors.clear()
    assert len(messages) == 1
    assert messages[0]["answer"] == "".join(WORDS).strip()
    assert len(ollama.requests) == 3, "decide, answer; answer again: the recorded decision is not asked for again"
