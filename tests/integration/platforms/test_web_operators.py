"""What the page's server tells operators: whether all is well, and the figures, and who may read them."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.observing.exposition import Exposition
from bot.observing.metrics import Metrics
from bot.platforms.web.logins import MAX_FAILURES
from bot.platforms.web.operators import METRICS_TYPE, Operation
from storage import notes
from storage.errors import StorageBusy
from storage.sqlite import SQLiteDatabase
from tests.fakes.scripted_model import ScriptedModel
from tests.web import TOKEN, Browser, Site, running_site

FIGURES = b"secret_agents_turns_total 7\n"


async def figures() -> bytes:
    return FIGURES


@asynccontextmanager
async def serving(path: Path, operation: Operation, *, token: str | None = None) -> AsyncIterator[Browser]:
    site = running_site(path / "t.db", ScriptedModel(), access_token=token, operation=operation)
    async with site as opened, Browser(opened.url) as browser:
        yield browser


async def get(browser: Browser, path: str, **headers: str) -> tuple[int, bytes]:
    async with browser.http.get(browser.url + path, headers=headers) as response:
        return response.status, await response.read()


async def test_programs_of_this_machine_may_read_the_figures_where_there_is_no_token(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, Operation(figures=figures)) as browser,
        browser.http.get(f"{browser.url}metrics") as response,
    ):
        assert (response.status, await response.read()) == (200, FIGURES)
        assert response.headers["Content-Type"] == METRICS_TYPE


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        ("Bearer another", 401),
        (f"Basic {TOKEN}", 401),
        (TOKEN, 401),
        ("", 401),
        ("Bearer ", 401),
    ],
)
async def test_where_there_is_a_token_it_is_needed(tmp_path: Path, authorization: str, status: int) -> None:
    async with serving(tmp_path, Operation(figures=figures), token=TOKEN) as browser:
        told = await get(browser, "metrics", Authorization=authorization)
    assert told[0] == status
    assert (FIGURES in told[1]) is (status == 200)


async def test_a_browser_that_is_logged_in_may_read_the_figures(tmp_path: Path) -> None:
    async with serving(tmp_path, Operation(figures=figures), token=TOKEN) as browser:
        async with browser.http.post(f"{browser.url}login", data={"token": TOKEN}) as response:
            assert response.status == 200
        assert await get(browser, "metrics") == (200, FIGURES)


async def test_the_token_cannot_be_guessed_here_either(tmp_path: Path) -> None:
    async with serving(tmp_path, Operation(figures=figures), token=TOKEN) as browser:
        guesses = [(await get(browser, "metrics", Authorization=f"Bearer {n}"))[0] for n in range(MAX_FAILURES + 1)]
        right = await get(browser, "metrics", Authorization=f"Bearer {TOKEN}")
    assert guesses == [401] * MAX_FAILURES + [429]
    assert right[0] == 429


async def test_where_figures_are_not_wanted_there_is_no_such_page(tmp_path: Path) -> None:
    async with serving(tmp_path, Operation()) as browser:
        assert (await get(browser, "metrics"))[0] == 404


async def test_a_platform_that_is_away_makes_it_not_ready(tmp_path: Path) -> None:
    connected = {"discord": False, "slack": True}
    async with serving(tmp_path, Operation(lambda: connected)) as browser:
        async with browser.http.get(f"{browser.url}readyz") as response:
            assert response.status == 503
            told = await response.json()
        connected["discord"] = True
        assert (await get(browser, "readyz"))[0] == 200
    assert told["platforms"] == {"discord": "not connected", "slack": "connected", "web": "connected"}
    assert told["status"] == "not ready"
    assert (told["model"]["state"], told["database"]) == ("ready", "ok")


async def test_a_database_that_did_not_take_the_last_write_is_not_ready_until_it_takes_one(tmp_path: Path) -> None:
    metrics, path = Metrics(), tmp_path / "t.db"
    operation = Operation(stores=lambda: metrics.stores)
    site = running_site(path, ScriptedModel(), operation=operation, busy_seconds=0.05, on_batch=metrics.batch)
    async with site as opened, Browser(opened.url) as browser:
        await _refused_while_locked(opened, path)
        with _locked(path):
            assert await _database(browser) == (503, "not writable")
        assert await _database(browser) == (200, "ok")
        assert metrics.stores


async def _refused_while_locked(site: Site, path: Path) -> None:
    with _locked(path), pytest.raises(StorageBusy):
        await site.database.write(notes.add, "web:someone", "a note", limit=9)


async def _database(browser: Browser) -> tuple[int, str]:
    async with browser.http.get(f"{browser.url}readyz") as response:
        return response.status, (await response.json())["database"]


class _locked:  # noqa: N801 - reads as what it does
    """Another program holds the database's lock."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None)

    def __enter__(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, *_: object) -> None:
        self._connection.execute("ROLLBACK")
        self._connection.close()


async def test_a_unit_that_refuses_is_no_failure_of_the_database(tmp_path: Path) -> None:
    metrics = Metrics()
    async with SQLiteDatabase(str(tmp_path / "t.db"), on_batch=metrics.batch) as database:
        with pytest.raises(ZeroDivisionError):
            await database.write(lambda _: 1 // 0)
        assert metrics.stores
        told = (await Exposition(metrics, database).text()).decode()
    assert "secret_agents_database_errors_total 0.0" in told
    assert "secret_agents_database_batch_units_count 1.0" in told
