"""Tables are granted to named principals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ..framework import Entry, Outcome, Policy, Properties, Resource, Violation, check_each

POLICY = Policy(
    title="Tables are granted by name",
    severity="critical",
    description="No principal gets access to a table because it belongs to the internet, the project or the "
    "account. In Lake Formation `IAM_ALLOWED_PRINCIPALS` disables the grants of a resource; in BigQuery a "
    "dataset may be readable by a project role or by `allAuthenticatedUsers`.",
    remediation="Name the role, service account or group that needs the table; leave the default "
    "permissions of Lake Formation empty.",
    frameworks=("CIS GCP 7.1", "NIST 800-53 AC-3", "SOC 2 CC6.1"),
)

_EVERY_PRINCIPAL: Final = ("IAM_ALLOWED_PRINCIPALS", "EVERYONE")
_INTERNET: Final = ("allUsers", "allAuthenticatedUsers")
_PUBLIC: Final = "everyone on the internet"
_PROJECT: Final = "every reader of anything in the project"


@POLICY.on("aws:lakeformation/permissions:Permissions")
def on_grants(resource: Resource) -> Iterator[Outcome]:
    """Grants of Lake Formation."""
    principal = resource.known("principal")
    if principal in _EVERY_PRINCIPAL or str(principal).endswith(":IAMPrincipals"):
        yield Violation("principal", f"is {principal!r}, every principal with IAM permissions for Glue")


@POLICY.on("aws:lakeformation/dataLakeSettings:DataLakeSettings")
def on_defaults(resource: Resource) -> Iterator[Outcome]:
    """Default permissions of new databases and tables."""
    for key in ("createDatabaseDefaultPermissions", "createTableDefaultPermissions"):
        yield from check_each(resource.entries(key), _check_default)


def _check_default(default: Entry) -> Iterator[Outcome]:
    principal = default.known("principal")
    if principal in _EVERY_PRINCIPAL and default.known("permissions"):
        yield Violation(default.where("principal"), f"is {principal!r}, to whom every new one is open")


@POLICY.on("gcp:bigquery/dataset:Dataset")
def on_datasets(resource: Resource) -> Iterator[Outcome]:
    """The accesses in a dataset."""
    yield from check_each(resource.entries("accesses"), _check_access)


@POLICY.on("gcp:bigquery/datasetAccess:DatasetAccess")
def on_accesses(resource: Resource) -> Iterator[Outcome]:
    """An access as a separate resource."""
    yield from _check_access(resource)


def _check_access(access: Properties) -> Iterator[Outcome]:
    for key in ("specialGroup", "iamMember"):
        yield from check_each([key], _check_group, access)


def _check_group(key: str, access: Properties) -> Iterator[Outcome]:
    member = access.known(key)
    if member in _INTERNET:
        yield Violation(access.where(key), f"is {member!r}, {_PUBLIC}")
    elif member in ("projectReaders", "projectWriters"):
        yield Violation(access.where(key), f"is {member!r}, {_PROJECT}")


@POLICY.on(
    "gcp:bigquery/datasetIamMember:DatasetIamMember",
    "gcp:bigquery/datasetIamBinding:DatasetIamBinding",
    "gcp:bigquery/iamMember:IamMember",
    "gcp:bigquery/iamBinding:IamBinding",
)
def on_bindings(resource: Resource) -> Iterator[Outcome]:
    """Roles on datasets and tables."""
    for key in ("member", "members"):
        yield from check_each(resource.entries(key), _check_member)


def _check_member(entry: Entry) -> Iterator[Outcome]:
    member = entry.known()
    if member in _INTERNET:
        yield Violation(entry.path, f"is {member!r}, {_PUBLIC}")
    elif str(member).startswith(("projectViewer:", "projectEditor:")):
        yield Violation(entry.path, f"is {member!r}, {_PROJECT}")
