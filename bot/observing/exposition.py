"""The figures in Prometheus's text format, for `GET /metrics`.

prometheus_client is imported when somebody asks for the first time, and works in a thread: neither those who never ask
nor the event loop pay for it. Its format: https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from bot.observing.figures import Counts, Spread
from bot.observing.metrics import Metrics, since
from storage import overview
from storage.database import Database
from storage.errors import StorageError
from storage.overview import Queue

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.metrics_core import Metric

FRESH_SECONDS = 1.0
"""How long the queue is known for: however many ask, the database is asked once in that time."""


class Exposition:
    """Tells `metrics`, the queue in the database, which chat platforms are `connected`, and what the process takes of
    the machine.
    """

    def __init__(
        self,
        metrics: Metrics,
        database: Database,
        connected: Callable[[], Mapping[str, bool]] = dict,
        *,
        fresh_seconds: float = FRESH_SECONDS,
    ) -> None:
        self._fresh_seconds = fresh_seconds
        self._metrics = metrics
        self._connected = connected
        self._database = database
        self._queue: Queue | None = None
        self._asked_at = -math.inf
        self._asking = asyncio.Lock()
        self._registry: CollectorRegistry | None = None

    async def text(self) -> bytes:
        """Never raises: what cannot be found out is left out."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= self._fresh_seconds:
                self._queue = await self._waiting()
                self._asked_at = time.monotonic()
            return await asyncio.to_thread(self._rendered)

    async def _waiting(self) -> Queue | None:
        try:
            return await self._database.read(overview.queue)
        except StorageError:
            return None

    def _rendered(self) -> bytes:
        from prometheus_client.exposition import generate_latest  # noqa: PLC0415 - see above

        if self._registry is None:
            self._registry = self._made()
        return generate_latest(self._registry)

    def _made(self) -> "CollectorRegistry":
        from prometheus_client import CollectorRegistry, ProcessCollector  # noqa: PLC0415 - see above

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        ProcessCollector(registry=registry)
        return registry

    def collect(self) -> Iterator["Metric"]:
        """What prometheus_client asks a collector for."""
        yield from map(_counted, self._metrics.counts)
        yield from map(_spread, self._metrics.spreads)
        yield from _queue(self._queue)
        yield _connections(self._connected())


def _counted(counts: Counts) -> "Metric":
    from prometheus_client.metrics_core import CounterMetricFamily  # noqa: PLC0415 - see above

    family = CounterMetricFamily(counts.name, counts.about, labels=counts.labels)
    for labels, total in counts.totals():
        family.add_metric(labels, total)
    return family


def _spread(spread: Spread) -> "Metric":
    from prometheus_client.metrics_core import HistogramMetricFamily  # noqa: PLC0415 - see above

    family = HistogramMetricFamily(spread.name, spread.about, labels=spread.labels)
    for labels, counts, total in spread.rows():
        below, buckets = 0, []
        for bound, count in zip((*spread.bounds, float("inf")), counts, strict=True):
            below += count
            buckets.append(("+Inf" if bound == float("inf") else str(bound), float(below)))
        family.add_metric(labels, buckets, total)
    return family


def _queue(queue: Queue | None) -> "Iterator[Metric]":
    from prometheus_client.metrics_core import GaugeMetricFamily  # noqa: PLC0415 - see above

    yield GaugeMetricFamily("secret_agents_database_up", "Whether the database can be read.", value=queue is not None)
    if queue is not None:
        yield GaugeMetricFamily("secret_agents_open_turns", "Turns that wait or are worked on.", value=queue.open)
        oldest = since(queue.oldest) if queue.oldest else 0
        yield GaugeMetricFamily("secret_agents_oldest_open_turn_seconds", "How long one waits already.", value=oldest)


def _connections(connected: Mapping[str, bool]) -> "Metric":
    from prometheus_client.metrics_core import GaugeMetricFamily  # noqa: PLC0415 - see above

    about = "Whether a chat platform is connected."
    family = GaugeMetricFamily("secret_agents_platform_connected", about, labels=("platform",))
    for platform, up in connected.items():
        family.add_metric((platform,), up)
    return family
