"""The arrows between packages point one way, and nothing expensive is imported before it is configured."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "gadgets", "storage", "tests", "benchmarks")

FORBIDDEN = [
    ("gadgets", ("bot", "storage"), "gadgets know nothing of the bot"),
    ("storage", ("bot", "gadgets"), "storage knows nothing of the bot"),
    (
        "bot/models",
        ("bot.agent", "bot.platforms", "bot.engines", "bot.app", "gadgets"),
        "models are asked, they do not ask",
    ),
    ("bot/agent", ("bot.engines", "bot.worker", "bot.inbox", "bot.delivery", "bot.app"), "the agent knows no queue"),
    ("bot/engines", ("bot.app", "bot.cli", "bot.agent", "bot.models"), "engines only decide who drains what"),
    ("bot/platforms", ("bot.app", "bot.cli", "bot.worker", "bot.engines", "bot.models"), "platforms translate"),
    ("bot/worker.py", ("bot.app", "bot.cli", "bot.engines", "bot.platforms.web", "bot.platforms.terminal"), "one way"),
    ("bot/inbox.py", ("bot.app", "bot.cli", "bot.worker", "bot.platforms.web", "bot.platforms.terminal"), "one way"),
    ("bot", ("tests", "benchmarks"), "the product does not need its tests"),
]
ONLY_APP_MAY = ("bot.models.ollama", "bot.models.openai", "bot.models.embedded", "storage.sqlite", "bot.engines.local")


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def sources(place: str) -> list[Path]:
    path = ROOT / place
    found = [path] if path.is_file() else sorted(path.rglob("*.py"))
    assert found, f"{place} is gone: mend this test"
    return found


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize(("place", "forbidden", "reason"), FORBIDDEN, ids=[rule[0] for rule in FORBIDDEN])
def test_imports_point_one_way(place: str, forbidden: tuple[str, ...], reason: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources(place)
        for module in imports(path)
        if any(within(module, package) for package in forbidden)
    ]
    assert wrong == [], reason


def test_platforms_never_import_each_other() -> None:
    platforms = {"discord", "slack", "terminal", "web"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for path in sources("bot/platforms")
        for module in imports(path)
        for other in platforms
        if module.startswith(f"bot.platforms.{other}") and other not in path.relative_to(ROOT).as_posix()
    ]
    assert wrong == []


def test_importing_the_command_line_is_cheap() -> None:
    """`secret-agents --help` must not pay for chat SDKs, a browser page or a model."""
    code = "import sys, bot.cli; print(*sorted(m for m in sys.modules if '.' not in m))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    heavy = {"discord", "slack_bolt", "slack_sdk", "xllamacpp", "ollama", "httpx", "openai", "prompt_toolkit", "rich"}
    assert heavy & set(loaded.stdout.split()) == set()


def test_serving_the_page_does_not_import_what_lays_out_answers() -> None:
    code = "import sys, bot.platforms.web.server; print(*sorted({'markdown_it', 'nh3'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.split() == []


def test_only_the_composition_root_names_concrete_models_and_stores() -> None:
    allowed = {"bot/app.py", "bot/model_choice.py", "bot/check.py", "bot/cli.py", "storage/database.py"}
    wrong = [
        f"{path.relative_to(ROOT)} imports {module}"
        for package in ("bot", "gadgets", "storage")
        for path in sources(package)
        for module in imports(path)
        if module in ONLY_APP_MAY
        and path.relative_to(ROOT).as_posix() not in allowed
        and not path.is_relative_to(ROOT / "bot/models")
    ]
    assert wrong == []
