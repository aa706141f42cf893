"""The commands up, preview, refresh and destroy of an environment on its twin."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING, Any

import typer

from cli import charts, controllers, layer_stacks, pending
from cli.output import CommandError, command_name, commands, note, say
from cli.stack_names import environments

if TYPE_CHECKING:
    from twin.instances import Instance

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
PANEL = "An environment on its twin"
NAMES = environments()
ENVIRONMENT = typer.Argument(
    metavar="ENVIRONMENT",
    help=f"Name of a file environments/Pulumi.ENVIRONMENT.yaml: {', '.join(NAMES)}.",
    show_default=False,
)
OUTPUTS = typer.Option(False, "--show-outputs", help="Show the stack's outputs too; they are long.")


def register(app: typer.Typer) -> None:
    """Add the four commands."""
    for command in (up, preview, refresh, destroy):
        app.command(rich_help_panel=PANEL, context_settings=PASSED_ON, options_metavar="[OPTION]...")(command)


def up(
    context: typer.Context,
    environment: str = ENVIRONMENT,
    show_outputs: bool = OUTPUTS,
    source: str | None = charts.OPTION,
    selected: str | None = controllers.OPTION,
) -> None:
    """Deploy an environment on its twin, or update it to its file.

    Starts the twin of the environment's name and builds missing tools (the first time, some minutes). An `up`
    that was killed is repaired by the next one. Further options are passed to `pulumi up`, as in
    `aiplatform up aws-dev --diff`.
    """
    charts.choose(source)
    began = time.monotonic()
    stacks = layer_stacks.of(environment)
    instance = started(environment, controllers.names(selected))
    arguments = ["up", "--yes", "--skip-preview", *_output_options(show_outputs), *context.args]
    layer_stacks.refuse_unmoved(instance, environment, layer_stacks.of(environment, in_bootstrap=True))

    def deploy(stack: str) -> int:
        from cli import engine

        code = _pulumi(instance, stack, arguments)
        if code == 0:
            engine.settle_pending(instance, stack, whole=pending.is_whole(context.args))
        return code

    code = layer_stacks.run_in_order(stacks, deploy)
    if code == 0:
        _report_deployed(instance, environment, time.monotonic() - began)
    else:
        name = shlex.quote(environment)
        _advise(
            f"{environment} is not deployed completely. What was created before the error is in the state.",
            (
                (f"{command_name()} up {name}", "continue, when the cause above is fixed"),
                (f"{command_name()} twin status --name {name}", "show the twin's processes and logs"),
                (f"{command_name()} destroy {name}", "or delete what was created"),
            ),
        )
    raise typer.Exit(code)


def preview(
    context: typer.Context,
    environment: str = ENVIRONMENT,
    show_outputs: bool = OUTPUTS,
    source: str | None = charts.OPTION,
) -> None:
    """Show what `up` would change, and change nothing.

    Starts the twin where it does not run. Further options are passed to `pulumi preview`, as in
    `aiplatform preview aws-dev --diff --refresh`.
    """
    charts.choose(source)
    stacks = layer_stacks.of(environment)
    instance = started(environment)
    arguments = ["preview", *_output_options(show_outputs), *context.args]

    def preview_stack(stack: str) -> int:
        if layer_stacks.can_preview(instance, environment, stack):
            return _pulumi(instance, stack, arguments)
        note(layer_stacks.not_deployed(environment, stack))
        return 0

    code = layer_stacks.run_in_order(stacks, preview_stack)
    if code:
        note()
        note("A preview changes nothing.")
    raise typer.Exit(code)


def refresh(context: typer.Context, environment: str = ENVIRONMENT, show_outputs: bool = OUTPUTS) -> None:
    """Read changes made outside the program into the stack's state.

    The next `up` reverts them. Further options are passed to `pulumi refresh`.
    """
    stacks = layer_stacks.of(environment)
    instance = started(environment)
    arguments = ["refresh", "--yes", "--skip-preview", *_output_options(show_outputs), *context.args]
    code = layer_stacks.run_in_order(stacks, lambda stack: _pulumi(instance, stack, arguments))
    if code:
        name = shlex.quote(environment)
        _advise(
            f"Parts of the state of {environment} may be out of date.",
            ((f"{command_name()} refresh {name}", "when the cause above is fixed"),),
        )
    raise typer.Exit(code)


def destroy(context: typer.Context, environment: str = ENVIRONMENT, show_outputs: bool = OUTPUTS) -> None:
    """Delete an environment from its twin.

    Also deletes what an interrupted `up` created. Refused for a protected environment, until an `up` with
    `teardown: true` in its file. The twin keeps running: `aiplatform twin stop` stops it. Further options are
    passed to `pulumi destroy`.
    """
    from cli import engine, instances
    from twin import environment as variables

    # Of a part of the stack the engine checks protection itself.
    whole = pending.is_whole(context.args)
    stacks = layer_stacks.of(environment, in_bootstrap=True)
    if whole:
        for stack in stacks:
            _refuse_protected(instances.for_environment(environment), environment, stack)
    instance = started(environment)
    arguments = ["destroy", "--yes", "--skip-preview", *_output_options(show_outputs), *context.args]

    def destroy_stack(stack: str) -> int:
        # First: resources that the state does not contain can block the deletion of those that it does.
        resolved = not whole or engine.undo_pending(instance, stack)
        code = _pulumi(instance, stack, arguments)
        if code == 0 and not resolved:
            code = 0 if engine.undo_pending(instance, stack) else 1
        if code == 0:
            engine.settle_pending(instance, stack, whole=whole)
        return code

    code = layer_stacks.run_in_order(stacks[::-1], destroy_stack)
    if code == 0:
        variables.stack_kubeconfig(instance).unlink(missing_ok=True)
        _report_leftovers(instance)
    else:
        name = shlex.quote(environment)
        _advise(
            f"{environment} is not deleted completely. What is left stays in the state.",
            (
                (f"{command_name()} destroy {name}", "continue, when the cause above is fixed"),
                (
                    f"{command_name()} twin reset --name {name}",
                    "or delete the twin with all that it contains",
                ),
            ),
        )
    raise typer.Exit(code)


def started(environment: str, selected: list[str] | None = None) -> Instance:
    """Return the twin of an environment, started where it does not run, with charts of its add-ons. selected:
    its controllers."""
    from cli.progress import show_progress

    instance = running(environment, selected)
    with show_progress() as progress:
        charts.ensure(progress)
    return instance


def running(environment: str, selected: list[str] | None = None) -> Instance:
    """Return the twin of an environment, started where it does not run. selected: its controllers."""
    from cli import instances
    from cli.progress import show_progress
    from twin import lifecycle

    instance = instances.for_environment(environment)
    with show_progress() as progress:
        lifecycle.start(instance, progress, selected)
    return instance


def _pulumi(instance: Instance, environment: str, arguments: list[str]) -> int:
    from cli import engine

    return engine.run(instance, environment, arguments)


def _output_options(outputs: bool) -> list[str]:
    return [] if outputs else ["--suppress-outputs"]


def _refuse_protected(instance: Instance, environment: str, stack: str) -> None:
    from cli import engine, instances

    if not engine.protected(instance, stack):
        return
    file, up = f"environments/Pulumi.{environment}.yaml", f"`make up ENV={environment}`"
    if instances.teardown(environment):
        raise CommandError(
            f"{environment} is still protected: `teardown` in {file} applies after the next {up}; "
            "then destroy."
        )
    raise CommandError(
        f"{environment} is protected: set `teardown: true` under {instances.TOPIC} in {file}, {up}, "
        "then destroy."
    )


def _report_deployed(instance: Instance, environment: str, seconds: float) -> None:
    from cli import engine
    from cli.progress import duration

    kubeconfig = engine.write_kubeconfig(instance, engine.outputs(instance, environment))
    say()
    say(f"{environment} is deployed on the twin, in {duration(seconds)}. No cloud account was touched.")
    if kubeconfig is None:
        return
    say(f"Kubeconfig: {kubeconfig}")
    say()
    say("Next:")
    name = shlex.quote(environment)
    for line in commands(
        (
            (f"export KUBECONFIG={shlex.quote(str(kubeconfig))}", "then: kubectl get nodes"),
            (
                f"{command_name()} twin run --name {name} -- COMMAND",
                "run any client of the cloud in the twin",
            ),
            (f"{command_name()} destroy {name}", "delete the environment"),
        )
    ):
        say(line)


def _advise(state: str, next_steps: tuple[tuple[str, str], ...]) -> None:
    """Report the state after a failure, and the commands to run next."""
    note()
    note(state)
    for line in commands(next_steps):
        note(line)


def _report_leftovers(instance: Instance) -> None:
    """Report what the cloud still contains: a destroy deletes only what the stack contains."""
    from cli import admin_client

    say()
    try:
        inventory = admin_client.request(instance, "GET", "inventory")
    except (OSError, ValueError, admin_client.RefusedError) as error:
        note(f"The stack is deleted. What the twin's cloud still contains could not be read: {error}")
        return
    left = [f"{kind}: {_joined(ids)}" for kind, ids in inventory.items() if ids]
    if not left:
        stop = f"{command_name()} twin stop --name {shlex.quote(instance.name)}"
        say(f"The twin's cloud is empty. The twin keeps running; `{stop}` stops it.")
        return
    note("The twin's cloud still contains what is not in this stack:")
    for line in left:
        note(f"  {line}")


def _joined(ids: Any) -> str:
    return ", ".join(map(str, ids if isinstance(ids, list) else [ids]))
