"""A busy Slack workspace, in short: `make fire-slack` runs all of it."""

from pathlib import Path

from tests.fire.slack_soak import SlackCrowd
from tests.fire.soak import KILLS, Soak


async def test_every_question_is_answered_once_and_in_its_turn_whatever_happens_meanwhile(tmp_path: Path) -> None:
    """Events told twice, sockets refreshed, closed and cut, refused calls, answers nobody heard of, kills; see Soak."""
    async with Soak(SlackCrowd(seed=2026), tmp_path, messages=200, threads=20, seed=2026, rounds=1) as soak:
        report = await soak.run()
    assert report.happened["kills"] == KILLS
    assert all(report.happened[kind] for kind in ("messages told again", "closed sockets", "bursts of 429"))
