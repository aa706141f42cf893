"""`aiplatform twin fault`: what a real cloud does on a bad day, by a switch."""

from __future__ import annotations

from typing import Any

import typer

from cli.output import CommandError, say, table

app = typer.Typer(
    help=(
        "Make the twin's cloud fail on purpose: throttling, no capacity, slow or failing calls. "
        "A fault outlives a restart; `clear` switches it off."
    ),
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)

NAME = typer.Option(
    None, "--name", "-n", help="Which twin. Default: $AIPLATFORM_TWIN, else `default`.", show_default=False
)
SERVICE = typer.Option("", help="Of this service alone, as `ec2`. Default: all.", show_default=False)
OPERATION = typer.Option(
    "", help="Of this operation alone; `Delete*` matches. Default: all.", show_default=False
)
TIMES = typer.Option(1, min=0, help="So many calls. 0: until it is cleared.")


@app.command()
def throttle(
    name: str | None = NAME, service: str = SERVICE, operation: str = OPERATION, times: int = TIMES
) -> None:
    """Answer calls with the service's own throttling error."""
    _add(name, {"kind": "throttle", "service": service, "operation": operation, "times": times})


@app.command()
def capacity(
    name: str | None = NAME,
    instance_type: str = typer.Option("", help="As `p5.48xlarge`. Default: any.", show_default=False),
    zone: str = typer.Option("", help="As `us-west-2a`. Default: any.", show_default=False),
) -> None:
    """Have no machines of a type in a zone (insufficient capacity), until it is cleared."""
    _add(name, {"kind": "capacity", "instance_type": instance_type, "zone": zone})


@app.command()
def slow(
    name: str | None = NAME,
    seconds: float = typer.Option(5.0, min=0.0, help="How late the answers come."),
    service: str = SERVICE,
    operation: str = OPERATION,
    times: int = TIMES,
) -> None:
    """Answer calls late."""
    fault = {"kind": "slow", "service": service, "operation": operation, "times": times, "seconds": seconds}
    _add(name, fault)


@app.command()
def long(
    name: str | None = NAME,
    seconds: float = typer.Option(60.0, min=0.0, help="How long operations and jobs run."),
    service: str = SERVICE,
    operation: str = OPERATION,
    times: int = TIMES,
) -> None:
    """Let the operations and jobs run long that calls begin (Google Cloud).

    No effect on GKE's own operations, which run until their nodes are there or gone.
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
    """Answer calls with an error: `aiplatform twin fault fail --operation DeleteVpc --times 2`."""
    fault = {"kind": "fail", "service": service, "operation": operation, "times": times}
    _add(name, {**fault, "code": code, "message": message, "status": status})


@app.command()
def late_logs(name: str | None = NAME) -> None:
    """Write to a cluster's log group once more after the cluster was deleted (EKS), until it is cleared."""
    _add(name, {"kind": "late_logs"})


@app.command()
def new_account(name: str | None = NAME) -> None:
    """Give EC2 the quotas of a new AWS account, until it is cleared."""
    _add(name, {"kind": "new_account"})


@app.command("list")
def list_(name: str | None = NAME) -> None:
    """Show the faults that are on."""
    _show(_ask(name, "GET"))


@app.command()
def clear(
    name: str | None = NAME,
    kind: str = typer.Argument("", help="One of the kinds above. Default: all.", show_default=False),
) -> None:
    """Switch faults off."""
    _show(_ask(name, "DELETE", {"kind": kind} if kind else {}))


def _add(name: str | None, fault: dict[str, Any]) -> None:
    # What is empty narrows nothing. 0 times stands for always, which the front takes as it is.
    _show(_ask(name, "POST", {key: value for key, value in fault.items() if value not in ("", None)}))


def _show(faults: list[dict[str, Any]]) -> None:
    if not faults:
        say("no faults are on")
        return
    rows = [
        (
            str(fault.get("kind", "")),
            ", ".join(f"{key}={value}" for key, value in fault.items() if key != "kind") or "any",
        )
        for fault in faults
    ]
    table(("fault", "where and how"), rows)


def _ask(name: str | None, method: str, body: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    from cli import front, worlds

    world = worlds.existing(name)
    try:
        return front.ask(world, method, "faults", body)["faults"]
    except front.RefusedError as error:
        raise CommandError(f"the twin refused it: {error}") from error
    except OSError as error:
        raise CommandError(
            f"twin {world.name} does not answer ({error}): "
            f"`aiplatform twin start --name {world.name}` starts it"
        ) from error
