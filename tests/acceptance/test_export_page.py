"""An exported page in a real Chromium: it asks for nothing, runs nothing, and fits on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.platforms.web.rendering import render
from storage import turns
from storage.database import Connection
from storage.export import Options, export_to_file
from storage.images import Image
from storage.sqlite import SQLiteDatabase
from storage.turns import NewTurn
from tests.chromium import Chromium, chromium
from tests.pictures import png
from tests.storage_builders import answer, answer_next, opening

PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
SAID = """**Bold** and `code`.

| a table | that is wide |
|---|---:|
| 1 | 2 |

```python
print("a line of code that is longer than any telephone is wide, and then some more of it, and more")
```

<img src="https://example.org/pixel.png" onerror="document.title = 'run'"> ![x](https://example.org/pixel.png)"""


@pytest.fixture
def chrome(tmp_path: Path) -> Iterator[Chromium]:
    with chromium(tmp_path / "profile") as browser:
        yield browser


def talk(connection: Connection, picture: bytes) -> None:
    for n in range(3):
        title = "<script>document.title = 'run'</script>" if n else "x" * 80
        files = ({"name": "cat.png", "image": 0},)
        new = NewTurn(
            f"{n}", "u", "Eve", title, opening(f"c{n}", title=title), False, files, (Image(0, "image/png", picture),)
        )
        answer_next(connection, turns.admit(connection, new).conversation, answer(SAID))


async def test_an_exported_page_needs_nothing_runs_nothing_and_fits(chrome: Chromium, tmp_path: Path) -> None:
    async with SQLiteDatabase(str(tmp_path / "bot.db")) as database:
        await database.write(talk, png())
        await export_to_file(database, None, tmp_path / "log.html", "html", Options(render=render))
    await chrome.do(lambda c: c.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE))
    await chrome.requests()
    url = (tmp_path / "log.html").as_uri()
    await chrome.do(lambda c: c.get(url))
    assert await chrome.mistakes() == []
    assert [asked for asked in await chrome.requests() if not asked.startswith("data:")] == [url]
    assert await chrome.run("document.title") == "Missions"
    assert await chrome.run("document.documentElement.scrollWidth <= innerWidth")
    assert await chrome.run("[...document.images].map(image => image.naturalWidth > 0)") == [True] * 3
    assert len(await chrome.texts("table a")) == 3
    await chrome.see("strong", "Bold")
    light = await chrome.run("getComputedStyle(document.body).backgroundColor")
    dark = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    await chrome.do(lambda c: c.execute_cdp_cmd("Emulation.setEmulatedMedia", dark))
    assert await chrome.run("getComputedStyle(document.body).backgroundColor") not in {light, "rgba(0, 0, 0, 0)"}
