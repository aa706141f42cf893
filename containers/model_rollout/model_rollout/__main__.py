"""The command line. Progress and errors go to stderr.

Exit codes: 2 where a rollout is refused, which running it again does not change; 1 for other errors, after
which the same command goes on. A rollout that was rolled back ends with 0.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import typer

from model_rollout import parameters as stated
from model_rollout import templates
from model_rollout.cluster import Cluster
from model_rollout.errors import RefusedError
from model_rollout.measurement import Prometheus
from model_rollout.rollout import Outcome, Rollout, note

_REFUSED: Final = 2
app = typer.Typer(
    name="model_rollout",
    help="Move the requests of a service to a release, step by step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
RUN = typer.Option(..., "--run", help="Identifies the rollout: repeated, the command goes on.")
SERVICE = typer.Option(..., "--service", help="A service of the team.")
URI = typer.Option(..., "--model-uri", help="RELEASES_URI/TEAM/MODEL/VERSION")
OUTPUTS = typer.Option(..., "--outputs", help="The folder of the results: the files `result` and `reason`.")


def _rollout(service: str, model_uri: str, run: str) -> Rollout:
    service_of = templates.load(Path(os.environ["TEMPLATES"]), Path(os.environ["ROUTES"]), service, model_uri)
    return Rollout(
        Cluster(os.environ["NAMESPACE"]),
        Prometheus(os.environ["PROMETHEUS_URL"]),
        service_of,
        # A workflow may serve several releases one after the other.
        f"{run}/{service_of.version}",
    )


def _write(outcome: Outcome, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "reason").write_text(outcome.reason)
    (folder / "result").write_text(outcome.result)
    note(f"{outcome.result}{f': {outcome.reason}' if outcome.reason else ''}")


@app.command()
def roll(
    run: str = RUN,
    service: str = SERVICE,
    model_uri: str = URI,
    weights: str = typer.Option("10,50,100", "--weights"),
    step_minutes: str = typer.Option("10", "--step-minutes"),
    max_error_rate: str = typer.Option("0.01", "--max-error-rate"),
    max_p95_ms: str = typer.Option("1000", "--max-p95-ms"),
    min_requests: str = typer.Option("20", "--min-requests"),
    no_traffic: str = typer.Option(stated.BACK, "--no-traffic"),
    mirror_percent: str = typer.Option("0", "--mirror-percent"),
    ready_minutes: str = typer.Option("60", "--ready-minutes"),
    keep: str = typer.Option("true", "--keep"),
    outputs: Path = OUTPUTS,
) -> None:
    """Serve a release: create its InferenceService, and move the requests to it."""
    values = {
        "service": service,
        "model_uri": model_uri,
        "weights": weights,
        "step_minutes": step_minutes,
        "max_error_rate": max_error_rate,
        "max_p95_ms": max_p95_ms,
        "min_requests": min_requests,
        "no_traffic": no_traffic,
        "mirror_percent": mirror_percent,
        "ready_minutes": ready_minutes,
        "keep": keep,
    }
    parameters = stated.parse(values, float(os.environ["SCRAPE_SECONDS"]))
    _write(_rollout(service, model_uri, run).roll(parameters), outputs)


@app.command()
def settle(run: str = RUN, service: str = SERVICE, model_uri: str = URI) -> None:
    """Go back where a rollout has ended before its last step; else change nothing."""
    outcome = _rollout(service, model_uri, run).settle()
    note(f"{outcome.result}{f': {outcome.reason}' if outcome.reason else ''}")


def main() -> int:
    """Run the command line."""
    try:
        app(prog_name="model_rollout", standalone_mode=True)
    except RefusedError as error:
        note(f"error: {error}")
        return _REFUSED
    except Exception as error:  # noqa: BLE001 - the workflow runs it again, and the log has one line of it
        note(f"error: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
