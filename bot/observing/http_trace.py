"""Counting how often a chat platform asks to slow down, where its SDK waits by itself and tells nobody."""

from types import SimpleNamespace

from aiohttp import ClientSession, TraceConfig, TraceRequestEndParams

from bot.observing.metrics import Metrics

TOO_MANY_REQUESTS = 429


def rate_limits(metrics: Metrics, platform: str) -> TraceConfig:
    """For the session of aiohttp with which the platform is called."""

    async def ended(_: ClientSession, __: SimpleNamespace, told: TraceRequestEndParams) -> None:
        if told.response.status == TOO_MANY_REQUESTS:
            metrics.rate_limits.add(platform)

    trace = TraceConfig()
    trace.on_request_end.append(ended)
    return trace
