"""The commands of `aiplatform twin`: start, inspect, stop and delete twins."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from cli import controllers, environment_files, fault_injection
from cli.output import CommandError, command_name, commands, note, say, table

if TYPE_CHECKING:
    from twin.instances import Instance
    from twin.lifecycle import Status

app = typer.Typer(
    help="Start, use, inspect, stop and delete twins.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(fault_injection.app, name="fault")

NAME = typer.Option(
    None,
    "--name",
    "-n",
    help="Name of the twin. Default: $AIPLATFORM_TWIN, else `default`.",
    show_default=False,
)
MEBIBYTE = 1024 * 1024


@app.command()
def start(
    name: str | None = NAME,
    cloud: str | None = typer.Option(None, help="Cloud of a new twin: `aws` or `gcp`."),
    region: str | None = typer.Option(None, help="Region of a new twin."),
    account: str | None = typer.Option(None, help="Account (12 digits) or project id of a new twin."),
    selected: str | None = controllers.OPTION,
) -> None:
    """Start a twin, which is created where there is none.

    Processes that run already are left as they are. A twin with the name of an environment (`aws-dev`) takes
    cloud, region and account from the environment's file; the default of others is AWS in us-west-2. All
    processes listen on loopback only.
    """
    from cli import instances
    from cli.progress import show_progress
    from twin import lifecycle

    names = controllers.names(selected)
    instance = instances.get_or_create(name, cloud=cloud, region=region, account=account)
    with show_progress() as progress:
        lifecycle.start(instance, progress, names)
    say(
        f"twin {instance.name} runs: {instance.cloud} at {instance.url('cloud')}, "
        f"Kubernetes at {_kubernetes(instance)}"
    )
    for line in commands(
        (
            (f'eval "$({command_name()} twin env --name {instance.name})"', "use it in this shell"),
            (f"{command_name()} twin run --name {instance.name} -- COMMAND", "use it in one command"),
            (f"{command_name()} twin stop --name {instance.name}", "stop it; its state stays"),
        )
    ):
        say(line)


@app.command()
def stop(
    name: str | None = NAME,
    stop_all: bool = typer.Option(False, "--all", help="Stop all twins of this user."),
) -> None:
    """Stop a twin's processes. Its state stays for the next start."""
    from cli import instances
    from twin import lifecycle
    from twin.instances import every

    for instance in every() if stop_all else [instances.existing(name)]:
        stopped = lifecycle.stop(instance)
        say(f"twin {instance.name}: {'stopped ' + ', '.join(stopped) if stopped else 'was not running'}")


