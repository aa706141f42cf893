"""Costs: what teams, namespaces, GPUs, trainings and services cost, by list prices."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from aiplatform.observability.dashboards.panels import Query, Unit, board, graph, listing, number
from aiplatform.observability.rules import costs
from aiplatform.observability.settings import Settings

NAME: Final = "costs"
_DOLLARS: Final[Unit] = "currencyUSD"


def dashboard(settings: Settings) -> Dashboard:
    """Return the dashboard."""
    result = board(
        NAME, "Costs", "By list prices of nodes; the bill has discounts (docs/cost-visibility.md)."
    )
    _cluster(result)
    _gpus(result)
    _units(result, settings)
    return result


def _cluster(board: Dashboard) -> None:
    board.with_row(Row("Nodes, an hour"))
    for title, text, expression in (
        ("All nodes", "Dollars an hour.", f"sum({costs.NODE})"),
        ("Idle", "What no Pod requests or uses.", costs.IDLE),
        ("A month like this hour", "730 hours.", f"sum({costs.NODE}) * 730"),
    ):
        board.with_panel(number(title, text, Query(expression)))
    for title, text, series, label in (
        ("By team", "Namespaces of teams.", costs.TEAM, "label_ai_platform_team"),
        ("By namespace", "With those of the platform.", costs.NAMESPACE, "namespace"),
        ("By pool", "Nodes, used or not.", costs.NODE, "label_ai_platform_pool"),
    ):
        expression = f"sum by ({label}) ({series})"
        board.with_panel(graph(title, text, [Query(expression, f"{{{{{label}}}}}")], _DOLLARS, stacked=True))


def _gpus(board: Dashboard) -> None:
    board.with_row(Row("GPUs, an hour"))
    pool = "{{label_ai_platform_pool}}"
    board.with_panel(
        graph(
            "GPUs by pool",
            "A node's whole price is that of its GPUs.",
            [Query(costs.GPU_POOL, pool), Query(costs.GPU_POOL_USED, f"{pool} allocated")],
            _DOLLARS,
        )
    )
    share = f"1 - {costs.GPU_POOL_USED} / {costs.GPU_POOL}"
    board.with_panel(
        graph("Not allocated", "Part of the price of the pool.", [Query(share, pool)], "percentunit", most=1)
    )


def _units(board: Dashboard, settings: Settings) -> None:
    board.with_row(Row("Trainings and services"))
    board.with_panel(
        listing(
            "Trainings of 7 days", "Dollars of each, while its Pods ran.", Query(costs.of_run("7d")), _DOLLARS
        )
    )
    panels = [("Services", "Dollars an hour, both colors.", costs.SERVICE)]
    if settings.gateway:
        panels.append(("1,000 requests", "Of the last hour, with those that failed.", costs.PER_REQUESTS))
    if settings.serving:
        panels.append(("A million tokens", "Prompts and answers, of the last hour.", costs.PER_TOKENS))
    for title, text, series in panels:
        board.with_panel(graph(title, text, [Query(series, "{{namespace}}/{{service}}")], _DOLLARS))
