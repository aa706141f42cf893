"""The command line. Progress and errors go to stderr.

Exit codes: 2 for what is refused, which running it again does not change; 1 for other errors, after which the
next run goes on.
"""

from __future__ import annotations

import os
import sys
from typing import Final

import typer

from cost_control import alerts, budget, metrics, reaper, schedule
from cost_control.alerts import Alert
from cost_control.cluster import Cluster
from cost_control.errors import RefusedError
from cost_control.messages import Message

_REFUSED: Final = 2
app = typer.Typer(
    name="cost_control",
    help="Hold queues and end idle work to control costs.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command("budget")
def by_budget() -> None:
    """Hold the queues of CLUSTER_QUEUES where the messages of QUEUE state that BUDGET is spent."""
    queue, name = _variable("QUEUE"), _variable("BUDGET")
    percent = int(_variable("PERCENT"))

    def read(message: Message) -> Alert | None:
        if queue.startswith("projects/"):
            return alerts.of_google(message.text, message.attributes, name.rpartition("/")[2], percent)
        return alerts.of_aws(message.text, name)

    budget.run(Cluster(), _names(), queue, read)


@app.command("schedule")
def by_schedule() -> None:
    """Hold and drain the queues of CLUSTER_QUEUES while SCHEDULE states that the environment is off."""
    schedule.run(Cluster(), _names(), schedule.parse(_variable("SCHEDULE")))


@app.command("reaper")
def by_use() -> None:
    """End Workloads of CLUSTER_QUEUES whose GPUs were idle for IDLE_HOURS, by the metrics of PROMETHEUS_URL.

    DRY_RUN: `true` reports them alone."""
    rules = reaper.Rules(_names(), int(_variable("IDLE_HOURS")), _variable("DRY_RUN") == "true")
    reaper.run(Cluster(), metrics.prometheus(_variable("PROMETHEUS_URL")), rules)


def _names() -> list[str]:
    return [name for name in os.environ.get("CLUSTER_QUEUES", "").split(",") if name]


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise RefusedError(f"{name}: missing; expected the variable of the platform's CronJob")
    return value


def main() -> int:
    """Run the command line."""
    try:
        app(prog_name="cost_control", standalone_mode=True)
    except RefusedError as error:
        budget.note(f"error: {error}")
        return _REFUSED
    except Exception as error:  # noqa: BLE001 - the next run goes on, and the log has one line of it
        budget.note(f"error: {type(error).__name__}: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
