"""What operators see of the chat platforms: whether they are connected, and how often they ask to slow down."""

from pathlib import Path

from bot.observing.http_trace import rate_limits
from bot.observing.metrics import Metrics
from bot.platforms.slack.platform import SlackPlatform
from tests import discord_scene, slack_scene
from tests.waiting import until

MESSAGES = "/channels/{channel_id}/messages"


async def test_discord_is_connected_while_every_shard_hears_it(tmp_path: Path) -> None:
    async with discord_scene.stage() as at, discord_scene.bot_on(at, tmp_path, connected=False) as scene:
        platform = scene.bot.core.platform
        assert not platform.connected
        await at.discord.connected()
        await until(lambda: platform.connected)
        at.discord.pause_gateway()
        await until(lambda: not platform.connected)
        at.discord.unpause_gateway()
        await until(lambda: platform.connected)
        await scene.bot.stop()
        assert not platform.connected


async def test_slack_is_connected_while_a_socket_is_open(tmp_path: Path) -> None:
    async with slack_scene.scene(tmp_path) as at:
        platform: SlackPlatform = at.bot.core.platform
        await until(lambda: platform.connected)
        at.slack.fail_next("apps.connections.open", times=3, status=502)
        await at.slack.socket_mode.cut()
        await until(lambda: not platform.connected)
        await until(lambda: platform.connected)


async def test_slack_over_http_is_connected_once_it_is_logged_in(tmp_path: Path) -> None:
    async with slack_scene.scene(tmp_path, mode="http") as at:
        assert at.bot.core.platform.connected


async def test_what_discord_puts_off_is_counted(tmp_path: Path) -> None:
    metrics = Metrics()
    trace = rate_limits(metrics, "discord")
    async with discord_scene.scene(tmp_path, trace=trace) as at:
        at.discord.fail_next("POST", MESSAGES, status=429, retry_after=0.05, times=2)
        await at.answered("hello")
    assert metrics.rate_limits.totals() == [(("discord",), 2)]


async def test_what_slack_puts_off_is_counted(tmp_path: Path) -> None:
    metrics = Metrics()
    async with slack_scene.scene(tmp_path, trace=rate_limits(metrics, "slack")) as at:
        at.slack.fail_next("chat.postMessage", status=429, retry_after=0)
        await at.answered("hello")
    assert metrics.rate_limits.totals() == [(("slack",), 1)]
