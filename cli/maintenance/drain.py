"""`aiplatform drain`: replace the nodes of a pool without loss of work."""

from __future__ import annotations

import subprocess
from pathlib import Path

import typer

from cli.maintenance.cluster import (
    KUBECONFIG,
    Cluster,
    accelerator_pools,
    api_errors,
    pools_of,
    refuse_unknown,
)
from cli.output import CommandError, note, say
from cli.stacks import ENVIRONMENT

_MINUTE = 60


def drain(
    environment: str = ENVIRONMENT,
    pool: str = typer.Argument(metavar="POOL", help="Name of the pool.", show_default=False),
    evict: bool = typer.Option(
        False, "--evict", help="Stop what runs on the pool; it is queued again. Default: wait for its end."
    ),
    replace: str = typer.Option(
        "",
        "--replace",
        metavar="COMMAND",
        help="Command of a shell that replaces the empty nodes. Default: the autoscaler removes them.",
    ),
    minutes: int = typer.Option(1440, "--timeout", metavar="MINUTES", min=1, help="Limit of each wait."),
    cancel: bool = typer.Option(False, "--cancel", help="End the drain: release queues and nodes."),
    no_queue: bool = typer.Option(
        False, "--no-queue", help="Drain a pool of accelerators to which no queue admits: evict its Pods."
    ),
    kubeconfig: Path | None = KUBECONFIG,
) -> None:
    """Empty the nodes of a pool and replace them: for a new version of Kubernetes, image or driver.

    Holds the queues that admit to the pool, asks its Pods to end (annotation ai-platform/drain-requested),
    waits for what runs or evicts it, cordons and empties the nodes, waits until they are replaced, and
    releases the queues. Interrupted, the same command goes on.
    """
    from cli.maintenance.draining import Drain

    refuse_unknown(environment, pool, pools_of(environment))
    if cancel and (evict or replace):
        raise CommandError("--cancel ends a drain; expected neither --evict nor --replace with it")
    cluster = Cluster.of(environment, kubeconfig)
    command = (lambda: _run(replace)) if replace else None
    queued = not no_queue and pool in accelerator_pools(environment)
    draining = Drain(cluster, pool, note, evict, command, minutes * _MINUTE, queued=queued)
    with api_errors("the progress is in the cluster: run the same command again"):
        if cancel:
            draining.cancel()
        else:
            draining.run()
    say(f"The drain of {pool} is cancelled." if cancel else f"{pool} is drained, and its queues admit again.")


def _run(command: str) -> None:
    note(f"replacing the nodes: {command}")
    code = subprocess.run(command, shell=True, check=False).returncode  # noqa: S602 - the user's own command
    if code:
        raise CommandError(
            f"{command!r} ended with {code}; the nodes are empty and the queues held: fix the cause, and "
            "run the drain again"
        )
