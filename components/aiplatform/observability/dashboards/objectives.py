"""Service level objectives: error budgets and how fast they are used, from the series of recording rules."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from aiplatform.observability.dashboards.panels import (
    Query,
    board,
    choice,
    graph,
    listing,
)

NAME: Final = "objectives"
_SLO: Final = '{slo=~"$slo", owner=~"$owner"}'
_WINDOWS: Final = ("1h", "6h", "1d", "3d")
"""The long windows of the alerts."""


def dashboard() -> Dashboard:
    """Return the dashboard."""
    result = board(NAME, "Service level objectives", "Error budgets, and how fast they are used.")
    result = result.with_variable(choice("slo", "Objective", "slo:objective:ratio", "slo"))
    result = result.with_variable(choice("owner", "Owner", "slo:objective:ratio", "owner"))
    result.with_row(Row("Error budgets"))
    result.with_panel(
        graph(
            "Error budget that is left",
            "Of the window of each objective. At zero the objective is missed.",
            [Query(f"slo:error_budget:remaining_ratio{_SLO}", "{{slo}}")],
            "percentunit",
            most=1,
            width=12,
        )
    )
    result.with_panel(
        listing(
            "Objectives",
            "The share of events that must be good.",
            Query(f"max by (slo, owner) (slo:objective:ratio{_SLO})"),
            "percentunit",
        )
    )
    result.with_row(Row("Burn rates"))
    for window in _WINDOWS:
        result.with_panel(
            graph(
                f"Burn rate, {window}",
                "At 1 the budget lasts exactly for the window of the objective.",
                [Query(f"slo:error_ratio:rate{window}{_SLO} / (1 - slo:objective:ratio{_SLO})", "{{slo}}")],
                width=6,
            )
        )
    result.with_row(Row("Events"))
    result.with_panel(
        graph(
            "Events",
            "A second, of each objective.",
            [Query(f"slo:events:rate5m{_SLO}", "{{slo}}")],
            width=12,
        )
    )
    result.with_panel(
        graph(
            "Bad events",
            "A second, of each objective.",
            [Query(f"slo:bad_events:rate5m{_SLO}", "{{slo}}")],
            width=12,
        )
    )
    return result
