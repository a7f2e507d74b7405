"""The promises hold however often, and wherever, the bot is killed. `make fire` runs longer campaigns."""

from pathlib import Path

from tests.fire.campaign import Campaign

BOUNDARIES = (
    "before admit",
    "after admit",
    "admitted",
    "after ack",
    "before claim",
    "after claim",
    "before executed",  # a model call or a gadget begins
    "after executed",
    "model piece",
    "before record_step",
    "after record_step",
    "before send",
    "after send",  # posted, its id not stored
    "before record_delivery",
    "after record_delivery",
    "before edit",
    "after edit",
    "before conclude",
    "after conclude",
    "before finish",
    "after finish",
)


async def test_a_bot_killed_at_every_boundary_and_at_random_answers_everything_once_and_in_order(
    tmp_path: Path,
) -> None:
    """Also: no message is lost or taken twice, and no recorded step is executed again; see Campaign for the checks."""
    report = await Campaign(tmp_path, seed=2026).run(kills=30, boundaries=BOUNDARIES)
    assert report.kills.total() == 30 + len(BOUNDARIES)
    assert report.events > 0
