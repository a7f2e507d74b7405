"""`[mcp.<name>]`, and agents that name a server's gadgets."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from bot.errors import ConfigurationError
from bot.gadget_servers import specs_of
from bot.settings import Settings, load
from bot.settings.sources import PLAIN_NAMES, PREFIX
from gadgets.mcp.spec import Address, Command

ROOT = Path(__file__).parents[3]
SECRET = "canary-0123456789"
PROGRAM = '[mcp.files]\ncommand = ["prog", "--fast"]\n'
PAGE = '[mcp.files]\nurl = "https://example.org/mcp"\n'


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name in PLAIN_NAMES or name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def loaded(toml: str, env: str = "") -> Settings:
    Path("config.toml").write_text(toml, "utf-8")
    Path(".env").write_text(env, "utf-8")
    return load()


def refusal(toml: str, env: str = "") -> str:
    with pytest.raises(ConfigurationError) as refused:
        specs_of(loaded(toml, env))
    return str(refused.value)


def test_a_program_is_given_the_variables_that_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FILES_DEBUG", "from the environment")
    toml = PROGRAM + 'env = ["FILES_KEY", "FILES_DEBUG"]\nallow = "member"\ntools = ["read"]\ntimeout = 5\n'
    (spec,) = specs_of(loaded(toml, f"FILES_KEY={SECRET}\nFILES_DEBUG=from the file\nOTHER=x\n"))
    assert isinstance(spec.reach, Command)
    assert spec.reach.words == ("prog", "--fast")
    assert spec.reach.env == {"FILES_KEY": SECRET, "FILES_DEBUG": "from the environment"}
    assert (spec.name, spec.allow, spec.tools, spec.timeout, spec.cache_ttl) == ("files", "member", ("read",), 5, 0)


def test_an_address_is_called_with_headers_and_token_of_the_environment() -> None:
    env = f"FILES_KEY={SECRET}\nSECRET_AGENTS_MCP__FILES__TOKEN=token-of-files\n"
    settings = loaded(PAGE + 'headers = { X-Api-Key = "FILES_KEY" }\n', env)
    (spec,) = specs_of(settings)
    assert isinstance(spec.reach, Address)
    assert spec.reach.headers == {"X-Api-Key": SECRET, "Authorization": "Bearer token-of-files"}
    assert "token-of-files" not in repr(settings) + repr(spec)


def test_a_server_can_be_named_by_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_AGENTS_MCP__FILES__COMMAND", '["prog"]')
    monkeypatch.setenv("SECRET_AGENTS_MCP__FILES__TIMEOUT", "7.5")
    (spec,) = specs_of(loaded(""))
    assert (spec.reach, spec.timeout) == (Command(("prog",)), 7.5)


@pytest.mark.parametrize(
    ("said", "approve"), [("true", True), ("false", False), ('["write", "move"]', ("write", "move")), ("[]", ())]
)
def test_calls_are_approved_for_all_tools_none_or_those_named(
    monkeypatch: pytest.MonkeyPatch, said: str, approve: object
) -> None:
    (spec,) = specs_of(loaded(f"{PROGRAM}approve = {said}\n"))
    monkeypatch.setenv("SECRET_AGENTS_MCP__FILES__APPROVE", said)
    (by_variable,) = specs_of(loaded(PROGRAM))
    assert (spec.approve, by_variable.approve) == (approve, approve)


@pytest.mark.parametrize(
    ("toml", "line"),
    [
        ("[mcp.files]\n", "[mcp.files] command: is missing; name the program to start, or the url of a server"),
        (PROGRAM + 'url = "https://x.org"',
         "[mcp.files] url: must be empty where command is set: a server is one or the other"),
        (PROGRAM + 'headers = { A = "B" }', "[mcp.files] headers: is of no use with command"),
        (PAGE + 'env = ["B"]', "[mcp.files] env: is of no use with url"),
        ('[mcp.files]\nurl = "ftp://x"', "[mcp.files] url: must be a URL that begins with https:// or http://"),
        ('[mcp.files]\nurl = "https://[x"', "[mcp.files] url: must be a URL that begins with https:// or http://"),
        ('[mcp.files]\nurl = "https://a:b@x.org"',
         "[mcp.files] url: must be without user and password; use token or headers"),
        (PROGRAM + "comand = 1", "[mcp.files] comand: is not a known key; did you mean command?"),
        (PROGRAM + 'allow = "boss"', "[mcp.files] allow: must be one of 'everyone', 'member', 'operator' or 'admin'"),
        (PROGRAM + 'approve = "write"', "[mcp.files] approve: must be true, false or a list of names of its tools"),
        (PROGRAM + "approve = [1]", "[mcp.files] approve: must be true, false or a list of names of its tools"),
        (PROGRAM + 'tools = ["read"]\napprove = ["raed"]',
         "[mcp.files] approve: names 'raed', which is not among tools"),
        (PROGRAM + 'env = ["FILES_KEY"]', "[mcp.files] env: the variable FILES_KEY is not set; set it in .env"),
        (PAGE + 'headers = { X-Key = "A1" }', "[mcp.files] headers: the variable for X-Key is not set; set it in .env"),
        ('[mcp.my_files]\ncommand = ["x"]',
         "[mcp.my_files]: must be a lower-case name: a letter, then letters and digits, 24 at most"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_that_names_it(toml: str, line: str) -> None:
    assert refusal(toml) == line


@pytest.mark.parametrize(
    "toml",
    [PROGRAM + f'env = ["{SECRET}"]', PAGE + f'headers = {{ X-Key = "{SECRET}" }}', PAGE + f'token = "{SECRET}"'],
)
def test_a_secret_in_the_file_is_refused_without_being_shown(toml: str) -> None:
    said = refusal(toml)
    assert said.startswith("[mcp.files]")
    assert SECRET not in said


def test_a_header_holds_one_line() -> None:
    said = refusal(PAGE + 'headers = { X-Key = "FILES_KEY" }', f'FILES_KEY="{SECRET}\nX-Admin: yes"\n')
    assert said == "[mcp.files] headers: what the variable for X-Key holds cannot be sent in a header"


class TestAgents:
    AGENT = '[agents.clerk]\nprompt = "You are a clerk."\n'

    def test_an_agent_names_a_servers_gadgets(self) -> None:
        settings = loaded(PROGRAM + self.AGENT + 'gadgets = ["clock", "files_*", "files_read"]\n')
        assert settings.agents["clerk"].gadgets == ("clock", "files_*", "files_read")

    def test_an_agent_that_uses_everything_uses_those_of_servers(self) -> None:
        assert "*" in loaded(PROGRAM + self.AGENT).agents["clerk"].gadgets

    @pytest.mark.parametrize("gadget", ["fils_read", "fils_*"])
    def test_an_agent_cannot_name_a_server_that_does_not_exist(self, gadget: str) -> None:
        line = f"[agents.clerk] gadgets: names a gadget that does not exist, '{gadget}'; did you mean files_*?"
        assert refusal(PROGRAM + self.AGENT + f'gadgets = ["{gadget}"]\n') == line


def test_nothing_of_it_is_imported_before_a_server_is_named() -> None:
    program = (
        "import sys, bot.app, bot.check, bot.cli_running, bot.settings, gadgets.mcp.servers; bot.settings.load();"
        "print(sorted({'mcp', 'mcp_types', 'jsonschema', 'anyio', 'httpx2', 'starlette'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_servers_of_the_readme_can_be_configured() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"^    \[mcp\.files\].*?(?=^\S)", readme, re.MULTILINE | re.DOTALL)
    assert found
    specs = specs_of(loaded(textwrap.dedent(found[0]), f"FILES_KEY={SECRET}\nSEARCH_KEY={SECRET}\n"))
    assert [(spec.name, spec.allow) for spec in specs] == [("files", "member"), ("search", "everyone")]
