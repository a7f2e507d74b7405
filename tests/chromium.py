"""A real Chromium, headless, with a profile of its own."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, TimeoutException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.waiting import PATIENCE

T = TypeVar("T")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,850",
)
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", event => violations.push(event.blockedURI));
window.mistakes = [];
addEventListener("error", event => mistakes.push(String(event.error)));
addEventListener("unhandledrejection", event => mistakes.push(String(event.reason)));
"""


@contextmanager
def chromium(profile: Path) -> Iterator["Chromium"]:
    """Skips the test where Chromium or its driver is missing."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("needs Debian's packages chromium and chromium-driver")
    options = ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    chrome = Chrome(options=options, service=Service(driver))
    try:
        chrome.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        yield Chromium(chrome)
    finally:
        chrome.quit()


class Chromium:
    """Drives the page from an event loop that also serves it: every call runs in a thread.

    `patience`: seconds that anything may take to appear.
    """

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome
        self.patience = PATIENCE

    async def do(self, work: Callable[[Chrome], T]) -> T:
        return await asyncio.to_thread(work, self.chrome)

    async def open(self, url: str) -> None:
        """The page at `url`, connected."""
        await self.do(lambda chrome: chrome.get(url))
        await self.connected()

    async def connected(self) -> None:
        await self.until(lambda chrome: chrome.execute_script("return document.body.className === ''"))
        await self.see("#model[data-health]")

    async def until(self, condition: Callable[[Chrome], T]) -> T:
        """What `condition` returns, once that is true."""
        patient: WebDriverWait[Chrome] = WebDriverWait(
            self.chrome,
            self.patience,
            poll_frequency=0.02,
            ignored_exceptions=[NoSuchElementException, StaleElementReferenceException],
        )
        try:
            return await asyncio.to_thread(patient.until, condition)
        except TimeoutException as error:
            raise AssertionError(f"not so on this page:\n{await self.run('document.body.outerHTML')}") from error

    async def see(self, selector: str, text: str = "") -> WebElement:
        """The first visible element of this selector that holds this text."""

        def find(chrome: Chrome) -> WebElement | None:
            found = chrome.find_elements(By.CSS_SELECTOR, selector)
            return next((each for each in found if each.is_displayed() and text in each.text), None)

        found = await self.until(find)
        assert found is not None
        return found

    async def vanish(self, selector: str) -> None:
        await self.until(
            lambda chrome: not any(each.is_displayed() for each in chrome.find_elements(By.CSS_SELECTOR, selector))
        )

    async def click(self, selector: str, text: str = "") -> None:
        element = await self.see(selector, text)
        await asyncio.to_thread(element.click)

    async def press(self, *keys: str) -> None:
        """Into the message box."""
        box = await self.see("#input")
        await asyncio.to_thread(box.send_keys, *keys)

    async def texts(self, selector: str) -> list[str]:
        return await self.do(
            lambda chrome: [
                each.text for each in chrome.find_elements(By.CSS_SELECTOR, selector) if each.is_displayed()
            ]
        )

    async def run(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        return await self.do(lambda chrome: chrome.execute_script(f"return {script}"))

    async def mistakes(self) -> list[str]:
        """Errors of the page's scripts, and what its policy had to refuse, since it was loaded."""
        return list(await self.run("window.mistakes.concat(window.violations)"))

    async def requests(self) -> list[str]:
        """Every address that was asked for since the last call."""
        entries = await self.do(lambda chrome: chrome.get_log("performance"))  # type: ignore[no-untyped-call]
        events = [json.loads(entry["message"])["message"] for entry in entries]
        asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return asked + [e["params"]["url"] for e in events if e["method"] == "Network.webSocketCreated"]
