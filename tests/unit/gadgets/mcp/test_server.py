import pytest

from gadgets.errors import GadgetFailed
from gadgets.mcp.server import FIRST_PAUSE, MAX_PAUSE, STEADY_SECONDS, Server, next_pause
from gadgets.mcp.spec import Command, ServerSpec


def test_pauses_grow_up_to_a_bound() -> None:
    pauses = [0.0]
    for _ in range(20):
        pauses.append(next_pause(pauses[-1], 0.1))
    assert pauses[1:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == MAX_PAUSE


def test_a_connection_that_held_is_looked_for_again_soon() -> None:
    assert next_pause(MAX_PAUSE, STEADY_SECONDS + 1) == FIRST_PAUSE


async def test_what_is_not_connected_yet_is_not_reachable() -> None:
    server = Server(ServerSpec("files", Command(("prog",))), lambda: None)
    assert not server.connected
    with pytest.raises(GadgetFailed, match=r"The gadget server `files` is not reachable at the moment\."):
        await server.call("read", {})
