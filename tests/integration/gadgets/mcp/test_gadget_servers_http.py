"""Servers on real sockets."""

import logging

import pytest

from gadgets.mcp.spec import Address, ServerSpec
from tests.gadget_servers import KEY, free_port, listening, on_socket, servers_of
from tests.waiting import until

SECRET = "canary-0123456789"


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["events", "json"])
async def test_a_server_on_a_socket_is_used_like_any_other(options: tuple[str, ...]) -> None:
    port = free_port()
    async with listening(port, *options), servers_of(on_socket(port)) as call:
        await call.connected()
        assert (await call("files_add", a=1, b="2")).text == "3"
        assert "'b' is a required property" in (await call("files_add", a=1)).text
        much = await call("files_big", size=10_000_000)
        assert (much.ok, "more than can be taken in" in much.text) == (False, True)
        await call("files_grow", name="extra")
        await until(lambda: call.toolbox.find("files_extra"))
        assert (await call("files_extra")).text == "extra {}"


async def test_a_server_that_is_killed_and_started_again_is_found_again() -> None:
    port = free_port()
    async with servers_of(on_socket(port)) as call:
        async with listening(port) as first:
            await call.connected()
            assert (await call("files_add", a=1, b=2)).text == "3"
            first.kill()
            await first.wait()
            gone = [await call("files_add", a=1, b=2) for _ in range(2)]
        assert [each.ok for each in gone] == [False, False]
        assert gone[1].text == "The gadget server `files` is not reachable at the moment."
        async with listening(port):
            await call.connected()
            assert (await call("files_add", a=1, b=2)).text == "3"


async def test_a_server_that_refuses_our_key_is_logged_without_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    port = free_port()
    async with listening(port), servers_of(on_socket(port), on_socket(port, key=SECRET, name="locked")) as call:
        await until(lambda: "locked: no connection: HTTP 401" in caplog.text)
        assert not any(name.startswith("locked_") for name in call.names)
    assert SECRET not in caplog.text
    assert KEY not in caplog.text


async def test_no_page_of_the_web_is_taken_for_a_server(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    async with listening(port), servers_of(ServerSpec("page", Address(f"http://127.0.0.1:{port}/", {"X-Key": KEY}))):
        await until(lambda: "page: no connection: HTTP 404" in caplog.text)
