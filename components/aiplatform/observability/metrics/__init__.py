"""The inventory of metrics: which series exist, their labels, and the setting that makes them exist.

Rules and dashboards use metrics of `inventory.toml` alone, so that none of them waits for series that nothing
exports. Tests compare the inventory with the values of the charts.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from aiplatform.observability.settings import Settings

MetricType = Literal["gauge", "counter", "histogram"]

_FILE: Final = Path(__file__).with_name("inventory.toml")
_HISTOGRAM_SERIES: Final = ("_bucket", "_count", "_sum")


@dataclass(frozen=True)
class Metric:
    """A metric, as its exporter names it."""

    name: str
    exporter: str
    type: MetricType
    labels: tuple[str, ...]
    """Its labels without those of the target (`job`, `instance`, `namespace`, `service`, `pod`)."""
    buckets: tuple[float, ...] = ()
    """The upper bounds of a histogram's buckets, without infinity."""
    settings: tuple[str, ...] = ()
    """Keys of the chart's values without which it does not exist, in addition to those of its exporter."""

    @property
    def series(self) -> tuple[str, ...]:
        """The names of its series."""
        if self.type == "histogram":
            return tuple(f"{self.name}{suffix}" for suffix in _HISTOGRAM_SERIES)
        return (self.name,)


@dataclass(frozen=True)
class Exporter:
    """What serves metrics."""

    name: str
    target: str
    """The selector of its series of `up`."""
    metrics: tuple[Metric, ...]
    monitor: str | None = None
    """The add-on that serves them, which must be installed; the monitor of the component scrapes it (TARGETS
    of `monitors`). None: the chart kube-prometheus-stack brings exporter and monitor."""
    chart: str | None = None
    """The add-on whose values decide which of its metrics exist."""
    switch: str | None = None
    """The key of the chart's values that must not be off, with dots."""
    settings: tuple[str, ...] = ()
    """Keys of the chart's values that are stated where its metrics exist. After a colon follows a key inside
    of a value that is itself YAML."""
    condition: str | None = None
    """The attribute of `Settings` that decides whether it exists, in place of the add-on."""
    cloud: str | None = None
    """The only cloud on which it exists. None: both."""
    may_have_no_target: bool = False
    """Whether there may be none: it is of nodes, gateways or servers."""
    honor_labels: bool = False
    """Whether labels `namespace` and `pod` are those of an object, and not of the target."""
    of_workloads: bool = False
    """Whether Pods of users export them, at their port `metrics`."""

    def exists(self, settings: Settings) -> bool:
        """Return whether its metrics exist in an environment."""
        if self.cloud not in (None, settings.cloud):
            return False
        if self.condition is not None:
            return bool(getattr(settings, self.condition))
        return self.monitor is None or self.monitor in settings.addons


@cache
def exporters() -> Mapping[str, Exporter]:
    """Return all exporters by name."""
    document = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return {name: _exporter(name, table) for name, table in document.items()}


@cache
def metrics() -> Mapping[str, Metric]:
    """Return all metrics by name."""
    return {metric.name: metric for exporter in exporters().values() for metric in exporter.metrics}


def series_of(settings: Settings) -> Mapping[str, Metric]:
    """Return the metrics that exist in an environment, by the name of each series."""
    existing = (exporter for exporter in exporters().values() if exporter.exists(settings))
    return {
        series: metric for exporter in existing for metric in exporter.metrics for series in metric.series
    }


def _exporter(name: str, table: Mapping[str, Any]) -> Exporter:
    common = tuple(table.get("labels", ()))
    return Exporter(
        name=name,
        target=table["target"],
        monitor=table.get("monitor"),
        chart=table.get("chart"),
        switch=table.get("switch"),
        settings=tuple(table.get("settings", ())),
        condition=table.get("condition"),
        cloud=table.get("cloud"),
        may_have_no_target=table.get("may_have_no_target", False),
        honor_labels=table.get("honor_labels", False),
        of_workloads=table.get("of_workloads", False),
        metrics=tuple(
            Metric(
                name=metric,
                exporter=name,
                type=entry["type"],
                labels=(*common, *entry.get("labels", ())),
                buckets=tuple(float(bound) for bound in entry.get("buckets", ())),
                settings=tuple(entry.get("settings", ())),
            )
            for metric, entry in table["metrics"].items()
        ),
    )
