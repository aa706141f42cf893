"""The command `aiplatform new`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import Any, Final

import typer

from cli import environment_files
from cli.new.checker import Checker, Reply
from cli.output import CommandError, command_name, commands, say
from cli.stacks import PANEL

QUESTIONS: Final[Mapping[str, str]] = {
    "cloud": "Cloud",
    "profile": "Profile",
    "org": "Organisation, the first part of every name",
    "account": "AWS account, 12 digits",
    "region": "Region",
    "owner": "Owner, a mail address",
    "cost_center": "Cost center",
    "accelerators": "Accelerators, NAME or NAME:COUNT with commas, or none",
}
"""Answer -> its question, in the order in which they are asked."""
_PROJECT: Final = "Google Cloud project, its id"
_FLAGS: Final[Mapping[str, str]] = {key: f"--{key.replace('_', '-')}" for key in (*QUESTIONS, "release")}
_PROJECT_FLAG: Final = "--project"
NONE: Final = "none"

ENVIRONMENT: Final = typer.Argument(
    metavar="ENVIRONMENT",
    help="Name of the new file environments/Pulumi.ENVIRONMENT.yaml: CLOUD-NAME, as aws-research.",
    show_default=False,
)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, options_metavar="[OPTION]...")(new)


def new(
    environment: str = ENVIRONMENT,
    cloud: str | None = typer.Option(None, "--cloud", help="aws or gcp."),
    profile: str | None = typer.Option(None, "--profile", help="dev, staging or prod."),
    org: str | None = typer.Option(None, "--org", help="The organisation, the first part of every name."),
    account: str | None = typer.Option(None, "--account", help="AWS: the account, 12 digits."),
    project: str | None = typer.Option(None, _PROJECT_FLAG, help="Google Cloud: the project, by its id."),
    region: str | None = typer.Option(None, "--region", help="The region."),
    owner: str | None = typer.Option(None, "--owner", help="The owner's mail address."),
    cost_center: str | None = typer.Option(None, "--cost-center", help="The cost center."),
    accelerators: str | None = typer.Option(
        None, "--accelerators", help="A pool for each: t4,h100:8 (NAME or NAME:COUNT of a node), or none."
    ),
    release: str | None = typer.Option(
        None, "--release", help="prod: the release of the nodes' image. Default: that of the other files."
    ),
) -> None:
    """Write a new environment file, from flags and questions.

    Asks on a terminal for what no flag states. The file has at most 40 lines, passes the checks of a preview,
    and is written only then; an existing file is never overwritten (docs/operations/new-environment.md).
    """
    stated = {
        "environment": environment,
        "cloud": cloud,
        "profile": profile,
        "org": org,
        "account": _account(cloud, account, project),
        "region": region,
        "owner": owner,
        "cost_center": cost_center,
        "accelerators": None if accelerators is None else _names(accelerators),
        "release": release,
    }
    answers = {key: value for key, value in stated.items() if value is not None}
    missing = [key for key in QUESTIONS if key not in answers]
    with Checker() as checker:
        # First, so that a wrong flag costs no answer.
        _refuse(checker.check(answers).problems, cloud)
        if missing and not is_terminal():
            raise CommandError(_missing(missing, cloud))
        for key in missing:
            answers[key] = _ask(checker, answers, key)
        _refuse_flag(answers["cloud"], account, project)
        reply = checker.check(answers)
    _refuse(reply.problems, answers["cloud"])
    _write(environment, reply.text)
    _report(environment, reply)


def is_terminal() -> bool:
    """Return whether there is a terminal to ask on."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _account(cloud: str | None, account: str | None, project: str | None) -> str | None:
    if account is not None and project is not None:
        raise CommandError(
            "--account and --project: got both; expected --account on AWS, --project on Google Cloud"
        )
    if cloud is not None:
        _refuse_flag(cloud, account, project)
    return account if account is not None else project


def _refuse_flag(cloud: str, account: str | None, project: str | None) -> None:
    if cloud == "aws" and project is not None:
        raise CommandError(f"--project: got {project!r} on AWS; expected --account, 12 digits")
    if cloud == "gcp" and account is not None:
        raise CommandError(f"--account: got {account!r} on Google Cloud; expected --project, by its id")


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    return [] if names == [NONE] else names


def _flag(key: str, cloud: str | None) -> str:
    if key == "account" and cloud != "aws":
        return _PROJECT_FLAG if cloud == "gcp" else f"--account or {_PROJECT_FLAG}"
    return _FLAGS.get(key, key)


def _missing(missing: list[str], cloud: str | None) -> str:
    flags = ", ".join(_flag(key, cloud) for key in missing)
    return f"no terminal to ask on: missing {flags}; nothing was written"


def _refuse(problems: Mapping[str, Any], cloud: str | None) -> None:
    """Raise CommandError with all problems; do nothing where there are none."""
    if not problems:
        return
    lines: list[str] = []
    for key, reasons in problems.items():
        # A problem of the file has its place.
        name = "" if key == "file" else "ENVIRONMENT: " if key == "environment" else f"{_flag(key, cloud)}: "
        lines += [f"{name}{reason}" for reason in reasons]
    raise CommandError("\n".join([*lines, "nothing was written"]))


def _ask(checker: Checker, answers: Mapping[str, Any], key: str) -> Any:
    """Return the answer to a question, asked again with the reason until the program accepts it."""
    reply = checker.check(answers)
    default = reply.defaults.get(key)
    text = _PROJECT if key == "account" and answers["cloud"] == "gcp" else QUESTIONS[key]
    if key in reply.choices:
        text += f" ({', '.join(reply.choices[key])})"
    if key == "accelerators":
        default = ",".join(default or ()) or NONE

    def value_of(answer: str) -> Any:
        value = _names(answer) if key == "accelerators" else answer.strip()
        if value == "":
            raise typer.BadParameter("expected an answer")
        problems = checker.check({**answers, key: value}).problems
        if problems:
            raise typer.BadParameter("\n".join(reason for reasons in problems.values() for reason in reasons))
        return value

    return typer.prompt(text, default=default, value_proc=value_of)


def _write(environment: str, text: str) -> None:
    file = environment_files.original_stack_file(environment)
    try:
        with file.open("x") as stream:
            stream.write(text)
    except FileExistsError:
        raise CommandError(f"environments/{file.name} exists, and is not overwritten") from None


def _report(environment: str, reply: Reply) -> None:
    """Print what was written, what has to be changed in it, and the next steps."""
    say(f"environments/Pulumi.{environment}.yaml: {len(reply.text.splitlines())} lines, valid.")
    if reply.placeholders:
        lines = ", ".join(map(str, reply.placeholders))
        say(f"Its placeholders are to be changed before it is deployed in the cloud: line {lines}.")
    say()
    say("Next:")
    name = shlex.quote(environment)
    steps = (
        (f"{command_name()} up {name}", "deploy it on the twin, which touches no account"),
        (f"{command_name()} preflight {name} --cloud", "check the account"),
        (
            f"pulumi stack init {name} --secrets-provider KEY",
            "with the state's bucket and a key: docs/ci.md#the-first-deployment",
        ),
    )
    for line in commands(steps):
        say(line)
