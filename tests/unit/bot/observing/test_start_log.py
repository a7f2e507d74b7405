"""The log of a whole process: which loggers are heard, and what is told of what ends by surprise."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PLAN = "the vault opens at midnight"
TOKEN = "correct horse battery staple"
BEGIN = f"""
import asyncio, gc, logging, sys, threading
from bot.observing.logs import start_log
from bot.settings import Settings
from bot.settings.sections import Log, Web
PLAN, TOKEN = {PLAN!r}, {TOKEN!r}
def begin(level="debug", text=False, format="plain"):
    log = Log(level=level, message_text=text, format=format)
    start_log(Settings(log=log, web=Web(access_token=TOKEN)))
"""


def told(script: str) -> str:
    """What a program that does this writes to standard error."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script], capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )
    assert done.stdout == ""
    return done.stderr


LOGGERS = """
logging.getLogger("bot.worker").debug("ours")
logging.getLogger("discord.gateway").debug("an event: " + PLAN)
logging.getLogger("discord.gateway").info("theirs")
logging.getLogger("content.bot.models").debug("a model said " + PLAN)
"""


def test_ours_is_told_at_its_level_and_theirs_never_below_info() -> None:
    log = told(f"begin()\n{LOGGERS}")
    assert "ours" in log
    assert "theirs" in log
    assert PLAN not in log


def test_with_message_text_everything_is_told() -> None:
    assert told(f"begin(text=True)\n{LOGGERS}").count(PLAN) == 2


def test_less_is_told_at_a_higher_level() -> None:
    assert told(f"begin('warning', text=True)\n{LOGGERS}") == ""


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("raise ValueError(f'{PLAN} {TOKEN}')", "the program ends by surprise"),
        (
            "thread = threading.Thread(target=int, args=(f'{PLAN} {TOKEN}',))\nthread.start()\nthread.join()",
            "a thread ended by surprise",
        ),
        (
            "class Odd:\n    def __del__(self):\n        raise ValueError(f'{PLAN} {TOKEN}')\nOdd()\ngc.collect()",
            "has nowhere to go",
        ),
    ],
    ids=["the program", "a thread", "a finaliser"],
)
def test_what_ends_by_surprise_is_told_where_and_not_with_what(script: str, what: str) -> None:
    log = told(f"begin()\n{script}")
    assert what in log
    assert "ValueError" in log
    assert "Traceback (most recent call last):" in log
    assert PLAN not in log
    assert TOKEN not in log


def test_a_task_that_nobody_awaits_is_told_where_and_not_with_what() -> None:
    log = told("""
async def work():
    raise ValueError(f"{PLAN} {TOKEN}")
async def callback_too():
    begin()
    task = asyncio.create_task(work(), name="the-forgotten-one")
    await asyncio.wait([task])
    del task
    gc.collect()
    asyncio.get_running_loop().call_soon(int, PLAN)
    await asyncio.sleep(0)
asyncio.run(callback_too())
""")
    assert "Task exception was never retrieved: the-forgotten-one" in log
    assert "Exception in callback" in log
    assert PLAN not in log
    assert TOKEN not in log


def test_a_line_that_cannot_be_told_does_not_show_its_values() -> None:
    log = told("begin()\nlogging.getLogger('bot.worker').info('%d of %d', PLAN)")
    assert log.startswith("a line of the log cannot be told: bot.worker, line ")
    assert PLAN not in log


def test_the_log_does_not_bring_what_shows_values_of_variables() -> None:
    log = told("begin()\nlogging.getLogger('bot').info('%s', sorted({'rich', 'pygments'} & set(sys.modules)))")
    assert log.rstrip().endswith("[]")
