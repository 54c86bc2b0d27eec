# SPDX-License-Identifier: Apache-2.0
"""What Prometheus is told of a site: read from the rooms at each scrape, never counted beside them.

Labels are only names that configuration bounds (pipelines, networks, channels): no change numbers.
Collected on a worker thread; everything read here answers from memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from ..meetbot.irc.model import Health
from ..pipeline.driver import Driver


@dataclass(frozen=True, slots=True)
class SiteMetrics(Collector):
    """`slots` tells how many builds would be taken now, `journal` the newest id, `networks` how IRC is."""

    driver: Driver
    slots: Callable[[], int]
    journal: Callable[[], int]
    networks: Callable[[], Sequence[Health]]

    def collect(self) -> Iterable[Metric]:
        """All figures as they are now."""
        items, builds = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
        for queue in tuple(self.driver.queues.values()):
            items[queue.tenant, queue.pipeline] += len(queue.items)
            builds[queue.tenant, queue.pipeline] += len(queue.owners)
        yield _by_pipeline("gatebot_queue_items", "Items in the queues of a pipeline.", items)
        yield _by_pipeline("gatebot_builds_unfinished", "Builds that were given out and have not ended.", builds)
        yield GaugeMetricFamily("gatebot_executor_free_slots", "Builds that executors would take now.", self.slots())
        yield GaugeMetricFamily("gatebot_journal_last_id", "The newest fact that open pages know of.", self.journal())
        connected = GaugeMetricFamily("gatebot_irc_connected", "Whether a network is connected.", labels=["network"])
        heard = GaugeMetricFamily(
            "gatebot_irc_last_line_seconds", "When a line was heard last, UTC.", labels=["network", "channel"]
        )
        joined = GaugeMetricFamily(
            "gatebot_irc_joined", "Whether the bot is in a channel.", labels=["network", "channel"]
        )
        silent = GaugeMetricFamily(
            "gatebot_irc_silent", "Whether a channel is silent for longer than is set.", labels=["network", "channel"]
        )
        for network in self.networks():
            connected.add_metric([network.name], float(network.connected is not None))
            for channel in network.channels:
                names = [network.name, channel.name]
                joined.add_metric(names, float(channel.joined))
                silent.add_metric(names, float(channel.silent))
                if channel.last_line is not None:
                    heard.add_metric(names, channel.last_line.timestamp())
        yield from (connected, joined, silent, heard)


def _by_pipeline(name: str, about: str, counted: Counter[tuple[str, str]]) -> Metric:
    family = GaugeMetricFamily(name, about, labels=["tenant", "pipeline"])
    for (tenant, pipeline), count in sorted(counted.items()):
        family.add_metric([tenant, pipeline], count)
    return family
