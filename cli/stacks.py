"""up, preview, refresh and destroy: an environment on its own twin."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any

import typer

from cli.output import note, say

if TYPE_CHECKING:
    from twin.world import World

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
PANEL = "An environment on its twin"
ENVIRONMENT = typer.Argument(help="`aws-dev` for environments/Pulumi.aws-dev.yaml.", show_default=False)


def register(app: typer.Typer) -> None:
    """Add the four commands."""
    for command in (up, preview, refresh, destroy):
        app.command(rich_help_panel=PANEL, context_settings=PASSED_ON)(command)


def up(context: typer.Context, environment: str = ENVIRONMENT) -> None:
    """Bring an environment up on its twin; the second time, bring it to what its file says now.

    Starts the twin of the environment's name and builds the tools that are missing (the first time, some
    minutes). An `up` that was killed is repaired by the next. Further options go to `pulumi up`, as in
    `aiplatform up aws-dev --diff`.
    """
    began = time.monotonic()
    world = _started(environment)
    code = _pulumi(world, environment, ["up", "--yes", "--skip-preview", *context.args])
    if code == 0:
        _tell(world, environment, time.monotonic() - began)
    raise typer.Exit(code)


def preview(context: typer.Context, environment: str = ENVIRONMENT) -> None:
    """Show what `up` would change. Further options go to `pulumi preview`."""
    raise typer.Exit(_pulumi(_started(environment), environment, ["preview", *context.args]))


def refresh(context: typer.Context, environment: str = ENVIRONMENT) -> None:
    """Read what was changed behind the program's back into the state.

    Further options go to `pulumi refresh`.
    """
    arguments = ["refresh", "--yes", "--skip-preview", *context.args]
    raise typer.Exit(_pulumi(_started(environment), environment, arguments))


def destroy(context: typer.Context, environment: str = ENVIRONMENT) -> None:
    """Destroy all that `up` made. The twin goes on running: stop it with `aiplatform twin stop`.

    Further options go to `pulumi destroy`.
    """
    from twin import environment as variables

    world = _started(environment)
    code = _pulumi(world, environment, ["destroy", "--yes", "--skip-preview", *context.args])
    if code == 0:
        variables.stack_kubeconfig(world).unlink(missing_ok=True)
        _tell_leftovers(world)
    raise typer.Exit(code)


def _started(environment: str) -> World:
    from cli import worlds
    from cli.progress import shown
    from twin import lifecycle

    world = worlds.for_environment(environment)
    with shown() as progress:
        lifecycle.start(world, progress)
    return world


def _pulumi(world: World, environment: str, arguments: list[str]) -> int:
    from cli import engine

    return engine.run(world, environment, arguments)


def _tell(world: World, environment: str, seconds: float) -> None:
    from cli import engine
    from cli.progress import duration

    kubeconfig = engine.write_kubeconfig(world, engine.outputs(world, environment))
    say()
    say(f"{environment} is up on the twin, in {duration(seconds)}. No cloud account was touched.")
    if kubeconfig is None:
        return
    say(f"Its kubeconfig: {kubeconfig}")
    say()
    say("What to try next:")
    name = shlex.quote(environment)
    for command, meaning in (
        (f"export KUBECONFIG={shlex.quote(str(kubeconfig))}", "then: kubectl get nodes"),
        (f"aiplatform twin run --name {name} -- kubectl get nodes", "the same, in the twin's environment"),
        (f"aiplatform twin run --name {name} -- aws eks list-clusters", "any AWS SDK sees the twin"),
        (f"aiplatform preview {name}", "nothing to change now"),
        (f"aiplatform destroy {name}", "and it is gone"),
    ):
        say(f"  {command}  # {meaning}")


def _tell_leftovers(world: World) -> None:
    """Say whether the cloud holds anything still: what the stack does not know of is not destroyed."""
    inventory = _inventory(world)
    if inventory is None:
        return
    left = [f"{kind}: {', '.join(map(str, ids))}" for kind, ids in inventory.items() if ids]
    if not left:
        say("The twin holds nothing any more.")
        return
    note("The twin still holds what this stack does not own:")
    for line in left:
        note(f"  {line}")


def _inventory(world: World) -> dict[str, list[Any]] | None:
    from cli import front

    try:
        found = front.ask(world, "GET", "inventory")
    except (OSError, ValueError):
        return None
    return {kind: ids if isinstance(ids, list) else [ids] for kind, ids in found.items()}
