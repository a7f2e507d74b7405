"""The chat page in a real Chromium, with the real core and a scripted model behind it."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from bot.models.model import ToolCall
from bot.platforms.web.downloads import KEPT_SECONDS
from tests.chromium import Chromium, chromium
from tests.core import launch
from tests.fakes.scripted_model import ScriptedModel, echo
from tests.waiting import until
from tests.web import TOKEN, Site, running_site


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture
async def chrome(profile: Chromium) -> AsyncIterator[Chromium]:
    """One browser for all tests: every site has a cookie of its own. No script may have failed in the end."""
    yield profile
    assert await profile.mistakes() == []


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path / "t.db", ScriptedModel(answer=echo)) as site:
        yield site


async def test_a_question_is_answered_in_a_growing_formatted_text(chrome: Chromium, tmp_path: Path) -> None:
    more, call = asyncio.Event(), ToolCall("1", "shout", {"text": "hey"})
    model = ScriptedModel([call], ["Your **key**: ", more, "`SHOUT`:\n\n- one\n- two"])
    async with running_site(tmp_path / "t.db", model) as site:
        await chrome.open(site.url)
        await chrome.press("What is the key?", Keys.ENTER)
        await chrome.see(".said", "What is the key?")
        await chrome.see(".running .answer strong", "key")
        assert await chrome.texts(".answer li") == []
        more.set()
        await chrome.see(".answered .caption", "scripted/script-1 · used shout")
        assert await chrome.texts(".answer li") == ["one", "two"]
        assert await chrome.texts(".answer code") == ["SHOUT"]
        assert await chrome.texts(".doing") == []
        assert await chrome.run("document.querySelector('.turn').getAttribute('aria-busy')") == "false"
        await chrome.see("#title", "What is the key?")
        await chrome.see("#conversations a[aria-current=page]", "What is the key?")


async def test_what_is_being_done_is_told(chrome: Chromium, tmp_path: Path) -> None:
    wait = asyncio.Event()
    async with running_site(tmp_path / "t.db", ScriptedModel([wait, "done"])) as site:
        await chrome.open(site.url)
        await chrome.press("Think", Keys.ENTER)
        await chrome.see(".doing", "thinking…")
        await chrome.see("#conversations .about", "answering…")
        wait.set()
        await chrome.see(".answered .answer", "done")
        await chrome.vanish(".doing")
        await chrome.see("#conversations .about", "active")


async def test_the_history_survives_a_reload(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.press("Remember *this*", Keys.ENTER)
    await chrome.see(".answered .answer em", "this")
    await chrome.do(lambda driver: driver.refresh())
    await chrome.see(".said", "Remember *this*")
    await chrome.see(".answered .answer em", "this")
    await chrome.do(lambda driver: driver.get("about:blank"))
    await chrome.open(site.url)
    await chrome.see(".said", "Remember *this*")


async def test_an_answer_goes_on_growing_after_a_reload(chrome: Chromium, tmp_path: Path) -> None:
    more = asyncio.Event()
    async with running_site(tmp_path / "t.db", ScriptedModel(["First, ", more, "second."])) as site:
        await chrome.open(site.url)
        await chrome.press("Count", Keys.ENTER)
        await chrome.see(".running .answer", "First,")
        await chrome.do(lambda driver: driver.refresh())
        await chrome.see(".running .answer", "First,")
        more.set()
        await chrome.see(".answered .answer", "First, second.")


@pytest.mark.parametrize("how", ["the button", "escape"])
async def test_stop_keeps_the_text_so_far(chrome: Chromium, tmp_path: Path, how: str) -> None:
    async with running_site(tmp_path / "t.db", ScriptedModel(["Once upon a time", asyncio.Event()])) as site:
        await chrome.open(site.url)
        await chrome.vanish("#stop")
        await chrome.press("Tell me a story", Keys.ENTER)
        await chrome.see(".running .answer", "Once upon a time")
        await (chrome.click("#stop") if how == "the button" else chrome.press(Keys.ESCAPE))
        stopped = await chrome.see(".stopped .answer", "(stopped)")
        assert "Once upon a time" in stopped.text
        await chrome.vanish("#stop")


async def test_shift_enter_starts_a_line(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.press("one", Keys.SHIFT + Keys.ENTER + Keys.NULL, "two", Keys.ENTER)
    assert (await chrome.see(".said", "two")).text == "one\ntwo"
    await chrome.see(".answered .answer", "two")


async def test_an_empty_page_offers_three_questions(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.see("#empty", "What do you need")
    assert len(await chrome.texts("#examples button")) == 3
    await chrome.click("#examples button", "Decrypt IFMMP")
    await chrome.see(".answered .answer", "You said: Decrypt IFMMP with shift 1")
    await chrome.vanish("#empty")


async def test_two_browsers_do_not_see_each_other(chrome: Chromium, site: Site, tmp_path: Path) -> None:
    await chrome.open(site.url)
    await chrome.press("my secret", Keys.ENTER)
    await chrome.see(".answered .answer", "my secret")
    mine = await chrome.run("location.hash")
    with chromium(tmp_path / "other") as stranger:
        await stranger.open(site.url)
        await stranger.see("#empty")
        assert await stranger.texts("#conversations li") == []
        await stranger.do(lambda driver: driver.get(f"{site.url}{mine}"))
        await stranger.see("#notice", "no such mission")
        assert "secret" not in await stranger.run("document.body.innerText")


HOSTILE = (
    "<script>window.pwned = 1</script> <img src=x onerror='window.pwned=1'> <svg/onload='window.pwned=1'>\n\n"
    "[click](javascript:window.pwned=1) ![track](http://evil.example/a.png) <iframe src='//evil.example'></iframe>\n\n"
    "<style>@import 'http://evil.example/x.css'</style> <a href='x' onmouseover='window.pwned=1'>here</a>"
)


async def test_nothing_hostile_runs_or_is_fetched(chrome: Chromium, tmp_path: Path) -> None:
    async with running_site(tmp_path / "t.db", ScriptedModel([HOSTILE])) as site:
        await chrome.do(lambda driver: driver.get("about:blank"))  # the page before may still be reconnecting
        await chrome.requests()
        await chrome.open(site.url)
        await chrome.press(HOSTILE.replace("\n", " "), Keys.ENTER)
        await chrome.see(".answered .answer", "track")
        await chrome.do(lambda driver: driver.refresh())
        await chrome.see(".answered .answer", "track")
        assert await chrome.run("window.pwned") is None
        assert await chrome.run("document.querySelectorAll('main :is(script, img, iframe, svg, style)').length") == 0
        links = await chrome.run("[...document.querySelectorAll('.answer a')].map(a => [a.href, a.target, a.rel])")
        assert links == [
            [address, "_blank", "noopener noreferrer nofollow"]
            for address in ("http://evil.example/a.png", "http://evil.example/x.css")
        ]
        asked = await chrome.requests()
        assert len(asked) > 10
        assert {urlsplit(address).netloc for address in asked} == {urlsplit(site.url).netloc}


async def test_the_page_comes_back_after_a_restart_and_loses_nothing(chrome: Chromium, tmp_path: Path) -> None:
    async with running_site(tmp_path / "t.db", ScriptedModel(answer=echo)) as site:
        await chrome.open(site.url)
        await chrome.press("before", Keys.ENTER)
        await chrome.see(".answered .answer", "You said: before")
        port = site.port
    await chrome.see("#banner", "Reconnecting…")
    await chrome.press("meanwhile", Keys.ENTER)
    await chrome.see(".doing", "sending…")
    async with running_site(tmp_path / "t.db", ScriptedModel(answer=echo), port=port):
        await chrome.see(".answered .answer", "You said: meanwhile")
        await chrome.vanish("#banner")
        assert await chrome.texts(".said") == ["before", "meanwhile"]
        assert len(await chrome.texts("#conversations li")) == 1


async def test_messages_written_while_offline_survive_a_reload_in_one_new_mission(
    chrome: Chromium, tmp_path: Path
) -> None:
    async with running_site(tmp_path / "t.db", ScriptedModel(answer=echo)) as site:
        await chrome.open(site.url)
        await offline(chrome, True)
        await site.stop()
        await chrome.see("#banner", "Reconnecting…")
        await chrome.press("one", Keys.ENTER)
        await chrome.press("two", Keys.ENTER)
        port = site.port
    async with running_site(tmp_path / "t.db", ScriptedModel(answer=echo), port=port):
        await offline(chrome, False)
        await chrome.do(lambda driver: driver.refresh())
        await chrome.see(".answered .answer", "You said: two")
        assert await chrome.texts(".said") == ["one", "two"]
        assert len(await chrome.texts("#conversations li")) == 1
        assert await chrome.run("sessionStorage.getItem('outbox')") == "[]"


async def offline(chrome: Chromium, value: bool) -> None:
    state = {"offline": value, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}

    def emulate(driver: Chrome) -> None:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", state)

    await chrome.do(emulate)


async def test_a_message_that_cannot_be_saved_is_kept_and_can_be_sent_again(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await site.database.write(lambda connection: connection.execute("ALTER TABLE turns RENAME TO lost").fetchall())
    await chrome.press("keep me", Keys.ENTER)
    await chrome.see(".refused .error", "cannot save messages")
    await chrome.see(".refused .said", "keep me")
    await site.database.write(lambda connection: connection.execute("ALTER TABLE lost RENAME TO turns").fetchall())
    await chrome.click(".refused button", "Try again")
    await chrome.see(".answered .answer", "You said: keep me")


async def test_missions_are_begun_switched_and_ended(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.press("first", Keys.ENTER)
    await chrome.see(".answered .answer", "first")
    await chrome.click("#new")
    await chrome.see("#empty")
    await chrome.press("second", Keys.ENTER)
    await chrome.see(".answered .answer", "second")
    assert [text.split("\n")[0] for text in await chrome.texts("#conversations a")] == ["second", "first"]
    await chrome.click("#conversations a", "first")
    await chrome.see(".said", "first")
    assert await chrome.texts(".said") == ["first"]
    await chrome.click("#end")
    await chrome.see("#subtitle", "completed")
    await chrome.see("#conversations .ended", "first")
    await chrome.press("again", Keys.ENTER)
    await chrome.see(".answered .answer", "again")
    assert len(await chrome.texts("#conversations li")) == 3
    await chrome.do(lambda driver: driver.back())
    await chrome.see("#title", "second")


async def test_an_agent_can_be_chosen_for_a_new_mission(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.click("#agent option[value=plain]", "plain: Uses nothing")
    await chrome.press("hi", Keys.ENTER)
    await chrome.see("#subtitle", "plain · active")


async def test_an_answer_is_rated_and_the_rating_taken_back(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.press("hi", Keys.ENTER)
    await chrome.click(".foot [aria-label='Good answer']")
    await chrome.see(".foot button[aria-pressed=true]")
    await chrome.do(lambda driver: driver.refresh())
    await chrome.click(".foot button[aria-pressed=true]")
    await chrome.vanish(".foot button[aria-pressed=true]")


async def test_commands_answer_only_here(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.press("/help", Keys.ENTER)
    await chrome.see(".note .answer code", "/mission new [agent]")
    await chrome.see(".note .foot", "Only you see this")
    await chrome.press("/mission new plain", Keys.ENTER)
    await chrome.see("#subtitle", "plain · active")
    await chrome.see("#empty")
    await chrome.press("/mission dance", Keys.ENTER)
    await chrome.see(".refused .error", "I do not know /mission dance")
    await chrome.click(".refused button", "Edit")
    assert await chrome.run("document.getElementById('input').value") == "/mission dance"


async def test_the_header_names_the_model(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.see("#model[data-health=ready]", "script-1 · scripted")


async def test_earlier_messages_are_loaded_on_demand(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.press("0", Keys.ENTER)
    await chrome.see(".answered .answer", "You said: 0")
    for number in range(1, 32):
        await chrome.press(str(number), Keys.ENTER)
    await chrome.see(".answered .answer", "You said: 31")
    await chrome.do(lambda driver: driver.refresh())
    await chrome.see(".answered .answer", "You said: 31")
    await chrome.click("#earlier")
    await chrome.vanish("#earlier")
    assert await chrome.texts(".said") == [str(number) for number in range(32)]


async def test_a_narrow_page_fits_and_has_a_menu(chrome: Chromium, site: Site) -> None:
    await metrics(chrome, 360)
    try:
        await chrome.open(site.url)
        await chrome.press("wide " + "x" * 200, Keys.ENTER)
        await chrome.see(".answered .answer", "wide")
        assert await chrome.run("document.documentElement.scrollWidth") <= 360
        await chrome.vanish("#sidebar")
        await chrome.click("#menu")
        await chrome.see("#conversations a", "wide")
        await chrome.click("#new")
        await chrome.vanish("#sidebar")
        await chrome.see("#empty")
    finally:
        await chrome.do(lambda driver: driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {}))


async def metrics(chrome: Chromium, width: int) -> None:
    size = {"width": width, "height": 740, "deviceScaleFactor": 1, "mobile": False}
    await chrome.do(lambda driver: driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size))


async def test_with_an_access_token_one_logs_in_once(chrome: Chromium, tmp_path: Path) -> None:
    async with running_site(tmp_path / "t.db", ScriptedModel(answer=echo), access_token=TOKEN) as site:
        await chrome.do(lambda driver: driver.get(site.url))
        await log_in(chrome, "wrong wrong wrong")
        await chrome.see(".error", "not the access token")
        await log_in(chrome, TOKEN)
        await chrome.connected()
        await chrome.press("hi", Keys.ENTER)
        await chrome.see(".answered .answer", "You said: hi")
        await chrome.do(lambda driver: driver.refresh())
        await chrome.see(".answered .answer", "You said: hi")
        assert TOKEN not in await chrome.run("location.href + document.cookie")


async def log_in(chrome: Chromium, token: str) -> None:
    def fill(driver: Chrome) -> None:
        driver.find_element(By.ID, "token").send_keys(token, Keys.ENTER)

    await chrome.see("#token")
    await chrome.do(fill)


async def test_a_question_is_decided_by_keyboard_also_after_a_reload(chrome: Chromium, tmp_path: Path) -> None:
    call = ToolCall("1", "launch", {"target": "moon"})
    async with running_site(tmp_path / "t.db", ScriptedModel([call], ["Launched."]), gadgets=[launch]) as site:
        await chrome.open(site.url)
        await chrome.press("Launch it", Keys.ENTER)
        await chrome.see(".asking .answer code", "launch")
        await chrome.see(".decision button", "Approve")
        await chrome.do(lambda driver: driver.refresh())
        await chrome.see(".decision button.quiet", "Decline")
        group = "document.querySelector('.decision')"
        assert await chrome.run(f"[{group}.getAttribute('role'), {group}.ariaLabel].join()") == "group,Your decision"
        await chrome.run("document.querySelector('.decision button').focus()")
        await chrome.do(lambda driver: driver.switch_to.active_element.send_keys(Keys.ENTER))
        await chrome.see(".answered .answer", "Launched.")
        await chrome.vanish(".decision")
        await chrome.see(".answered .caption", "used launch")


KNOWN_SOCKETS = """
window.sockets = [];
window.WebSocket = class extends WebSocket {
  constructor(address) { super(address); sockets.push(this); }
};
"""


async def test_a_file_is_downloaded_by_keyboard_also_after_a_reconnect(
    chrome: Chromium, site: Site, tmp_path: Path
) -> None:
    known = {"source": KNOWN_SOCKETS}
    await chrome.do(lambda driver: driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", known))
    await chrome.open(site.url)
    await chrome.press("My secret is safe", Keys.ENTER)
    await chrome.see(".answered .answer", "My secret is safe")
    await chrome.press("/mission forget export", Keys.ENTER)
    await chrome.see(".note .answer", "All that I have of yours.")
    await reconnect(chrome)
    link = await chrome.see(".note a.download", "Download my-data.json")
    await chrome.see(".note .foot", f"once, within {KEPT_SECONDS / 60:.0f} minutes · Only you see this")
    assert await chrome.texts(".said") == ["My secret is safe", "/mission forget export"]
    where = {"behavior": "allow", "downloadPath": str(tmp_path)}
    await chrome.do(lambda driver: driver.execute_cdp_cmd("Browser.setDownloadBehavior", where))
    await chrome.press(Keys.SHIFT + Keys.TAB)
    assert await chrome.do(lambda driver: driver.switch_to.active_element) == link
    await chrome.do(lambda driver: driver.switch_to.active_element.send_keys(Keys.ENTER))
    await until((tmp_path / "my-data.json").exists)
    (told,) = json.loads((tmp_path / "my-data.json").read_bytes())["messages"]
    assert (told["message"], told["answer"]) == ("My secret is safe", "You said: My secret is safe")
    assert await chrome.run("fetch(document.querySelector('.download').href).then(response => response.status)") == 404


async def reconnect(chrome: Chromium) -> None:
    """The page loses its connection, comes back, and shows the stored messages anew."""
    await chrome.run("document.querySelector('.turn').classList.add('old')")
    await chrome.run("sockets.at(-1).close()")
    await chrome.vanish(".turn.old")
    await chrome.connected()
    assert await chrome.run("sockets.length") == 2


async def test_who_was_forgotten_sees_the_receipt_and_an_empty_page(chrome: Chromium, site: Site) -> None:
    await chrome.open(site.url)
    await chrome.press("My secret is safe", Keys.ENTER)
    await chrome.see(".answered .answer", "My secret is safe")
    await chrome.press("/mission forget", Keys.ENTER)
    await chrome.see(".answer p", "Of yours I have 1 mission")
    await chrome.press("/mission forget yes", Keys.ENTER)
    await chrome.see(".answer p", "Forgotten. Receipt")
    assert await chrome.texts(".said") == ["/mission forget yes"]
    assert await chrome.texts("#conversations li") == []
    await chrome.press("Hello again", Keys.ENTER)
    await chrome.see("#title", "Hello again")
    assert len(await chrome.texts("#conversations li")) == 1
