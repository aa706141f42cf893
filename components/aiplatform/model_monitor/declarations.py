"""The file of a team's monitors, as the program of the Jobs reads it. Pure."""

from collections.abc import Mapping
from typing import Any

from pulumi import Output

from aiplatform.model_monitor.columns import MonitoredColumn
from aiplatform.model_monitor.monitors import MonitoredModel


def text(monitors: Mapping[str, MonitoredModel]) -> Output[str]:
    """Return model -> monitor, in JSON."""
    return Output.json_dumps({name: declaration(monitor) for name, monitor in monitors.items()}, indent=1)


def declaration(monitor: MonitoredModel) -> dict[str, Any]:
    """Return a monitor; names of tables may be outputs."""
    labels = monitor.labels
    return {
        "inference_services": monitor.names,
        "requests_table": monitor.requests_table,
        "results_table": monitor.results_table,
        "baseline_table": monitor.baseline_table,
        "columns": [_column(column, _source(monitor, column)) for column in monitor.columns],
        "predictions": [_column(column, column.baseline_column) for column in monitor.predictions],
        "keys": monitor.keys,
        "input_order": monitor.input_order,
        "window_hours": monitor.window_hours,
        "delay_minutes": monitor.delay_minutes,
        "min_rows": monitor.min_rows,
        "sample_rows": monitor.sample_rows,
        "seed": monitor.seed,
        "join_minutes": monitor.join_minutes,
        "min_drifted_columns": monitor.min_drifted_columns,
        "retrain": monitor.retrains,
        "cooldown_hours": monitor.cooldown_hours,
        "labels": {
            "table": labels.table,
            "key": labels.key,
            "label": labels.label,
            "prediction": labels.prediction,
            "metric": labels.metric,
            "max_loss": labels.max_loss,
            "positive": labels.positive,
            "delay_hours": labels.delay_hours,
        }
        if labels is not None
        else None,
    }


def _source(monitor: MonitoredModel, column: MonitoredColumn) -> str | None:
    """Return the column of the training's table that an input is compared with."""
    return None if monitor.baseline_table is None else column.baseline_column or column.name


def _column(column: MonitoredColumn, baseline: str | None) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        "classification": column.classification,
        "pii_consent": column.pii_consent,
        "baseline_column": baseline,
        "thresholds": column.thresholds.stated,
    }
