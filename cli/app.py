"""The command `aiplatform`: its subcommands, and how errors are printed."""

from __future__ import annotations

import errno
import sys
from typing import Final

import typer

from cli import stacks, toolchain, twins
from cli.budget import command as budget
from cli.estimate import command as estimate
from cli.explain import command as explain
from cli.images import build_command as image
from cli.images import command as images
from cli.maintenance import command as maintenance
from cli.model import command as model
from cli.monitor import command as monitor
from cli.new import command as new
from cli.output import CommandError, command_name, lock_timeout, note, say
from cli.plan import command as plan
from cli.policy import command as policy
from cli.preflight import command as preflight
from cli.restore import command as restore
from cli.sweep import command as sweep
from cli.upgrades import command as upgrades

DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO})
"""Errors of a disk, which a write raises without the file's name."""

app = typer.Typer(
    name="aiplatform",
    help=(
        "Deploy the platform's environments on a **twin** on this machine: the real Pulumi engine, a real "
        "Kubernetes control plane, and local providers for AWS and Google Cloud. No command here touches a "
        "cloud account; `pulumi up -s aws-dev` with real credentials does.\n\n"
        "Start with `aiplatform doctor`, then `aiplatform up aws-dev`."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
stacks.register(app)
new.register(app)
explain.register(app)
policy.register(app)
estimate.register(app)
preflight.register(app)
sweep.register(app)
upgrades.register(app)
restore.register(app)
images.register(app)
maintenance.register(app)
app.add_typer(image.app, name="image", rich_help_panel="Images and charts")
app.add_typer(budget.app, rich_help_panel="Costs")
app.add_typer(model.app, rich_help_panel="Models")
app.add_typer(monitor.app, rich_help_panel="Models")
app.add_typer(twins.app, name="twin", rich_help_panel="The twin itself")
app.add_typer(toolchain.app, name="toolchain", rich_help_panel="The machine")
app.add_typer(plan.app, name="plan", rich_help_panel="Plans of previews, for CI")


def _print_version(requested: bool) -> None:
    if requested:
        from cli.version import version

        say(f"aiplatform {version()}")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
    ),
) -> None:
    """Declare the options that apply without a command."""


@app.command(rich_help_panel="The machine")
def doctor(
    build: bool = typer.Option(False, "--build", help="Build the missing tools first."),
) -> None:
    """Check this machine, and state how to get what is missing.

    Exits with 1 when something required is missing.
    """
    from cli import doctor as checks

    raise typer.Exit(checks.run(build=build))


def main() -> int:
    """Run the command line. Prints errors that the user can act on as one message, without a traceback."""
    from filelock import Timeout

    from twin.instances import InstanceError, home
    from twin.processes import ProcessError
    from twin.toolchain.errors import ToolchainError

    try:
        app(prog_name="aiplatform")
    except CommandError as error:
        return _fail(str(error), error.code)
    except (ProcessError, ToolchainError, InstanceError) as error:
        return _fail(str(error))
    except Timeout as error:
        return _fail(lock_timeout(error.lock_file))
    except OSError as error:
        if error.filename is None and error.errno not in DISK:
            raise
        return _fail(f"{error.filename or home()}: {error.strerror}")
    except KeyboardInterrupt:
        note("interrupted; run the same command again to continue")
        return 130
    return 0


def _fail(message: str, code: int = 1) -> int:
    # So that the commands in a message can be copied.
    message = message.replace("`aiplatform ", f"`{command_name()} ")
    if sys.stderr.isatty():
        from rich.console import Console

        Console(stderr=True).print("[red bold]error:[/red bold] ", end="")
        note(message)
    else:
        note(f"error: {message}")
    return code
