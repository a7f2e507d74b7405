"""A busy Discord server, in short: `make fire-discord` runs all of it."""

from pathlib import Path

from tests.fire.discord_soak import DiscordCrowd
from tests.fire.soak import KILLS, Soak


async def test_every_question_is_answered_once_and_in_its_turn_whatever_happens_meanwhile(tmp_path: Path) -> None:
    """Messages told twice, cut lines, lost sessions, refused calls, answers nobody heard of, kills; see Soak."""
    async with Soak(DiscordCrowd(), tmp_path, messages=250, threads=25, seed=2026, rounds=1) as soak:
        report = await soak.run()
    assert report.happened["kills"] == KILLS
    assert all(report.happened[kind] for kind in ("messages told again", "lost sessions", "bursts of 429"))
