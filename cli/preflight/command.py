"""The command `aiplatform preflight`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from cli import charts
from cli.output import say
from cli.stacks import ENVIRONMENT, PANEL

if TYPE_CHECKING:
    from cli.preflight.previews import Preview
    from cli.preflight.results import Result
    from cli.preflight.scope import Scope

AS_JSON = typer.Option(False, "--json", help="Print a JSON document.")
CLOUD = typer.Option(
    False,
    "--cloud",
    help="Check the account or project that the credentials of this shell reach, instead of the twin.",
)
PREVIEW = typer.Option(
    None,
    "--preview",
    metavar="FILE",
    help="Read a saved stream of `pulumi preview --json`, and make no preview on the twin.",
)
_PROGRAM: Final = "program"
_NO_PREVIEW: Final = "preview"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, options_metavar="[OPTION]...")(preflight)


def preflight(
    environment: str = ENVIRONMENT,
    as_json: bool = AS_JSON,
    cloud: bool = CLOUD,
    preview: Path | None = PREVIEW,
    source: str | None = charts.OPTION,
) -> None:
    """Check that an account has what an environment needs, before anything is created.

    Checks credentials, APIs, quotas at the minimum and at the maximum, zones, reservations, the Kubernetes
    version, names, images and charts against the resources of a preview, and changes nothing. Exits with 2
    where a problem keeps the environment from being deployed, with 3 where problems only limit what its pools
    may become, and with 1 where the checks could not be made (docs/operations/preflight.md).
    """
    from cli import instances
    from cli.preflight import previews, results

    known = instances.of_environment(environment)
    previewed = previews.read(environment, source, preview)
    if cloud:
        checked = _checked(environment, known, previewed, all_new=preview is None, on_twin=False)
    else:
        from cli.clients import variables
        from cli.stacks import started
        from twin import environment as of_twin

        with variables.only(of_twin.complete(started(environment))):
            checked = _checked(environment, known, previewed, all_new=False, on_twin=True)
    target = "cloud" if cloud else "twin"
    if as_json:
        say(json.dumps(results.document(environment, known["account"], target, checked), indent=1))
    else:
        place = "" if cloud else " of the twin"
        results.show(checked, f"{environment}: account {known['account']}{place}, {known['region']}")
    raise typer.Exit(results.exit_code(checked))


def _checked(
    environment: str, known: Mapping[str, str], previewed: Preview, *, all_new: bool, on_twin: bool
) -> list[Result]:
    from cli.preflight import checks
    from cli.preflight.results import not_checked, problem

    scope = _scope(environment, known, previewed, all_new=all_new, on_twin=on_twin)
    refused = [
        problem(_PROGRAM, environment, error, f"correct environments/Pulumi.{environment}.yaml as it states")
        for error in previewed.errors
    ]
    if refused:
        reason = "the program ended with the errors above: what depends on its resources is not checked"
        refused.append(not_checked(_NO_PREVIEW, environment, reason))
    return [*refused, *checks.results(scope)]


def _scope(
    environment: str, known: Mapping[str, str], previewed: Preview, *, all_new: bool, on_twin: bool
) -> Scope:
    from cli import clients, instances
    from cli.estimate import nodes, table
    from cli.estimate.context import Context
    from cli.estimate.resources import Resources
    from cli.estimate.usage import Usage
    from cli.preflight.scope import Scope

    profile = str(instances.config(environment)[instances.TOPIC].get("profile"))
    context = Context(Resources(previewed.resources), table.load(known["cloud"]), Usage(profile))
    groups = nodes.of(context)
    return Scope(
        environment,
        known["cloud"],
        known["region"],
        known["account"],
        context.resources,
        groups,
        clients.of(known["cloud"], known["region"], known["account"], on_twin=on_twin),
        all_new=all_new,
        on_twin=on_twin,
        unread=[(entry.resource, entry.reason) for entry in context.unpriced],
    )
