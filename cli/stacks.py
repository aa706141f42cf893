"""up, preview, refresh and destroy: an environment on its own twin."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from cli.output import CommandError, commands, note, own, say

if TYPE_CHECKING:
    from twin.world import World

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
PANEL = "An environment on its twin"
FOLDER = Path(__file__).resolve().parents[1] / "environments"
NAMES = sorted(file.name.split(".")[1] for file in FOLDER.glob("Pulumi.*.yaml"))
ENVIRONMENT = typer.Argument(
    metavar="ENVIRONMENT",
    help=f"A file environments/Pulumi.ENVIRONMENT.yaml. There are: {', '.join(NAMES)}.",
    show_default=False,
)
OUTPUTS = typer.Option(False, "--show-outputs", help="Show the stack's outputs too; they are long.")
LOOKS = {"aws": (("aws eks list-clusters", "any AWS SDK sees the twin"),)}
# With these the engine is asked for less than all, and says itself whether that is protected.
PARTIAL = ("--target", "-t", "--exclude-protected", "--exclude", "-x", "--preview-only")


def register(app: typer.Typer) -> None:
    """Add the four commands."""
    for command in (up, preview, refresh, destroy):
        app.command(rich_help_panel=PANEL, context_settings=PASSED_ON, options_metavar="[OPTION]...")(command)


def up(context: typer.Context, environment: str = ENVIRONMENT, show_outputs: bool = OUTPUTS) -> None:
    """Bring an environment up on its twin; the second time, bring it to what its file says now.

    Starts the twin of the environment's name and builds the tools that are missing (the first time, some
    minutes). An `up` that was killed is repaired by the next. Further options go to `pulumi up`, as in
    `aiplatform up aws-dev --diff`.
    """
    began = time.monotonic()
    world = started(environment)
    arguments = ["up", "--yes", "--skip-preview", *_shown(show_outputs), *context.args]
    code = _pulumi(world, environment, arguments)
    if code == 0:
        _tell(world, environment, time.monotonic() - began)
    else:
        name = shlex.quote(environment)
        _advise(
            f"{environment} is not up as its file asks. What was made before the error stays, and is known.",
            (
                (f"{own()} up {name}", "when the cause above is mended: it goes on from here"),
                (f"{own()} twin status --name {name}", "whether the twin itself is well, and its logs"),
                (f"{own()} destroy {name}", "or remove what was made"),
            ),
        )
    raise typer.Exit(code)


def preview(context: typer.Context, environment: str = ENVIRONMENT, show_outputs: bool = OUTPUTS) -> None:
    """Show what `up` would change, and change nothing.

    Starts the twin where it does not run. Further options go to `pulumi preview`, as in
    `aiplatform preview aws-dev --diff --refresh`.
    """
    world = started(environment)
    code = _pulumi(world, environment, ["preview", *_shown(show_outputs), *context.args])
    if code:
        note()
        note("Nothing was changed: a preview only looks.")
    raise typer.Exit(code)


def refresh(context: typer.Context, environment: str = ENVIRONMENT, show_outputs: bool = OUTPUTS) -> None:
    """Read what was changed behind the program's back into the stack's state.

    The next `up` then changes it back. Further options go to `pulumi refresh`.
    """
    world = started(environment)
    arguments = ["refresh", "--yes", "--skip-preview", *_shown(show_outputs), *context.args]
    code = _pulumi(world, environment, arguments)
    if code:
        name = shlex.quote(environment)
        _advise(
            f"What the state knows of {environment} may be old in parts.",
            ((f"{own()} refresh {name}", "when the cause above is mended"),),
        )
    raise typer.Exit(code)


def destroy(context: typer.Context, environment: str = ENVIRONMENT, show_outputs: bool = OUTPUTS) -> None:
    """Destroy all that `up` made, in the twin; an interrupted one, too.

    A protected environment is refused: its file must say `teardown: true` at an `up` before. The twin goes
    on running: `aiplatform twin stop` stops it. Further options go to `pulumi destroy`.
    """
    from cli import engine, worlds
    from twin import environment as variables

    whole = not any(word.partition("=")[0] in PARTIAL for word in context.args)
    if whole:
        _refuse_protected(worlds.for_environment(environment), environment)
    world = started(environment)
    arguments = ["destroy", "--yes", "--skip-preview", *_shown(show_outputs), *context.args]
    # First: what the state does not know can keep what it does know from being deleted.
    resolved = not whole or engine.undo_pending(world, environment)
    code = _pulumi(world, environment, arguments)
    if code == 0 and not resolved:
        code = 0 if engine.undo_pending(world, environment) else 1
    if code == 0:
        variables.stack_kubeconfig(world).unlink(missing_ok=True)
        _tell_leftovers(world)
    else:
        name = shlex.quote(environment)
        _advise(
            f"Not all of {environment} is destroyed. What is left stays known.",
            (
                (f"{own()} destroy {name}", "when the cause above is mended: it goes on from here"),
                (f"{own()} twin reset --name {name}", "or forget the twin with all that it holds"),
            ),
        )
    raise typer.Exit(code)


def started(environment: str) -> World:
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


def _shown(outputs: bool) -> list[str]:
    return [] if outputs else ["--suppress-outputs"]


def _refuse_protected(world: World, environment: str) -> None:
    from cli import engine, worlds

    kept = engine.protected(world, environment)
    if not kept:
        return
    file, up = f"environments/Pulumi.{environment}.yaml", f"`make up ENV={environment}`"
    if worlds.teardown(environment):
        raise CommandError(
            f"{environment} is protected still: {file} says `teardown`, which holds from the next {up} on; "
            "then destroy."
        )
    raise CommandError(
        f"{environment} is protected: set `teardown: true` under {worlds.TOPIC} in {file}, {up}, "
        "then destroy."
    )


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
    run = f"{own()} twin run --name {name} --"
    for line in commands(
        (
            (f"export KUBECONFIG={shlex.quote(str(kubeconfig))}", "then: kubectl get nodes"),
            (f"{run} kubectl get nodes", "the same, in the twin's environment"),
            *((f"{run} {command}", why) for command, why in LOOKS.get(world.cloud, ())),
            (f"{own()} preview {name}", "nothing to change now"),
            (f"{own()} destroy {name}", "and it is gone"),
        )
    ):
        say(line)


def _advise(state: str, next_steps: tuple[tuple[str, str], ...]) -> None:
    """After a failure: how things stand, and what to do next."""
    note()
    note(state)
    for line in commands(next_steps):
        note(line)


def _tell_leftovers(world: World) -> None:
    """Say whether the cloud holds anything still: what the stack does not know of is not destroyed."""
    inventory = _inventory(world)
    if inventory is None:
        return
    left = [f"{kind}: {', '.join(map(str, ids))}" for kind, ids in inventory.items() if ids]
    say()
    if not left:
        stop = f"{own()} twin stop --name {shlex.quote(world.name)}"
        say(f"The twin holds nothing any more. It runs on; `{stop}` stops it.")
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
