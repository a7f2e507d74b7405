"""Turns with gadgets of servers: who is told of them, what is recorded, what a crash leaves."""

import asyncio
from pathlib import Path

import pytest

from bot.agent.roster import Profile, Roster
from bot.models.model import Capabilities, Request, ToolCall, ToolMessage
from bot.platforms.platform import Author
from gadgets.mcp.servers import GadgetServers
from gadgets.mcp.spec import ServerSpec
from tests.core import running_core
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.fakes.stub_platform import Channel, StubPlatform, message
from tests.gadget_servers import journal, on_pipes
from tests.waiting import until

ADD = ToolCall("c1", "files_add", {"a": 1, "b": 2})
OPERATOR = Author("u1", "Alice", role="operator")


def asked_of(*gadgets: str) -> Roster:
    return Roster({"q": Profile("q", "Uses gadgets", "You are Q.", gadgets)}, "q")


def offered(request: Request) -> list[str]:
    return [tool.name for tool in request.tools]


def result(request: Request) -> str:
    last = request.messages[-1]
    assert isinstance(last, ToolMessage)
    return last.text


async def offers(path: Path, spec: ServerSpec, *gadgets: str, author: Author = OPERATOR) -> list[str]:
    """What the model is offered in a turn."""
    model = ScriptedModel(answer=echo)
    async with (
        GadgetServers([spec]) as servers,
        running_core(path, model, roster=asked_of(*gadgets), visiting=servers) as core,
    ):
        await core.inbox.admit(message("Hi", author=author))
        await core.platform.wait_for(1)
    return offered(model.requests[0])


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (("shout", "files_*"), ["shout", "files_add", "files_pid"]),
        (("shout", "*"), ["shout", "files_add", "files_pid"]),
        (("files_p*",), ["files_pid"]),
        (("files_add", "files_gone"), ["files_add"]),
        (("shout", "others_*", "sh*"), ["shout"]),
    ],
)
async def test_an_agent_is_told_of_the_gadgets_it_names(
    tmp_path: Path, named: tuple[str, ...], told: list[str]
) -> None:
    assert await offers(tmp_path / "db", on_pipes(tools=("add", "pid")), *named) == told


async def test_who_may_not_use_a_servers_gadgets_is_offered_none(tmp_path: Path) -> None:
    spec = on_pipes(tools=("add",), allow="operator")
    assert await offers(tmp_path / "a", spec, "*", author=OPERATOR) == ["files_add"]
    assert await offers(tmp_path / "b", spec, "*", author=Author("u2", "Bob")) == []


async def test_of_thousands_of_gadgets_a_model_is_told_of_those_that_fit_and_the_turn_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told = await offers(tmp_path / "db", on_pipes("--tools", "2000"), "shout", "whisper", "*")
    assert told[:3] == ["shout", "whisper", "files_add"]
    assert 10 < len(told) < 200
    assert "gadgets of servers are left out" in caplog.text


async def test_a_model_without_function_calling_uses_them_too(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    decision = '[{"action": "use_tools", "tools": [{"tool": "files_add", "parameters": {"a": 1, "b": 2}}]}]'
    model = ScriptedModel([decision], ["It is 3."], capabilities=Capabilities())
    async with (
        GadgetServers([on_pipes("--journal", str(calls))]) as servers,
        running_core(tmp_path / "db", model, roster=asked_of("files_*"), visiting=servers) as core,
    ):
        await core.inbox.admit(message("1 + 2?"))
        await core.platform.wait_for(1)
        assert core.platform.channel.answers() == ["It is 3."]
    assert journal(calls) == [("add", {"a": 1, "b": 2})]


async def test_a_gadget_that_comes_between_two_turns_is_offered_in_the_second(tmp_path: Path) -> None:
    grow = ToolCall("c1", "files_grow", {"name": "extra"})
    model = ScriptedModel([grow], ["Grown."], answer=echo)
    async with (
        GadgetServers([on_pipes()]) as servers,
        running_core(tmp_path / "db", model, roster=asked_of("*"), visiting=servers) as core,
    ):
        await core.inbox.admit(message("Grow", 1))
        await core.platform.wait_for(1)
        await until(lambda: servers.find("files_extra"))
        await core.inbox.admit(message("Hi", 2))
        await core.platform.wait_for(2)
    assert "files_extra" not in offered(model.requests[0])
    assert "files_extra" in offered(model.requests[-1])


async def test_a_dead_server_is_a_sentence_and_the_turn_is_answered(tmp_path: Path) -> None:
    die = ToolCall("c1", "files_die", {})
    again = ToolCall("c2", "files_pid", {})
    model = ScriptedModel([die], [again], ["The files are not to be reached."])
    async with (
        GadgetServers([on_pipes()]) as servers,
        running_core(tmp_path / "db", model, roster=asked_of("*"), visiting=servers) as core,
    ):
        await core.inbox.admit(message("Die"))
        await core.platform.wait_for(1)
        assert core.platform.channel.answers() == ["The files are not to be reached."]
    assert "was lost" in result(model.requests[1])
    assert result(model.requests[2]) == "The gadget server `files` is not reachable at the moment."


async def test_a_recorded_call_is_not_made_again_and_one_that_was_not_waits_for_its_server(tmp_path: Path) -> None:
    calls, channel = tmp_path / "calls", Channel()
    spec = on_pipes("--journal", str(calls))
    hang = ToolCall("c2", "files_hang", {})
    async with (
        GadgetServers([spec]) as servers,
        running_core(
            tmp_path / "db", ScriptedModel([ADD], [hang]), StubPlatform(channel), roster=asked_of("*"), visiting=servers
        ) as core,
    ):
        await core.inbox.admit(message("Add and wait"))
        await until(lambda: ("hang", {}) in journal(calls))
    model = ScriptedModel(["Done."])
    async with (
        GadgetServers([on_pipes("--journal", str(calls), timeout=0.2)]) as servers,
        running_core(tmp_path / "db", model, StubPlatform(channel), roster=asked_of("*"), visiting=servers) as core,
    ):
        await core.platform.wait_for(1)
    assert [name for name, _ in journal(calls)] == ["add", "hang", "hang"]
    assert result(model.requests[0]) == "files_hang took longer than 0.2 seconds and was stopped."


async def test_a_gadget_of_a_server_that_never_came_is_told_of_as_such(tmp_path: Path) -> None:
    model = ScriptedModel([ADD], ["Sorry."])
    gone = on_pipes("--no-such-option")
    async with (
        GadgetServers([gone]) as servers,
        running_core(tmp_path / "db", model, roster=asked_of("shout", "files_*"), visiting=servers) as core,
    ):
        async with asyncio.timeout(30):
            await servers.servers[0].settled.wait()
        await core.inbox.admit(message("Add"))
        await core.platform.wait_for(1)
    assert result(model.requests[1]) == "The gadget server `files` is not reachable at the moment."
