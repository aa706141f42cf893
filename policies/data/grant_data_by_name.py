"""Tables are granted to somebody, not to everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided

POLICY = Policy(
    title="Tables are granted by name",
    severity="critical",
    description="Nobody gets a table by being in the world, in the project or in the account. In Lake "
    "Formation `IAM_ALLOWED_PRINCIPALS` switches its grants off for whatever carries it; in BigQuery a "
    "dataset is readable by all whom a project role or `allAuthenticatedUsers` names.",
    remediation="Name the role, service account or group that needs the table; leave the default "
    "permissions of Lake Formation empty.",
    frameworks=("CIS GCP 7.1", "NIST 800-53 AC-3", "SOC 2 CC6.1"),
)

_EVERYBODY_ON_AWS = ("IAM_ALLOWED_PRINCIPALS", "EVERYONE")
_WORLD = ("allUsers", "allAuthenticatedUsers")


@POLICY.on("aws:lakeformation/permissions:Permissions")
def on_grants(resource: Resource) -> Iterator[Judgement]:
    """A grant of Lake Formation."""
    who = resource.get("principal")
    if who is UNKNOWN:
        yield Undecided("principal")
    elif who in _EVERYBODY_ON_AWS or (isinstance(who, str) and who.endswith(":IAMPrincipals")):
        yield Finding("principal", f"is {who!r}, everybody to whom IAM gives Glue")


@POLICY.on("aws:lakeformation/dataLakeSettings:DataLakeSettings")
def on_defaults(resource: Resource) -> Iterator[Judgement]:
    """What every new database and table carries."""
    for key in ("createDatabaseDefaultPermissions", "createTableDefaultPermissions"):
        if resource.get(key) is UNKNOWN:
            yield Undecided(key)
        for path, entry in resource.items(key):
            who = cast("dict[str, Any]", entry).get("principal")
            if who is UNKNOWN:
                yield Undecided(f"{path}.principal")
            elif who in _EVERYBODY_ON_AWS:
                given = cast("dict[str, Any]", entry).get("permissions")
                if given is UNKNOWN:
                    yield Undecided(f"{path}.permissions")
                elif given:
                    yield Finding(f"{path}.principal", f"is {who!r}, which every new one is then open to")


@POLICY.on("gcp:bigquery/dataset:Dataset")
def on_datasets(resource: Resource) -> Iterator[Judgement]:
    """The accesses that a dataset carries itself."""
    if resource.get("accesses") is UNKNOWN:
        yield Undecided("accesses")
    for path, _ in resource.items("accesses"):
        yield from _access(resource, f"{path}.")


@POLICY.on("gcp:bigquery/datasetAccess:DatasetAccess")
def on_accesses(resource: Resource) -> Iterator[Judgement]:
    """An access by itself."""
    yield from _access(resource, "")


def _access(resource: Resource, path: str) -> Iterator[Judgement]:
    for key in ("specialGroup", "iamMember"):
        who = resource.get(f"{path}{key}")
        if who is UNKNOWN:
            yield Undecided(f"{path}{key}")
        elif who in _WORLD:
            yield Finding(f"{path}{key}", f"is {who!r}, the whole world")
    if resource.get(f"{path}specialGroup") in ("projectReaders", "projectWriters"):
        who = resource.get(f"{path}specialGroup")
        yield Finding(f"{path}specialGroup", f"is {who!r}, all who may look at anything in the project")


@POLICY.on(
    "gcp:bigquery/datasetIamMember:DatasetIamMember",
    "gcp:bigquery/datasetIamBinding:DatasetIamBinding",
    "gcp:bigquery/iamMember:IamMember",
    "gcp:bigquery/iamBinding:IamBinding",
)
def on_bindings(resource: Resource) -> Iterator[Judgement]:
    """Roles on datasets and tables."""
    if resource.get("members") is UNKNOWN:
        yield Undecided("members")
    paths = ["member", *(path for path, _ in resource.items("members"))]
    for path in paths:
        who = resource.get(path)
        if who is UNKNOWN:
            yield Undecided(path)
        elif who in _WORLD:
            yield Finding(path, f"is {who!r}, the whole world")
        elif isinstance(who, str) and who.startswith(("projectViewer:", "projectEditor:")):
            yield Finding(path, f"is {who!r}, all who may look at anything in the project")
