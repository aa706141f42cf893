"""Dashboards and their panels, with what all of them have in common: layout, data source, and links.

Queries have fixed ranges (`[5m]`) in place of `$__rate_interval`, so that a parser of PromQL reads them as
they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from grafana_foundation_sdk.builders.common import StackingConfig, VizLegendOptions
from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    ThresholdsConfig,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models.common import LegendDisplayMode, LegendPlacement, StackingMode
from grafana_foundation_sdk.models.dashboard import Dashboard as Model
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

Unit = Literal["", "percentunit", "percent", "s", "bytes", "watt", "celsius", "currencyUSD"]
"""A unit of Grafana; empty for plain numbers."""

SOURCE: Final = "datasource"
"""The variable with the data source."""
TAG: Final = "ai-platform"
_PROMETHEUS: Final = DataSourceRef(type_val="prometheus", uid=f"${{{SOURCE}}}")
_WIDTH: Final = 24
_HEIGHT: Final = 8
_LOW: Final = 4
_GREEN, _ORANGE, _RED = "green", "orange", "red"


@dataclass(frozen=True)
class Query:
    """An expression. legend: with the labels of a series in braces (`{{pod}}`)."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Limits:
    """From which values on a number is orange, and red."""

    orange: float
    red: float


Panel = TimeSeries | Stat | Table


def board(name: str, title: str, description: str) -> Dashboard:
    """Return a dashboard without panels. name: the last part of its uid, which links contain and which stays
    the same."""
    return (
        Dashboard(title)
        .uid(f"{TAG}-{name}")
        .description(description)
        .tags([TAG])
        .time("now-6h", "now")
        .refresh("1m")
        .timezone("browser")
        .readonly()
        .link(
            DashboardLink("Other dashboards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .include_vars(False)
            .keep_time(True)
        )
        .with_variable(DatasourceVariable(SOURCE).label("Data source").type("prometheus"))
    )


def arranged(board: Dashboard) -> Model:
    """Return a dashboard whose panels are placed from left to right in lines, with ids by their position. The
    SDK lets panels of different widths leave the grid."""
    model = board.build()
    column = line = height = 0
    for position, panel in enumerate(model.panels or [], start=1):
        panel.id_val = position
        place = panel.grid_pos
        if place is None:
            continue
        if column + place.w > _WIDTH:
            column, line, height = 0, line + height, 0
        place.x, place.y = column, line
        column, height = column + place.w, max(height, place.h)
    return model


def choice(name: str, label: str, metric: str, of: str) -> QueryVariable:
    """Return a variable: all values, or some values, of a label of a metric. label: its text. of: the label
    of the metric."""
    return (
        QueryVariable(name)
        .label(label)
        .datasource(_PROMETHEUS)
        .query(f"label_values({metric}, {of})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .include_all(True)
        .all_value(".*")
        .multi(True)
    )


def graph(
    title: str,
    description: str,
    queries: Sequence[Query],
    unit: Unit = "",
    *,
    stacked: bool = False,
    most: float | None = None,
    width: int = _WIDTH // 3,
) -> TimeSeries:
    """Return a graph over time. most: the upper end of its axis. width: of 24 columns."""
    panel = (
        TimeSeries()
        .title(title)
        .description(description)
        .datasource(_PROMETHEUS)
        .unit(unit)
        .min(0)
        .span(width)
        .height(_HEIGHT)
        .fill_opacity(10 if not stacked else 40)
        .legend(
            VizLegendOptions()
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.BOTTOM)
            .show_legend(True)
            .calcs(["lastNotNull", "max"])
        )
    )
    if stacked:
        panel = panel.stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))
    if most is not None:
        panel = panel.max(most)
    for reference, query in zip(_REFERENCES, queries, strict=False):
        panel = panel.with_target(_target(query, reference))
    return panel


def number(title: str, description: str, query: Query, unit: Unit = "", limits: Limits | None = None) -> Stat:
    """Return a single number, the newest."""
    panel = (
        Stat()
        .title(title)
        .description(description)
        .datasource(_PROMETHEUS)
        .unit(unit)
        .span(_WIDTH // 6)
        .height(_LOW)
        .no_value("0")
        .with_target(_target(query, "A").instant())
    )
    return panel.thresholds(_steps(limits))


def listing(
    title: str, description: str, query: Query, unit: Unit = "", *, width: int = _WIDTH // 2
) -> Table:
    """Return a table of the newest values: a row for each series, a column for each label."""
    return (
        Table()
        .title(title)
        .description(description)
        .datasource(_PROMETHEUS)
        .unit(unit)
        .span(width)
        .height(_HEIGHT)
        .with_target(_target(query, "A").instant().format(PromQueryFormat.TABLE))
        .with_transformation(
            DataTransformerConfig(id_val="organize", options={"excludeByName": {"Time": True}})
        )
    )


_REFERENCES: Final = "ABCDEFGH"


def _target(query: Query, reference: str) -> Dataquery:
    return (
        Dataquery()
        .ref_id(reference)
        .datasource(_PROMETHEUS)
        .expr(query.expression)
        .legend_format(query.legend or "__auto")
    )


def _steps(limits: Limits | None) -> ThresholdsConfig:
    steps = [Threshold(color=_GREEN)]
    if limits is not None:
        steps += [
            Threshold(color=_ORANGE, value=limits.orange),
            Threshold(color=_RED, value=limits.red),
        ]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
