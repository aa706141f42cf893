"""`aiplatform twin fault`: failures of the cloud that are injected on purpose."""

from __future__ import annotations

from typing import Any

import typer

from cli.output import CommandError, say, table

app = typer.Typer(
    help=(
        "Inject faults into the twin's cloud.\n\n"
        "Throttling, no capacity, slow or failing calls. A fault persists over a restart, until `clear` "
        "removes it."
    ),
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

NAME = typer.Option(
    None,
    "--name",
    "-n",
    help="Name of the twin. Default: $AIPLATFORM_TWIN, else `default`.",
    show_default=False,
)
SERVICE = typer.Option("", help="Only this service, as `ec2`. Default: all.", show_default=False)
OPERATION = typer.Option("", help="Only this operation; `Delete*` matches. Default: all.", show_default=False)
TIMES = typer.Option(1, min=0, help="Number of calls. 0: until it is cleared.")


@app.command()
def throttle(
    name: str | None = NAME, service: str = SERVICE, operation: str = OPERATION, times: int = TIMES
) -> None:
    """Answer calls with the service's own throttling error."""
    _add(name, {"kind": "throttle", "service": service, "operation": operation, "times": times})


@app.command()
def capacity(
    name: str | None = NAME,
    instance_type: str = typer.Option(
        "",
        "--instance-type",
        "--machine-type",
        help="Instance or machine type, as `p5.48xlarge` or `a3-highgpu-8g`. Default: any.",
        show_default=False,
    ),
    zone: str = typer.Option(
        "", help="Zone, as `us-west-2a` or `us-central1-a`. Default: any.", show_default=False
    ),
    market: str = typer.Option(
        "", help="Only `spot` or `on-demand` (AWS). Default: both.", show_default=False
    ),
) -> None:
    """Refuse machines of a type in a zone.

    InsufficientInstanceCapacity on AWS, ZONE_RESOURCE_POOL_EXHAUSTED on Google Cloud.
    """
    from cli import instances

    if instances.existing(name).cloud == "aws":
        conditions = {"instance_type": instance_type, "zone": zone, "market": market}
    elif market:
        raise CommandError("--market: on Google Cloud a zone has no machines of a type, whatever their price")
    else:
        conditions = {"machine_type": instance_type, "zone": zone}
    _add(name, {"kind": "capacity", **conditions})


@app.command()
def slow(
    name: str | None = NAME,
    seconds: float = typer.Option(5.0, min=0.0, help="Delay of each response."),
    service: str = SERVICE,
    operation: str = OPERATION,
    times: int = TIMES,
) -> None:
    """Delay the responses of calls."""
    fault = {"kind": "slow", "service": service, "operation": operation, "times": times, "seconds": seconds}
    _add(name, fault)


@app.command()
def long(
    name: str | None = NAME,
    seconds: float = typer.Option(60.0, min=0.0, help="Duration of operations and jobs."),
    service: str = SERVICE,
    operation: str = OPERATION,
    times: int = TIMES,
) -> None:
    """Extend long-running operations and jobs (Google Cloud).

    No effect on GKE's operations, which run until their nodes exist or are deleted.
    """
    fault = {"kind": "long", "service": service, "operation": operation, "times": times, "seconds": seconds}
    _add(name, fault)


@app.command()
def fail(
    name: str | None = NAME,
    service: str = SERVICE,
    operation: str = OPERATION,
    times: int = TIMES,
    code: str = typer.Option("InternalFailure", help="The error's code, as `DependencyViolation`."),
    message: str = typer.Option("", help="Its message.", show_default=False),
    status: int = typer.Option(500, min=400, max=599, help="Its HTTP status."),
) -> None:
    """Answer calls with an error.

    For example `aiplatform twin fault fail --operation DeleteVpc --times 2`.
    """
    fault = {"kind": "fail", "service": service, "operation": operation, "times": times}
    _add(name, {**fault, "code": code, "message": message, "status": status})


@app.command()
def late_logs(name: str | None = NAME) -> None:
    """Write to a cluster's log group after the cluster was deleted (EKS)."""
    _add(name, {"kind": "late_logs"})


@app.command()
def new_account(name: str | None = NAME) -> None:
    """Apply the EC2 quotas of a new AWS account."""
    _add(name, {"kind": "new_account"})


@app.command()
def quota(
    quota: str = typer.Argument(
        help="Code of a quota of vCPUs (AWS), as `L-DB2E81BA`, or metric (Google Cloud), as `NVIDIA_T4_GPUS`."
    ),
    limit: float = typer.Argument(min=0.0, help="Its value."),
    name: str | None = NAME,
) -> None:
    """Set a quota of the account or the project."""
    from cli import instances

    key = "code" if instances.existing(name).cloud == "aws" else "metric"
    _add(name, {"kind": "quota", key: quota, "limit": limit})


@app.command()
def interrupt(
    instance: str = typer.Argument(help="Id of a spot instance that runs."), name: str | None = NAME
) -> None:
    """Announce the end of a spot instance, which comes two minutes of the twin's clock later (AWS)."""
    _request(name, "POST", {"instance": instance}, "interrupt")
    say(f"the interruption of {instance} is announced")


@app.command("list")
def list_(name: str | None = NAME) -> None:
    """List the faults in effect."""
    _show(_request(name, "GET"))


@app.command()
def clear(
    name: str | None = NAME,
    kind: str = typer.Argument("", help="Kind, as `throttle`. Default: all.", show_default=False),
) -> None:
    """Remove faults."""
    _show(_request(name, "DELETE", {"kind": kind} if kind else {}))


def _add(name: str | None, fault: dict[str, Any]) -> None:
    # An empty value is no condition; 0 times means always.
    _show(_request(name, "POST", {key: value for key, value in fault.items() if value not in ("", None)}))


def _show(faults: list[dict[str, Any]]) -> None:
    if not faults:
        say("no faults are in effect")
        return
    rows = [
        (
            str(fault.get("kind", "")),
            ", ".join(f"{key}={value}" for key, value in fault.items() if key != "kind") or "any",
        )
        for fault in faults
    ]
    table(("fault", "conditions"), rows)


def _request(
    name: str | None, method: str, body: dict[str, Any] | None = None, path: str = "faults"
) -> list[dict[str, Any]]:
    from cli import admin_client, instances

    instance = instances.existing(name)
    try:
        return admin_client.request(instance, method, path, body).get("faults", [])
    except admin_client.RefusedError as error:
        raise CommandError(f"the twin refused the fault: {error}") from error
    except OSError as error:
        raise CommandError(
            f"twin {instance.name} does not respond ({error}): "
            f"`aiplatform twin start --name {instance.name}` starts it"
        ) from error
