"""The command line: `python -m model_monitor compact MODEL`, and `compare`, `report` alike.

Progress and errors go to stderr, the result of `report` to stdout. Exit codes: 2 where a command is refused,
which running it again does not change; 1 for other errors. A window that has drifted is no error.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import Final

import typer

from model_monitor import declaration, queues
from model_monitor.errors import RefusedError
from model_monitor.objects import open_folder

_REFUSED: Final = 2
app = typer.Typer(
    name="model_monitor",
    help="Compare what a model is asked and answers with what it was trained on.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
MODEL = typer.Argument(metavar="MODEL", help="A model of the file of monitors.")
END = typer.Option(None, "--end", help="End of the window, UTC. Default: the last full hour.")
VERSION = typer.Option(None, "--version", help="Default: the version with the most rows.")


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RefusedError(f"{name}: missing; expected the variable of the platform's Job")
    return value


def _now() -> datetime:
    return datetime.now(UTC)


@app.command()
def compact(model: str = MODEL) -> None:
    """Store the logged requests of a model in its table."""
    from model_monitor import metrics
    from model_monitor.compact import Compaction
    from model_monitor.registry import of_monitor

    monitor, team = declaration.monitor(model), _variable("PLATFORM_TEAM")
    folder = open_folder(_variable("LOGS_URI"), "LOGS_URI")
    registry = of_monitor(monitor, f"{team}.{model}")
    result = Compaction(monitor, _variable("NAMESPACE"), folder, registry.input_names).run(_now())
    _note(f"rows: {result.rows}, waiting objects: {result.waiting}, mistyped values: {result.mistyped}")
    for problem, count in sorted(result.problems.items()):
        _note(f"{problem}: {count} rows")
    if address := os.environ.get("PUSHGATEWAY_URL"):
        metrics.of_compaction(result, _now()).push(address, metrics.COMPACT, team, model)


@app.command()
def compare(model: str = MODEL, end: str | None = END, version: str | None = VERSION) -> None:
    """Compare a window of requests with what the served version was trained on."""
    from dataclasses import replace

    from model_monitor import metrics
    from model_monitor.compare import Comparer, window
    from model_monitor.registry import of_monitor
    from model_monitor.report import render
    from model_monitor.results import FAILED, PENDING, SENT, Results

    monitor, team = declaration.monitor(model), _variable("PLATFORM_TEAM")
    queue = queues.check(_variable("QUEUE")) if monitor.retrain else ""
    folder = open_folder(_variable("REPORTS_URI"), "REPORTS_URI")
    results = Results(monitor.results_table, team, model)
    now = _now()
    stated = window(monitor, now, end)
    registry = of_monitor(monitor, f"{team}.{model}")
    outcome = Comparer(monitor, team, model, registry, render).run(stated, version, now)
    run = outcome.run
    if outcome.html is not None:
        key = f"{team}/{model}/{run.window_end:%Y%m%dT%H%M%SZ}-{run.run_id}.html"
        run = replace(run, report=folder.write(key, outcome.html, "text/html; charset=utf-8"))
        _note(f"report: {run.report}")
    run = results.store(run, timedelta(hours=monitor.cooldown_hours))
    if run.event == PENDING:
        try:
            _note(f"message {queues.send(queue, queues.training(model))}")
        except Exception:
            # So that the next attempt of the Job sends it.
            results.announced(run, FAILED, _now())
            raise
        run = results.announced(run, SENT, _now())
    columns = f" ({', '.join(run.drifted_columns)})" if run.drifted_columns else ""
    _note(f"version {run.version}, {run.rows} rows: {run.status}{columns}, event: {run.event}")
    if address := os.environ.get("PUSHGATEWAY_URL"):
        metrics.of_run(run, outcome.comparison, _now()).push(address, metrics.COMPARE, team, model)


@app.command()
def report(model: str = MODEL) -> None:
    """Print the last result of a model as JSON."""
    from model_monitor.results import Results

    monitor = declaration.monitor(model)
    row = Results(monitor.results_table, _variable("PLATFORM_TEAM"), model).last()
    if row is None:
        raise RefusedError(
            f"table {monitor.results_table!r}: no result of {model}; expected a run of `compare`"
        )
    sys.stdout.write(f"{json.dumps(row)}\n")


def main() -> int:
    """Run the command line."""
    try:
        app(prog_name="model_monitor", standalone_mode=True)
    except RefusedError as error:
        _note(f"error: {error}")
        return _REFUSED
    except Exception as error:  # noqa: BLE001 - the Job runs again, and the log has one line of it
        _note(f"error: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
