"""Monitors of models: what their Jobs send to the Pushgateway."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row

from aiplatform.observability.dashboards.panels import (
    Limits,
    Query,
    board,
    choice,
    graph,
    listing,
    number,
)
from aiplatform.observability.rules.models import PREFIX

NAME: Final = "models"
_MODEL: Final = '{team=~"$team", model=~"$model"}'
_TOO_FEW: Final = 'status="too_few"'
_OF_COLUMN: Final = "{{model}} {{column}}"


def dashboard() -> Dashboard:
    """Return the dashboard."""
    result = board(
        NAME, "Model monitoring", "Requests and answers of served models, compared with their training data."
    )
    for name, label in (("team", "Team"), ("model", "Model")):
        result = result.with_variable(choice(name, label, f"{PREFIX}rows", name))
    _windows(result)
    _columns(result)
    _requests(result)
    return result


def _of(metric: str, by: str, more: str = "") -> str:
    selector = _MODEL if not more else f"{_MODEL[:-1]}, {more}}}"
    return f"max by ({by}) ({PREFIX}{metric}{selector})"


def _windows(board: Dashboard) -> None:
    board.with_row(Row("Last windows"))
    for title, text, expression, limits in (
        (
            "Drifted models",
            "By `min_drifted_columns`.",
            f"sum({_of('window_drifted', 'team, model')})",
            Limits(1, 1),
        ),
        (
            "Drifted columns",
            "Inputs and answers.",
            f"sum({_of('drifted', 'team, model, column')})",
            Limits(1, 5),
        ),
        (
            "Worse than evaluated",
            "Models with labels.",
            f"sum({_of('quality_drifted', 'team, model, metric')})",
            Limits(1, 1),
        ),
        (
            "Not compared",
            "Windows with too few rows.",
            f"sum({_of('info', 'team, model, version', _TOO_FEW)})",
            Limits(1, 5),
        ),
    ):
        board.with_panel(number(title, text, Query(expression), limits=limits))
    board.with_panel(
        listing(
            "Drifted",
            "Columns whose last window differs from the training data.",
            Query(f"{_of('drifted', 'team, model, column')} == 1"),
        )
    )
    board.with_panel(
        listing(
            "Versions",
            "What was compared, with which snapshot.",
            Query(_of("info", "team, model, version, snapshot, status")),
        )
    )


def _columns(board: Dashboard) -> None:
    board.with_row(Row("Columns"))
    distances = 'score=~"psi|wasserstein|jensenshannon"'
    by = "team, model, column, score"
    ratio = f"{_of('drift_score', by, distances)} / {_of('threshold', by, distances)}"
    panels = (
        ("Distance", "Of the threshold: 1 is drift.", ratio, f"{_OF_COLUMN} {{{{score}}}}", ""),
        (
            "Missing values",
            "Share of the rows.",
            _of("missing_share", "team, model, column"),
            _OF_COLUMN,
            "percentunit",
        ),
        (
            "Unseen values",
            "Share of the rows with a category that the training data lacks.",
            _of("unseen_share", "team, model, column"),
            _OF_COLUMN,
            "percentunit",
        ),
    )
    for title, text, expression, legend, unit in panels:
        board.with_panel(graph(title, text, [Query(expression, legend)], "percentunit" if unit else ""))


def _requests(board: Dashboard) -> None:
    board.with_row(Row("Requests and quality"))
    of_model = "{{team}}.{{model}}"
    board.with_panel(
        graph(
            "Rows",
            "Of the last window.",
            [
                Query(_of("rows", "team, model"), of_model),
                Query(_of("problem_rows", "team, model"), f"{of_model} with a problem"),
            ],
        )
    )
    board.with_panel(
        graph(
            "Quality",
            "The metric of the answers with labels, and the registered one.",
            [
                Query(_of("quality", "team, model, metric"), "{{model}} {{metric}}"),
                Query(_of("quality_reference", "team, model, metric"), "{{model}} {{metric}} registered"),
            ],
        )
    )
    board.with_panel(
        graph(
            "Objects that wait",
            "Objects of requests that were not compacted yet.",
            [Query(_of("waiting_objects", "team, model"), of_model)],
        )
    )
