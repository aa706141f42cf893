"""`aiplatform monitor`: what monitors of models report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer

from cli.maintenance.cluster import KUBECONFIG, kubeconfig_of
from cli.monitor.reports import Reports
from cli.output import CommandError, say, table
from cli.stacks import ENVIRONMENT

app = typer.Typer(name="monitor", help="Monitors of served models.", no_args_is_help=True)
_MODEL: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}/[a-z][a-z0-9-]{0,62}")
MODEL = typer.Argument(metavar="TEAM/MODEL", help="The model.", show_default=False)
NAMESPACE = typer.Option("", "--namespace", help="The team's namespace, where it has another name.")
MINUTES = typer.Option(10, "--timeout", metavar="MINUTES", min=1, help="Limit of the wait.")
JSON = typer.Option(False, "--json", help="Print the result as JSON.")


@app.callback()
def options() -> None:
    """Declare the group: a single command would otherwise have no name."""


@app.command()
def report(
    environment: str = ENVIRONMENT,
    model: str = MODEL,
    namespace: str = NAMESPACE,
    as_json: bool = JSON,
    minutes: int = MINUTES,
    kubeconfig: Path | None = KUBECONFIG,
) -> None:
    """Print the last result of a model's monitor, and where its report is."""
    if not _MODEL.fullmatch(model):
        raise CommandError(f"model {model!r}: expected TEAM/MODEL, as in pricing/fares")
    team, _, name = model.partition("/")
    result = _reports(environment, kubeconfig, minutes).last(namespace or team, name)
    if as_json:
        say(json.dumps(result, indent=1))
        return
    for line in summary(result):
        say(line)
    say()
    table(
        ("column", "score", "value", "threshold", "state"), [row(score) for score in result["scores"] or ()]
    )


def summary(result: dict[str, Any]) -> Iterator[str]:
    """Yield what is printed above the scores."""
    yield f"{result['team']}/{result['model']} version {result['version']}: {result['status']}"
    yield f"window    {result['window_start']} to {result['window_end']}, {result['rows']} rows"
    yield f"baseline  {_baseline(result)}"
    if result.get("problem_rows"):
        yield f"problems  {result['problem_rows']} rows are not compared"
    if result.get("quality_metric"):
        yield (
            f"quality   {result['quality_metric']} {result['quality']:.4g}, registered "
            f"{result['quality_reference']:.4g}, {result['quality_rows']} labels"
        )
    yield f"training  {result['event']}"
    yield f"report    {result['report'] or 'none: too few rows'}"


def _baseline(result: dict[str, Any]) -> str:
    """Return what a window was compared with: of a model that nothing trains there is no table."""
    if result["baseline_table"] is None:
        return f"the first {result.get('baseline_rows') or 0} rows of the version"
    return f"{result['baseline_table']}, snapshot {result['baseline_snapshot']}"


def row(score: dict[str, Any]) -> tuple[str, ...]:
    """Return the cells of a score."""
    sign = "<" if score.get("below") else ">="
    state = "drifted" if score["drifted"] else "ok"
    return (
        score["column"],
        score["score"],
        f"{score['value']:.4g}",
        f"{sign} {score['threshold']:.4g}",
        state,
    )


def _reports(environment: str, kubeconfig: Path | None, minutes: int) -> Reports:
    from cli import instances

    instances.of_environment(environment)  # refuses one that has no file
    return Reports.of(kubeconfig_of(environment, kubeconfig), minutes * 60)
