"""`aiplatform twin`: start, look into and stop the local worlds."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from cli import faults
from cli.output import CommandError, commands, note, own, say, table

if TYPE_CHECKING:
    from twin.lifecycle import Status
    from twin.world import World

app = typer.Typer(
    help="The twin, a local world that unmodified programs run against: start, enter, look at, stop, forget.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(faults.app, name="fault")

NAME = typer.Option(
    None,
    "--name",
    "-n",
    help="Which twin. Default: $AIPLATFORM_TWIN, else `default`.",
    show_default=False,
)
MEBIBYTE = 1024 * 1024


@app.command()
def start(
    name: str | None = NAME,
    cloud: str | None = typer.Option(None, help="`aws` or `gcp`; only when the twin is made."),
    region: str | None = typer.Option(None, help="The region of a new twin."),
    account: str | None = typer.Option(None, help="Account (12 digits) or project id of a new twin."),
) -> None:
    """Start a twin, or what of it does not run; make it where there is none.

    A twin named as an environment (`aws-dev`) takes cloud, region and account from the environment's file,
    another one is AWS's us-west-2 unless told otherwise. It listens on loopback only.
    """
    from cli import worlds
    from cli.progress import shown
    from twin import lifecycle

    world = worlds.made(name, cloud=cloud, region=region, account=account)
    with shown() as progress:
        lifecycle.start(world, progress)
    say(f"twin {world.name} runs: {world.cloud} at {world.url('cloud')}, Kubernetes at {_kubernetes(world)}")
    for line in commands(
        (
            (f'eval "$({own()} twin env --name {world.name})"', "this shell works in it"),
            (f"{own()} twin run --name {world.name} -- COMMAND", "or one command does"),
            (f"{own()} twin stop --name {world.name}", "what it knows stays for the next start"),
        )
    ):
        say(line)


@app.command()
def stop(
    name: str | None = NAME,
    everyone: bool = typer.Option(False, "--all", help="All twins of this user."),
) -> None:
    """Stop every process of a twin and no other. What it knows stays for the next start."""
    from cli import worlds
    from twin import lifecycle
    from twin import world as all_worlds

    for world in all_worlds.every() if everyone else [worlds.existing(name)]:
        ran = lifecycle.stop(world)
        say(f"twin {world.name}: {'stopped ' + ', '.join(ran) if ran else 'was not running'}")


@app.command()
def status(
    name: str | None = NAME,
    as_json: bool = typer.Option(False, "--json", help="For a program."),
) -> None:
    """Show a twin's processes. Exits with 3 when not all of them run."""
    from cli import worlds
    from twin import lifecycle

    state = lifecycle.status(worlds.existing(name))
    if as_json:
        say(json.dumps(_document(state), indent=2))
    else:
        _show(state)
    raise typer.Exit(0 if state.running else 3)


@app.command()
def env(
    name: str | None = NAME,
    unset: bool = typer.Option(False, "--unset", help="Print what takes a shell out of the twin again."),
) -> None:
    """Print what brings a shell into the twin: `eval "$(aiplatform twin env)"`.

    In that shell pulumi, aws, kubectl, boto3 and terraform reach the twin, and no real account: the user's
    own AWS variables and profiles are hidden. In a twin named as an environment, pulumi also gets that
    stack and the twin's copy of its file, so that `pulumi preview` needs no option.
    """
    from cli import engine, worlds
    from twin import environment, lifecycle

    world = worlds.existing(name)
    environment.prepare(world)
    variables = {key: value for key, value in environment.environment(world).items() if key != "PATH"}
    if world.name in environment.environments() and (world.bin / "pulumi").exists():
        variables |= _stack_variables(world, world.name, engine.ensure_stack(world, world.name))
    first = f"{world.bin}{os.pathsep}{Path(sys.prefix) / 'bin'}"
    if unset:
        say(f"unset {' '.join(sorted(variables))}")
        say(f'PATH="${{PATH#{first}:}}"')
        return
    if not lifecycle.status(world).running:
        note(f"twin {world.name} does not run: `{own()} twin start --name {world.name}` starts it")
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
    """Run a command in the twin: `aiplatform twin run -- pulumi up -s aws-dev`.

    Starts the twin where it does not run. A pulumi command that names an environment's stack (`-s aws-dev`)
    runs in the twin of that name, unless --name says otherwise, and gets the twin's copy of the stack file;
    the stack is made where there is none. The exit code is the command's.
    """
    if not context.args:
        raise CommandError("say what to run: aiplatform twin run -- COMMAND [ARGUMENT...]")
    from cli import engine, engine_settings, pending, worlds
    from cli.progress import shown
    from twin import environment, lifecycle

    command = context.args
    is_pulumi = Path(command[0]).name == "pulumi"
    stack = engine.stack_of(command) if is_pulumi else None
    if stack not in environment.environments():
        stack = None
    own = stack if stack and not name and not os.environ.get(worlds.VARIABLE) else name
    world = worlds.made(own)
    with shown() as progress:
        lifecycle.start(world, progress)
    variables = environment.complete(world)
    if is_pulumi:
        variables |= engine_settings.variables(command[1:])
        if warning := engine_settings.ignored(command[1:]):
            note(warning)
    if stack:
        variables |= _stack_variables(world, stack, engine.ensure_stack(world, stack))
        if command[1:] and command[1] in pending.DESTROYS:
            engine.undo_pending(world, stack)
    _become(command, variables)