@app.command()
def status(
    name: str | None = NAME,
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show the processes of a twin. Exits with 3 when not all of them run.

    Without a name: of the only twin; where there are several and none is called `default`, all are listed.
    """
    from cli import instances
    from twin import lifecycle

    if instances.is_ambiguous(name):
        list_(as_json)
        note(f"`{command_name()} twin status --name NAME` shows the processes of one")
        return
    state = lifecycle.status(instances.existing_or_only(name))
    if as_json:
        say(json.dumps(_document(state), indent=2))
    else:
        _show(state)
    raise typer.Exit(0 if state.running else 3)


@app.command()
def env(
    name: str | None = NAME,
    unset: bool = typer.Option(False, "--unset", help="Print the commands that restore the shell."),
) -> None:
    """Print the variables that make a shell use a twin.

    After `eval "$(aiplatform twin env)"`, pulumi, aws, kubectl, boto3 and terraform reach the twin, and no
    real account: the user's own AWS variables and profiles are hidden. In a twin with the name of an
    environment, pulumi also gets that stack and the twin's copy of its file, so that `pulumi preview` needs
    no option.
    """
    from cli import engine, instances, stack_names
    from twin import environment, lifecycle

    instance = instances.existing(name)
    environment.prepare(instance)
    variables = {key: value for key, value in environment.environment(instance).items() if key != "PATH"}
    if instance.name in stack_names.environments() and (instance.bin / "pulumi").exists():
        variables |= _stack_variables(instance, instance.name, engine.ensure_stack(instance, instance.name))
    first = os.pathsep.join(environment.first_on_path(instance))
    if unset:
        say(f"unset {' '.join(sorted(variables))}")
        say(f'PATH="${{PATH#{first}:}}"')
        return
    if not lifecycle.status(instance).running:
        note(
            f"twin {instance.name} does not run: "
            f"`{command_name()} twin start --name {instance.name}` starts it"
        )
    hidden = [key for key in environment.foreign() if key not in variables]
    if hidden:
        say(f"unset {' '.join(hidden)}")
    for key, value in variables.items():
        say(f"export {key}={shlex.quote(value)}")
    say(f'export PATH={shlex.quote(first)}:"${{PATH#{first}:}}"')


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    options_metavar="[--name NAME] -- COMMAND [ARGUMENT]...",
)
def run(context: typer.Context, name: str | None = NAME) -> None:
    """Run a command in a twin.

    For example `aiplatform twin run -- pulumi up -s aws-dev`. Starts the twin where it does not run. A pulumi
    command that names an environment's stack (`-s aws-dev`) runs in the twin of that name, unless --name
    names another one, and gets the twin's copy of the stack file; the stack is created where there is none.
    The exit code is the command's.
    """
    if not context.args:
        raise CommandError("no command; expected aiplatform twin run -- COMMAND [ARGUMENT...]")
    from cli import engine, engine_settings, instances, pending, stack_locks, stack_names
    from cli.progress import show_progress
    from twin import environment, lifecycle

    command = context.args
    is_pulumi = Path(command[0]).name == "pulumi"
    stack = engine.stack_of(command) if is_pulumi else None
    if stack not in stack_names.stacks():
        stack = None
    in_own_twin = stack and not name and not os.environ.get(instances.VARIABLE)
    instance = instances.get_or_create(stack_names.environment_of(stack) if stack and in_own_twin else name)
    with show_progress() as progress:
        lifecycle.start(instance, progress)
    variables = environment.complete(instance)
    if is_pulumi:
        variables |= engine_settings.variables(command[1:])
        if warning := engine_settings.ignored(command[1:]):
            note(warning)
    if stack:
        variables |= _stack_variables(instance, stack, engine.ensure_stack(instance, stack))
        if command[1:] and command[1] in stack_locks.LOCKING:
            stack_locks.refuse_locked(instance, stack)
        if command[1:] and command[1] in pending.DESTROYS:
            engine.undo_pending(instance, stack)
        if command[1:] and command[1] in pending.CONVERGING and engine.has_pending(instance, stack):
            code = engine.attend(command, variables)
            if code == 0:
                engine.settle_pending(instance, stack, whole=pending.is_whole(command))
            raise typer.Exit(code)
    _become(command, variables)


@app.command()
def reset(
    name: str | None = NAME,
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask for confirmation."),
) -> None:
    """Stop a twin and delete its folder.

    This deletes its cloud, its cluster and the state of its stacks.
    """
    from cli import instances
    from twin import lifecycle
    from twin.instances import NAME as NAME_PATTERN
    from twin.instances import Instance

    selected = instances.selected_name(name)
    if not NAME_PATTERN.fullmatch(selected):
        raise CommandError(
            f"twin name {selected!r}; expected 2 to 40 lower-case letters, digits and hyphens, a letter first"
        )
    # Not loaded: a reset also repairs a damaged twin.
    instance = Instance(selected)
    if not instance.folder.exists():
        say(f"there is no twin {selected}")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise CommandError(f"this deletes {instance.folder}; confirm with --yes")
        typer.confirm(f"Delete twin {selected} and its folder ({instance.folder})?", abort=True)
    lifecycle.reset(instance)
    say(f"twin {selected} is deleted")


@app.command()
def copy(
    source: str = typer.Argument(help="A stopped twin."),
    name: str = typer.Argument(help="The name of the copy."),
) -> None:
    """Copy a stopped twin: its cloud, its cluster and its stacks, on other ports.

    `aiplatform twin run --name COPY -- pulumi up -s STACK` works on a stack of the copy; `aiplatform up ENV`
    on the twin with the name of the environment.
    """
    from cli import instances
    from twin import copying

    copied = copying.copy(instances.existing(source), name)
    say(f"twin {name} is a copy of {source}; it is stopped: `{command_name()} twin start --name {name}`")
    say(f"  {copied.folder}")


@app.command("list")
def list_(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """List the twins of this user."""
    from twin import lifecycle
    from twin.instances import every

    states = [lifecycle.status(instance) for instance in every()]
    if as_json:
        say(json.dumps([_document(state) for state in states], indent=2))
        return
    if not states:
        note(f"there is no twin yet: `{command_name()} twin start` creates one")
        return
    rows = [
        (
            state.instance.name,
            state.word,
            state.instance.cloud,
            state.instance.region,
            state.instance.account,
            str(state.instance.folder),
        )
        for state in states
    ]
    table(("twin", "state", "cloud", "region", "account", "folder"), rows)


def _become(command: Sequence[str], variables: dict[str, str]) -> NoReturn:
    """Replace this process by the command, which then gets the signals and the terminal."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(command[0], list(command), variables)  # noqa: S606 - the user's own command
    except FileNotFoundError:
        raise CommandError(f"{command[0]}: command not found on the twin's PATH") from None


def _stack_variables(instance: Instance, stack: str, file: Path) -> dict[str, str]:

    assert file.is_relative_to(environment_files.project_folder(instance))  # noqa: S101 - never the repository's file
    # Pulumi reads each of its options from such a variable.
    return {"PULUMI_STACK": stack, "PULUMI_OPTION_CONFIG_FILE": str(file)}


def _kubernetes(instance: Instance) -> str:
    from twin.kubernetes import control_plane

    return control_plane.endpoint(instance)


def _show(state: Status) -> None:
    instance = state.instance
    say(f"twin {instance.name}: {state.word}")
    say(f"  {instance.cloud} {instance.region}, account {instance.account}; {instance.folder}")
    rows = [
        (
            process.name,
            "[green]runs[/green]" if process.running else "[red]stopped[/red]",
            str(process.pid or ""),
            str(process.port or ""),
            f"{process.memory // MEBIBYTE} MiB" if process.running else "",
            str(process.log),
        )
        for process in (*state.processes, *state.controllers)
    ]
    table(("process", "state", "pid", "port", "memory", "log"), rows)
    for line in controllers.lines(state):
        say(line)


def _document(state: Status) -> dict[str, object]:
    instance = state.instance
    return {
        "name": instance.name,
        "running": state.running,
        "cloud": instance.cloud,
        "region": instance.region,
        "account": instance.account,
        "folder": str(instance.folder),
        "endpoint": instance.url("cloud"),
        "kubeconfig": str(instance.kubeconfig),
        "processes": [
            {
                "name": process.name,
                "pid": process.pid,
                "port": process.port,
                "memory_bytes": process.memory,
                "log": str(process.log),
            }
            for process in (*state.processes, *state.controllers)
        ],
        "controllers": [
            {"name": controller.name, "state": controller.state, "restarts": controller.restarts}
            for controller in state.report.controllers
        ],
        "set_aside": list(state.report.set_aside),
    }
