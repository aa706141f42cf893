"""`aiplatform model`: releases of models. Each command runs a Job in the cluster, as the calling user."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any, Final

import typer

from cli.maintenance.cluster import KUBECONFIG, kubeconfig_of
from cli.model import requests
from cli.model.jobs import DISK_GIB, Releases
from cli.model.services import Services
from cli.output import CommandError, say, table
from cli.stacks import ENVIRONMENT

app = typer.Typer(name="model", help="Releases of models.", no_args_is_help=True)
app.command()(requests.requests)
app.command()(requests.approve)
_MODEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
SERVED_ALIAS: Final = "champion"
"""The alias of the release that services serve."""
_COMMIT: Final = re.compile(r"[0-9a-f]{40}")
MODEL = typer.Argument(metavar="TEAM/MODEL", help="The model.", show_default=False)
ALIAS = typer.Option("champion", "--alias", help="An alias that the model registry guards.")
MINUTES = typer.Option(120, "--timeout", metavar="MINUTES", min=1, help="Limit of the wait; the Job goes on.")
CARD = typer.Option(..., "--card", metavar="FILE", help="The model card, JSON.")
DISK = typer.Option(
    DISK_GIB, "--disk", metavar="GIB", min=1, max=1000, help="Disk of the Job: the largest file of the model."
)
JSON = typer.Option(False, "--json", help="Print the result as JSON.")


@app.command(name="list")
def list_(
    environment: str = ENVIRONMENT,
    team: str = typer.Option("", "--team", help="Of this team only."),
    as_json: bool = JSON,
    minutes: int = MINUTES,
    kubeconfig: Path | None = KUBECONFIG,
) -> None:
    """List the models that have releases, and which release has which alias."""
    rows = _releases(environment, kubeconfig, minutes).run(["list", *filter(None, [team])], label=team)
    if as_json:
        say(json.dumps(rows, indent=1))
        return
    cells = [
        (
            row["model"],
            str(row["releases"]),
            ", ".join(f"{alias} {version}" for alias, version in row["aliases"].items()) or "-",
            row["last_promotion"] or "-",
        )
        for row in rows
    ]
    table(("model", "releases", "aliases", "last promotion"), cells)


@app.command()
def show(
    environment: str = ENVIRONMENT,
    model: str = MODEL,
    as_json: bool = JSON,
    minutes: int = MINUTES,
    kubeconfig: Path | None = KUBECONFIG,
) -> None:
    """Show the releases of a model, what they were made of, and who promoted them when."""
    label = _label(model)
    details = _releases(environment, kubeconfig, minutes).run(["show", model], label=label)
    if as_json:
        say(json.dumps(details, indent=1))
        return
    table(
        ("version", "files", "MiB", "code", "run", "licence", "metrics"),
        [_release_row(release) for release in details["releases"]],
    )
    if details["imports"]:
        say(f"imports that are not promoted: {', '.join(details['imports'])}")
    say()
    table(
        ("time", "action", "version", "alias", "approved by", "previous"),
        [
            (
                entry["at"],
                entry["action"],
                entry["version"],
                entry["alias"],
                entry["approved_by"] or "-",
                entry["previous"] or "-",
            )
            for entry in details["promotions"]
        ],
    )


def _release_row(release: dict[str, Any]) -> tuple[str, ...]:
    if not release["finished"]:
        return (release["version"], "unfinished", "-", "-", "-", "-", "-")
    lineage, card, source = release["lineage"] or {}, release["card"] or {}, release["source"]
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in lineage.get("metrics", {}).items())
    return (
        release["version"],
        str(release["files"]),
        f"{release['bytes'] / (1 << 20):.1f}",
        lineage.get("code_commit", "")[:12] or source.get("repository", "-"),
        lineage.get("run", "-"),
        card.get("licence", "-"),
        metrics or "-",
    )


@app.command()
def promote(
    environment: str = ENVIRONMENT,
    model: str = MODEL,
    version: str = typer.Argument(metavar="VERSION", help="Of MLflow, or hf-COMMIT.", show_default=False),
    alias: str = ALIAS,
    better_than: str = typer.Option("", "--better-than", metavar="ALIAS", help="Only where it is better."),
    metric: str = typer.Option("", "--metric", help="The metric to compare."),
    margin: float = typer.Option(0.0, "--margin", help="By how much at least, 0 to 1, in the metric's unit."),
    lower_is_better: bool = typer.Option(False, "--lower-is-better", help="For errors and losses."),
    disk_gib: int = DISK,
    minutes: int = MINUTES,
    kubeconfig: Path | None = KUBECONFIG,
) -> None:
    """Approve a version: copy it into a release that nothing changes, and give it an alias.

    The user of the kubeconfig is recorded as the approver. Interrupted, the same command goes on.
    """
    label = _label(model)
    if not 0 <= margin <= 1:
        raise CommandError(f"--margin {margin}: expected a number from 0 to 1")
    if bool(better_than) != bool(metric) or ((margin or lower_is_better) and not metric):
        raise CommandError("--better-than and --metric: expected both, or none of the comparison's options")
    options = ["--alias", alias, "--request", uuid.uuid4().hex]
    if metric:
        options += ["--better-than", better_than, "--metric", metric, "--margin", str(margin)]
        options += ["--lower-is-better"] if lower_is_better else []
    # Options before `--`, so that no name is read as one.
    arguments = ["promote", *options, "--", model, version]
    releases = _releases(environment, kubeconfig, minutes)
    _print(releases.run(arguments, label=label, disk_gib=disk_gib))


@app.command()
def rollback(
    environment: str = ENVIRONMENT,
    model: str = MODEL,
    leaves: str = typer.Option(
        "",
        "--from",
        metavar="VERSION",
        help="The version that has it now: repeated, the command goes back once.",
    ),
    alias: str = ALIAS,
    minutes: int = MINUTES,
    kubeconfig: Path | None = KUBECONFIG,
) -> None:
    """Go back to the release before: requests to its services, and the alias, once it is verified.

    Requests move at once where the release before is kept. Else its rollout is started.
    """
    label = _label(model)
    releases = _releases(environment, kubeconfig, minutes)
    services = _services(environment, kubeconfig, model) if alias == SERVED_ALIAS else None
    templates = services.serving(label) if services is not None else {}
    versions: dict[str, str | None] = {}
    for service in templates:
        assert services is not None  # noqa: S101 - there are templates
        # First: it takes a second, and the verification of the files minutes.
        versions[service] = services.move_back(service, leaves)
        if versions[service] is not None:
            say(f"requests to {service} go to version {versions[service]}")
    options = ["--alias", alias, "--request", uuid.uuid4().hex, *(["--from", leaves] if leaves else [])]
    arguments = ["rollback", *options, "--", model]
    entry = releases.run(arguments, label=label)
    _print(entry)
    for service, template in templates.items():
        if services is not None and versions[service] != entry["version"]:
            name = services.submit(service, template, entry["version"])
            say(
                f"{service}: version {entry['version']} is not kept; its rollout is the workflow "
                f"{services.namespace}/{name}"
            )


@app.command(name="import")
def import_(
    environment: str = ENVIRONMENT,
    model: str = MODEL,
    repository: str = typer.Option(..., "--repository", help="OWNER/NAME on Hugging Face."),
    revision: str = typer.Option(..., "--revision", help="The full commit."),
    card: Path = CARD,
    disk_gib: int = DISK,
    minutes: int = MINUTES,
    kubeconfig: Path | None = KUBECONFIG,
) -> None:
    """Copy a revision of Hugging Face, so that it can be promoted: weights in safetensors only."""
    label = _label(model)
    if not _COMMIT.fullmatch(revision):
        raise CommandError(
            f"--revision {revision}: expected a full commit, 40 hexadecimal digits: a branch or a tag can be "
            "moved"
        )
    try:
        content = json.dumps(json.loads(card.read_text()))
    except ValueError as error:
        raise CommandError(f"{card}: no JSON: {error}") from error
    options = ["--repository", repository, "--revision", revision, "--card", content]
    releases = _releases(environment, kubeconfig, minutes)
    result = releases.run(["import", *options, "--", model], label=label, disk_gib=disk_gib)
    say(f"{model} {result['version']} is imported, {result['files']} files; promote it to serve it.")


def _label(model: str) -> str:
    """Return the part of a Job's name. Raises CommandError for a model in another form."""
    if not _MODEL.fullmatch(model):
        raise CommandError(f"{model!r}: expected TEAM/MODEL, as in pricing/fares")
    return model.partition("/")[2]


def _releases(environment: str, kubeconfig: Path | None, minutes: int) -> Releases:
    from cli import instances

    instances.of_environment(environment)  # refuses one that has no file
    return Releases.of(kubeconfig_of(environment, kubeconfig), minutes * 60)


def _services(environment: str, kubeconfig: Path | None, model: str) -> Services:
    from cli import instances

    team = model.partition("/")[0]
    teams: Any = instances.config(environment).get("ai-platform:teams") or {}
    namespace = (teams.get(team) or {}).get("namespace") or team
    return Services.of(kubeconfig_of(environment, kubeconfig), str(namespace))


def _print(entry: dict[str, Any]) -> None:
    approver = f", approved by {entry['approved_by']}" if entry["approved_by"] else ""
    previous = f"; previous {entry['previous']}" if entry["previous"] else ""
    say(f"{entry['team']}/{entry['model']} {entry['version']} is {entry['alias']}{approver}{previous}")