@app.command()
def reset(
    name: str | None = NAME,
    yes: bool = typer.Option(False, "--yes", "-y", help="Do not ask."),
) -> None:
    """Stop a twin and remove all that it knows: its cloud, its cluster, its stacks' state."""
    from cli import worlds
    from twin import lifecycle
    from twin import world as all_worlds

    wanted = worlds.chosen(name)
    if not all_worlds.NAME.fullmatch(wanted):
        raise CommandError(f"{wanted!r} is no name of a twin")
    # Not loaded: a damaged one is what a reset is for.
    world = all_worlds.World(wanted)
    if not world.folder.exists():
        say(f"there is no twin {wanted}")
        return
    if not yes:
        if not sys.stdin.isatty():
            raise CommandError(f"this removes {world.folder}: say --yes")
        typer.confirm(f"Remove twin {wanted} with all that it knows ({world.folder})?", abort=True)
    lifecycle.reset(world)
    say(f"twin {wanted} is gone")


@app.command("list")
def list_(as_json: bool = typer.Option(False, "--json", help="For a program.")) -> None:
    """List the twins of this user."""
    from twin import lifecycle
    from twin import world as all_worlds

    states = [lifecycle.status(world) for world in all_worlds.every()]
    if as_json:
        say(json.dumps([_document(state) for state in states], indent=2))
        return
    if not states:
        note(f"there is no twin yet: `{own()} twin start` makes one")
        return
    rows = [
        (
            state.world.name,
            state.word,
            state.world.cloud,
            state.world.region,
            state.world.account,
            str(state.world.folder),
        )
        for state in states
    ]
    table(("twin", "state", "cloud", "region", "account", "folder"), rows)


def _become(command: Sequence[str], variables: dict[str, str]) -> NoReturn:
    """Replace this process by the command: signals, terminal and exit code are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(command[0], list(command), variables)  # noqa: S606 - the user's own command
    except FileNotFoundError:
        raise CommandError(f"{command[0]}: there is no such command on the twin's PATH") from None


def _stack_variables(world: World, stack: str, file: Path) -> dict[str, str]:
    from twin import environment

    assert file.is_relative_to(environment.project_folder(world))  # noqa: S101 - never the repository's own
    # Pulumi reads each of its options from such a variable.
    return {"PULUMI_STACK": stack, "PULUMI_OPTION_CONFIG_FILE": str(file)}


def _kubernetes(world: World) -> str:
    from twin.kubernetes import control_plane

    return control_plane.endpoint(world)


def _show(state: Status) -> None:
    world = state.world
    say(f"twin {world.name}: {state.word}")
    say(f"  {world.cloud} {world.region}, account {world.account}; {world.folder}")
    rows = [
        (
            process.name,
            "[green]runs[/green]" if process.running else "[red]stopped[/red]",
            str(process.pid or ""),
            str(process.port),
            f"{process.memory // MEBIBYTE} MiB" if process.running else "",
            str(process.log),
        )
        for process in state.processes
    ]
    table(("process", "state", "pid", "port", "memory", "log"), rows)


def _document(state: Status) -> dict[str, object]:
    world = state.world
    return {
        "name": world.name,
        "running": state.running,
        "cloud": world.cloud,
        "region": world.region,
        "account": world.account,
        "folder": str(world.folder),
        "endpoint": world.url("cloud"),
        "kubeconfig": str(world.kubeconfig),
        "processes": [
            {
                "name": process.name,
                "pid": process.pid,
                "port": process.port,
                "memory_bytes": process.memory,
                "log": str(process.log),
            }
            for process in state.processes
        ],
    }
