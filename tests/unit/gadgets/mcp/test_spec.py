from gadgets.mcp.spec import HIDDEN, Address, Command, ServerSpec

TOKEN = "canary-0123456789"


def test_what_only_the_server_is_to_know_is_hidden() -> None:
    program = ServerSpec("files", Command(("prog",), {"KEY": TOKEN, "DEBUG": "1"}))
    page = ServerSpec("files", Address("https://example.org", {"Authorization": f"Bearer {TOKEN}"}))
    for spec in (program, page):
        assert spec.hide(f"1 key {TOKEN}!") == f"1 key {HIDDEN}!"
        assert TOKEN not in repr(spec)
