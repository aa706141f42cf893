"""The commands `aiplatform estimate` and `aiplatform prices`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import typer

from cli import charts
from cli.output import CommandError, note, say
from cli.stacks import ENVIRONMENT, PANEL

if TYPE_CHECKING:
    from cli.estimate.estimate import Terms

AS_JSON = typer.Option(False, "--json", help="Print a JSON document.")
MARKDOWN = typer.Option(False, "--markdown", help="Print Markdown, for a comment on a pull request.")
LINES = typer.Option(False, "--lines", help="Show every line, not only the sums.")
DIFF = typer.Option(
    None, "--diff", metavar="REF", help="Compare with the estimate that is committed at a Git ref."
)
DISCOUNT = typer.Option(
    None,
    "--discount",
    metavar="GROUP=PERCENT",
    help="Reduce the prices of a group (compute, storage, ...) or of `all`; repeatable.",
)
COMMITMENT = typer.Option(
    None,
    "--commitment",
    metavar="GROUP=USD:PERCENT",
    help="Pay USD an hour for use on demand that it covers at PERCENT less: `compute=2.50:30`; repeatable.",
)
CREDITS = typer.Option(True, "--credits/--no-credits", help="Count credits that the cloud grants an account.")
PREVIEW = typer.Option(
    None,
    "--preview",
    metavar="FILE",
    help="Read a saved stream of `pulumi preview --json`, and start no twin.",
)
COMMITTED = typer.Option(
    False, "--committed", help="Read the estimate that is committed, docs/estimates, and start no twin."
)
REGION = typer.Option(None, "--region", help="Region of the prices. Default: that of the table.")
CLOUD = typer.Argument(metavar="CLOUD", help="`aws` or `gcp`.", show_default=False)
KEY: Final = "GOOGLE_API_KEY"
prices = typer.Typer(help="The tables of list prices that `estimate` reads.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL, options_metavar="[OPTION]...")(estimate)
    app.add_typer(prices, name="prices", rich_help_panel="Prices")


def estimate(
    environment: str = ENVIRONMENT,
    as_json: bool = AS_JSON,
    markdown: bool = MARKDOWN,
    lines: bool = LINES,
    diff: str | None = DIFF,
    discount: list[str] | None = DISCOUNT,
    commitment: list[str] | None = COMMITMENT,
    credits_count: bool = CREDITS,
    committed: bool = COMMITTED,
    preview: Path | None = PREVIEW,
    source: str | None = charts.OPTION,
) -> None:
    """Estimate what an environment costs a month: idle, with expected use, and at maximum.

    Reads the resources of a preview on the twin, which it starts where it does not run, and changes nothing.
    Prices are list prices; a resource without a price is listed, and in no sum (docs/cost.md). Steps that
    no first `up` can take, such as the activation of tags, are listed with their commands.
    """
    from cli.estimate import committed as committed_files
    from cli.estimate import discounts, report, steps
    from cli.estimate import estimate as estimates

    if as_json and markdown:
        raise CommandError("--json and --markdown: expected one of them")
    terms = estimates.Terms(
        discounts.parse_discounts(discount or []),
        discounts.parse_commitments(commitment or []),
        credits_count,
    )
    if (diff or committed) and terms != estimates.LIST_PRICES:
        option = "--diff" if diff else "--committed"
        raise CommandError(f"{option}: committed estimates have list prices; expected no other terms")
    if committed and preview:
        raise CommandError("--committed and --preview: expected one of them")
    before = committed_files.at_ref(environment, diff) if diff else None
    if committed:
        document = committed_files.now(environment)
    else:
        document = _of_preview(environment, preview, source, terms)
    document["steps"] = [steps.document(step) for step in steps.checked(steps.of_document(document))]
    changes = None if before is None else report.differences(before, document)
    if as_json:
        difference = {} if changes is None else {"difference": dict(changes)}
        say(json.dumps({**document, **difference}, indent=1))
    elif markdown:
        say(report.markdown(document, changes, diff or ""))
    else:
        report.show(document, lines=lines)
        if changes is not None:
            report.show_differences(changes, str(diff))
    if warning := report.age_warning(document, date.today()):
        note(warning)


def _of_preview(environment: str, file: Path | None, source: str | None, terms: Terms) -> dict[str, Any]:
    from cli.estimate import estimate as estimates
    from cli.estimate import preview, table

    cloud, region, usage = _of_file(environment)
    resources = preview.of_file(file) if file else preview.of_environment(environment, source)
    estimate = estimates.make(environment, region, resources, table.load(cloud), usage, terms)
    return estimates.document(estimate)


def _of_file(environment: str) -> tuple[str, str, Any]:
    """Return cloud, region and expected use of an environment's file."""
    from cli import instances
    from cli.estimate import usage
    from cli.stack_names import FOLDER

    known = instances.of_environment(environment)
    config = instances.config(environment)
    topic: dict[str, Any] = config[instances.TOPIC]
    where = f"environments/Pulumi.{environment}.yaml"
    stated = config.get(usage.TOPIC)
    for name in (config.get("ai-platform:shared") or {}).get("files") or []:
        shared = FOLDER / "shared" / f"{name}.yaml"
        if shared.is_file() and f"\n  {usage.TOPIC}:" in f"\n{shared.read_text()}":
            raise CommandError(
                f"environments/shared/{name}.yaml: {usage.TOPIC}: expected use is of one environment; "
                f"state it in {where}"
            )
    return (
        known["cloud"],
        known["region"],
        usage.of_file(str(topic.get("profile")), cast("Any", stated), where),
    )


@prices.command()
def refresh(cloud: str = CLOUD, region: str | None = REGION) -> None:
    """Renew a table of prices from the cloud's public price API.

    AWS's price files need no credentials; the catalog of Google Cloud needs an API key in $GOOGLE_API_KEY.
    A price that the API lacks stays, with its date, and is reported. Exits with 1 where none is renewed.
    """
    from cli.estimate import refreshing, table

    if cloud not in table.CLOUDS:
        raise CommandError(f"got {cloud!r}; expected one of {', '.join(table.CLOUDS)}")
    before = table.load(cloud)
    after, missing = refreshing.refresh(before, region or before.region)
    table.save(after)
    say(f"{len(before.prices) - len(missing)} price(s) renewed in cli/estimate/prices/{cloud}.toml")
    for key in missing:
        note(f"not in the API, unchanged: {key}")
