"""The command `aiplatform restore`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import typer

from cli.output import CommandError, note, say, table
from cli.preflight.command import AS_JSON
from cli.stacks import ENVIRONMENT

if TYPE_CHECKING:
    from cli.restore.stores import Store
    from cli.restore.versions import Change

BUCKET = typer.Argument(metavar="BUCKET", help="Name of the bucket.", show_default=False)
AT = typer.Option(..., "--at", metavar="TIME", help="The time, as in 2026-11-29T10:00:00Z.")
PREFIX = typer.Option("", "--prefix", help="Restore objects below this prefix only.", show_default=False)
APPLY = typer.Option(False, "--apply", help="Restore. Default: list what would be restored.")
NEWER = typer.Option(False, "--delete-newer", help="Delete objects that did not exist at that time, too.")
CLOUD = typer.Option(
    False, "--cloud", help="A bucket of the account that the credentials of this shell reach, not the twin's."
)
PANEL: Final = "Recovery"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, options_metavar="[OPTION]...")(restore)


def restore(
    environment: str = ENVIRONMENT,
    bucket: str = BUCKET,
    at: str = AT,
    prefix: str = PREFIX,
    apply: bool = APPLY,
    delete_newer: bool = NEWER,
    cloud: bool = CLOUD,
    as_json: bool = AS_JSON,
) -> None:
    """Restore the objects of a bucket with versions as they were at a time.

    Without --apply it lists them and changes nothing. A restored object is a new version: the present one
    stays until the bucket's lifecycle deletes it, so that a restoration can be restored, too
    (docs/operations/disaster-recovery.md).
    """
    from cli import instances

    moment = time_of(at)
    known = instances.of_environment(environment)
    if cloud:
        _run(_store(known, bucket, on_twin=False), moment, prefix, apply, delete_newer, as_json)
        return
    from cli.clients import variables
    from cli.stacks import started
    from twin import environment as of_twin

    with variables.only(of_twin.complete(started(environment))):
        _run(_store(known, bucket, on_twin=True), moment, prefix, apply, delete_newer, as_json)


def time_of(text: str) -> datetime:
    """Return a time that a user states. Raises CommandError where it is none, has no zone or is not past."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--at: got {text!r}; expected a time as in 2026-11-29T10:00:00Z") from None
    if moment.tzinfo is None:
        raise CommandError(f"--at: got {text!r} without a zone; expected one, as in {text}Z")
    if moment > datetime.now(UTC):
        raise CommandError(f"--at: got {text!r}, which is not past")
    return moment


def _store(known: dict[str, str], bucket: str, *, on_twin: bool) -> Store:
    from cli import clients
    from cli.restore.stores import S3, Gcs

    client = clients.of(known["cloud"], known["region"], known["account"], on_twin=on_twin)
    return S3(client, bucket) if known["cloud"] == "aws" else Gcs(client, bucket)


def _run(store: Store, at: datetime, prefix: str, apply: bool, delete_newer: bool, as_json: bool) -> None:
    from cli.preflight.scope import UncheckedError
    from cli.restore.versions import changes

    try:
        planned = list(changes(store.versions(prefix), at))
        selected = [change for change in planned if delete_newer or change.action == "restore"]
        _print(selected, as_json=as_json)
        newer = len(planned) - len(selected)
        if newer:
            note(f"{newer} objects did not exist at that time and stay; --delete-newer deletes them")
        if not apply:
            note(f"{len(selected)} objects would change; --apply changes them")
            return
        for change in selected:
            store.apply(change)
    except UncheckedError as error:
        raise CommandError(str(error)) from error
    note(f"{len(selected)} objects are as they were at {at.isoformat()}")


def _print(selected: list[Change], *, as_json: bool) -> None:
    rows = [
        (change.action, change.version.key, change.version.id, change.version.created.isoformat())
        for change in selected
    ]
    if as_json:
        keys = ("action", "key", "version", "created")
        say(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=1))
    elif rows:
        # Brackets of a key are no markup of the table.
        table(
            ("action", "object", "version", "created"),
            [tuple(cell.replace("[", r"\[") for cell in row) for row in rows],
        )
