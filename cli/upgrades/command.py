"""The command `aiplatform upgrades`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from cli import charts
from cli.maintenance.cluster import KUBECONFIG
from cli.output import CommandError, say
from cli.preflight.command import AS_JSON, CLOUD, PREVIEW
from cli.program_answers import answer_of
from cli.stacks import ENVIRONMENT, PANEL

if TYPE_CHECKING:
    from cli.estimate.resources import Resources
    from cli.upgrades.facts import Facts
    from cli.upgrades.items import Item
    from cli.upgrades.order import Step

ONLINE = typer.Option(
    False, "--online", help="Ask PyPI and the repositories of charts for their newest versions."
)
WITHIN = typer.Option(
    90, "--within", metavar="DAYS", min=0, help="Days before an end of support that count as soon."
)
_ROOT: Final = Path(__file__).resolve().parents[2]
_PRICES: Final = {"aws": "eks/extended-support", "gcp": "gke/extended-support"}


@dataclass(frozen=True)
class _Question:
    """What is asked, of which cluster."""

    environment: str
    known: Mapping[str, str]
    cloud: bool
    kubeconfig: Path | None
    within: int
    online: bool


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL, options_metavar="[OPTION]...")(upgrades)


def upgrades(
    environment: str = ENVIRONMENT,
    as_json: bool = AS_JSON,
    cloud: bool = CLOUD,
    preview: Path | None = PREVIEW,
    kubeconfig: Path | None = KUBECONFIG,
    online: bool = ONLINE,
    within: int = WITHIN,
    source: str | None = charts.OPTION,
) -> None:
    """List what is behind or near the end of its support, with the order to follow.

    Compares Kubernetes, node images, add-ons, charts and providers with what the cloud offers, and changes
    nothing. Each step states the values of the environment's file that it changes, and why it is blocked.
    Exits with 2 where something is out of support, with 3 where support ends soon or a step is blocked, and
    with 1 where the versions could not be looked up (docs/operations/upgrades.md).
    """
    from cli import instances
    from cli.estimate.resources import Resources
    from cli.preflight import previews
    from cli.upgrades import items

    question = _Question(
        environment, instances.of_environment(environment), cloud, kubeconfig, within, online
    )
    stated = list_of(environment)
    previewed = previews.read(environment, source, preview)
    notes = [f"APIs and PodDisruptionBudgets of resources: {error}" for error in previewed.errors]
    resources = Resources(previewed.resources)
    if cloud:
        rows, steps, more = _evaluated(question, stated, resources)
    else:
        from cli.clients import variables
        from cli.stacks import started
        from twin import environment as of_twin

        with variables.only(of_twin.complete(started(environment))):
            rows, steps, more = _evaluated(question, stated, resources)
    code = items.exit_code(rows, any(step.blocked for step in steps))
    _print(question, rows, steps, [*notes, *more], code, as_json=as_json)
    raise typer.Exit(code)


def list_of(environment: str) -> dict[str, Any]:
    """Return what an environment's file states, by the program of the environment."""
    return answer_of("upgrade_list", environment)


def today() -> date:
    """Return the day in UTC, by which the clouds end support."""
    return datetime.now(UTC).date()


def _evaluated(
    question: _Question, stated: Mapping[str, Any], resources: Resources
) -> tuple[list[Item], list[Step], list[str]]:
    from cli.upgrades import apis, disruption, items, order, software

    known = _facts(question, stated, resources)
    terms = items.Terms(question.known["cloud"], today(), question.within, _price(question.known["cloud"]))
    sdks = software.sdks(question.known["cloud"])
    of_charts = software.newest_charts(stated["charts"]) if question.online else None
    of_sdks = software.newest_sdks([sdk.name for sdk in sdks]) if question.online else None
    version = known.control.version
    rows = [
        *items.sdks_of(sdks, of_sdks),
        *items.charts_of(stated, version, of_charts),
        items.control_plane(known.control, terms),
        *items.addons_of(known, stated),
        *items.nodes_of(known, stated, terms),
        *items.software_of(stated),
    ]
    used = apis.used(resources.all)
    notes = [*known.notes, *apis.deprecated_in(known.control.next or version, used)]
    unknown = [chart["name"] for chart in stated["charts"] if not chart["kubernetes"]]
    if known.control.next and unknown:
        notes.append(
            f"whether these charts support {known.control.next}, which the catalog does not record: "
            f"{', '.join(unknown)}"
        )
    budgets = list(dict.fromkeys([*disruption.stated(resources), *_budgets(question, known, notes)]))
    removed = apis.removed_in(known.control.next, used) if known.control.next else []
    plan = order.Plan(question.environment, question.known["cloud"], known, rows, stated, removed, budgets)
    return rows, order.steps(plan), notes


def _facts(question: _Question, stated: Mapping[str, Any], resources: Resources) -> Facts:
    from cli import clients
    from cli.maintenance.kubeconfigs import cluster_of
    from cli.preflight.scope import UncheckedError
    from cli.upgrades import aws, gcp

    known, cluster = question.known, cluster_of(question.environment)
    client = clients.of(known["cloud"], known["region"], known["account"], on_twin=not question.cloud)
    try:
        if known["cloud"] == "aws":
            return aws.read(client, known["account"], cluster, stated, resources)
        return gcp.read(client, known["account"], known["region"], cluster, stated, resources)
    except UncheckedError as error:
        raise CommandError(f"the versions of {cluster} cannot be looked up: {error}") from error


def _price(cloud: str) -> float:
    from cli.estimate import table

    return table.load(cloud).prices[_PRICES[cloud]].usd


def _budgets(question: _Question, known: Facts, notes: list[str]) -> list[str]:
    """Return the budgets of the cluster that allow no disruption now."""
    from cli.maintenance.cluster import Cluster, api_errors
    from cli.upgrades import disruption

    if not known.control.exists:
        return []
    if question.cloud and question.kubeconfig is None:
        notes.append("PodDisruptionBudgets of the cluster, which --kubeconfig names")
        return []
    try:
        cluster = Cluster.of(question.environment, question.kubeconfig)
        with api_errors("expected the right to list PodDisruptionBudgets"):
            budgets = cluster.list("policy/v1", "PodDisruptionBudget")
    except CommandError as error:
        if question.kubeconfig is not None:
            raise
        notes.append(f"PodDisruptionBudgets of the cluster: {error}")
        return []
    return list(disruption.present(budgets))


def _print(
    question: _Question,
    rows: Sequence[Item],
    steps: Sequence[Step],
    notes: Sequence[str],
    code: int,
    *,
    as_json: bool,
) -> None:
    from cli.upgrades import report

    account, day = question.known["account"], today()
    if as_json:
        first = {
            "environment": question.environment,
            "account": account,
            "target": "cloud" if question.cloud else "twin",
            "exit_code": code,
        }
        say(json.dumps(report.document(first, rows, steps, notes, day), indent=1))
        return
    place = "" if question.cloud else " of the twin"
    title = f"{question.environment}: account {account}{place}, {question.known['region']}"
    report.show(title, rows, steps, notes, day)
