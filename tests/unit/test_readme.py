"""What the README tells people to type works."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import aiohttp
import pytest

from bot.settings import load
from gadgets.context import Occasion
from gadgets.gadget import Gadget
from gadgets.toolbox import Toolbox

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def block(beginning: str) -> str:
    """The indented block that begins with these words."""
    found = re.search(rf"^    {re.escape(beginning)}.*?(?=^\S)", README, re.MULTILINE | re.DOTALL)
    assert found, beginning
    return textwrap.dedent(found[0])


async def test_the_gadget_of_the_readme_works() -> None:
    module: dict[str, object] = {"__name__": "coin"}
    exec(compile(block('"""The gadget `coin`."""'), "README.md", "exec"), module)
    coin = module["coin"]
    assert isinstance(coin, Gadget)
    async with aiohttp.ClientSession() as http:
        outcome = await Toolbox([coin]).call("coin", {"times": 2}, http=http, occasion=Occasion("cli:me"), settings={})
    assert outcome.ok
    assert re.fullmatch("(heads|tails), (heads|tails)", outcome.text)


def test_the_agent_of_the_readme_can_be_configured(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(block("[agents.moneypenny]"), "utf-8")
    assert load(path).agents["moneypenny"].gadgets == ("clock",)


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`secret-agents (\w+)", README))))
def test_every_command_of_the_readme_exists(command: str) -> None:
    done = subprocess.run([sys.executable, "-m", "bot", command, "--help"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([\w-]+)`", README))))
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_help_loads_nothing_that_a_command_needs() -> None:
    program = (
        "import sys, bot.cli; bot.cli._parser(); print(sorted({'aiohttp', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
