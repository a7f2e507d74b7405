"""Which platforms `secret-agents run` serves; only those that are on are imported."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp.typedefs import Handler

from bot.commands import Commands
from bot.inbox import Inbox
from bot.models.model import Model
from bot.observing.exposition import Exposition
from bot.observing.http_trace import rate_limits
from bot.observing.metrics import Metrics
from bot.platforms.files import FileLimits
from bot.platforms.platform import Platform
from bot.settings import Settings
from storage.database import Database


class AttachedPlatform(Platform, Protocol):
    """A platform of this program: it gets the core's doors once they exist, before it runs."""

    def attach(self, inbox: Inbox, commands: Commands) -> None: ...


class RemotePlatform(AttachedPlatform, Protocol):
    """One of another company, which may be away."""

    @property
    def connected(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What a platform may be built from."""

    settings: Settings
    database: Database
    model: Model
    metrics: Metrics


BuildPlatforms = Callable[[Parts], Sequence[AttachedPlatform]]


def configured_platforms(parts: Parts) -> Sequence[AttachedPlatform]:
    """The platforms that `secret-agents run` serves; only those that are on are imported."""
    settings = parts.settings
    remote: list[RemotePlatform] = []
    doors: dict[str, Handler] = {}
    if settings.discord.on:
        remote.append(_discord_platform(parts))
    if settings.slack.on:
        remote.append(_slack_platform(parts, doors))
    return [*remote, _web_platform(parts, doors, remote)] if settings.web.enabled else remote


def _web_platform(parts: Parts, doors: Mapping[str, Handler], remote: Sequence[RemotePlatform]) -> AttachedPlatform:
    from bot.platforms.web.operators import Operation  # noqa: PLC0415 - see above
    from bot.platforms.web.server import WebPlatform  # noqa: PLC0415 - see above

    def connected() -> dict[str, bool]:
        return {platform.name: platform.connected for platform in remote}

    web, metrics = parts.settings.web, parts.metrics
    exposition = Exposition(metrics, parts.database, connected)
    figures = exposition.text if web.metrics else None
    return WebPlatform(
        host=web.host,
        port=web.port,
        database=parts.database,
        model=parts.model,
        agents={name: agent.description for name, agent in parts.settings.agents.items()},
        allowed_hosts=web.allowed_hosts,
        access_token=web.access_token.get_secret_value() if web.access_token else None,
        doors=doors,
        operation=Operation(connected, lambda: metrics.stores, figures),
    )


def _discord_platform(parts: Parts) -> RemotePlatform:
    from bot.platforms.discord.platform import DiscordPlatform  # noqa: PLC0415 - see above

    files = FileLimits.of(parts.settings.limits.attachment_bytes)
    trace = rate_limits(parts.metrics, DiscordPlatform.name)
    return DiscordPlatform(parts.settings.discord, parts.database, files, trace=trace)


def _slack_platform(parts: Parts, doors: dict[str, Handler]) -> RemotePlatform:
    """In HTTP mode its requests come to the page's server, or to one of its own where there is no page."""
    from bot.platforms.slack.manifest import PATH  # noqa: PLC0415 - see above
    from bot.platforms.slack.platform import SlackPlatform  # noqa: PLC0415 - see above

    web = parts.settings.web
    files = FileLimits.of(parts.settings.limits.attachment_bytes)
    serve = None if web.enabled else (web.host, web.port)
    trace = rate_limits(parts.metrics, SlackPlatform.name)
    platform = SlackPlatform(parts.settings.slack, parts.database, files, serve=serve, trace=trace)
    if platform.requests is not None:
        doors[PATH] = platform.requests.receive
    return platform
