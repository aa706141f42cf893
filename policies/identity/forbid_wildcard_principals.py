"""No permission is given to everyone."""

from __future__ import annotations

from collections.abc import Iterator

from ..framework import Entry, Outcome, Policy, Properties, Resource, Violation, check_each
from ..framework.google_bindings import Grant, grants
from ..framework.policy_documents import RESOURCE_POLICIES, Principal, Statement, allowed_statements

POLICY = Policy(
    title="No permissions for everyone",
    severity="critical",
    description="A resource-based policy names the principals that may use the resource. `*` without a "
    "condition, `allUsers` and `allAuthenticatedUsers` are everyone on the internet, with any account.",
    remediation="Name roles or accounts, or add a condition such as aws:PrincipalOrgID or aws:SourceAccount; "
    "on Google Cloud name groups and service accounts.",
    frameworks=("CIS GCP 5.1", "CIS GCP 7.1", "NIST 800-53 AC-3", "NIST 800-53 AC-6", "SOC 2 CC6.1"),
)

_EVERYONE = ("allUsers", "allAuthenticatedUsers", "principalSet://goog/public:all")


@POLICY.on(*RESOURCE_POLICIES)
def on_aws(resource: Resource) -> Iterator[Outcome]:
    """Statements that allow `*` an action."""
    yield from check_each(allowed_statements(resource, RESOURCE_POLICIES[resource.type]), _check_statement)


def _check_statement(statement: Statement) -> Iterator[Outcome]:
    if not statement.is_limited():
        yield from check_each(statement.principals, _check_principal, statement)


def _check_principal(principal: Principal, statement: Statement) -> Iterator[Outcome]:
    if principal.kind in ("*", "AWS", "Federated", "Service"):
        value = Entry(principal.path, principal.value).known()
        if value == "*":
            statement.require_known_conditions()
            names = statement.condition_names
            limit = f"and {names} does not limit it" if names else "without a condition"
            yield Violation(principal.path, f"allows '*', everyone with any account, {limit}")


@POLICY.on("aws:lambda/permission:Permission")
def on_functions(resource: Resource) -> Iterator[Outcome]:
    """Functions that everyone may call."""
    conditions = ("principalOrgId", "sourceAccount", "sourceArn")
    if resource.known("principal") == "*" and all(resource.raw(key) is None for key in conditions):
        yield Violation("principal", "allows '*', everyone with any account, to call the function")


@POLICY.on("gcp:")
def on_google(resource: Resource) -> Iterator[Outcome]:
    """Bindings for everyone."""
    yield from check_each(grants(resource), _check_grant)


def _check_grant(grant: Grant) -> Iterator[Outcome]:
    yield from check_each(grant.members, _check_member, grant)


def _check_member(entry: Entry, grant: Grant) -> Iterator[Outcome]:
    if entry.known() in _EVERYONE:
        yield Violation(entry.path, f"gives {grant.role_name} to {entry.known()!r}, everyone on the internet")


@POLICY.on("gcp:bigquery/dataset:Dataset")
def on_datasets(resource: Resource) -> Iterator[Outcome]:
    """The accesses in a dataset."""
    yield from check_each(resource.entries("accesses"), _check_access)


@POLICY.on("gcp:bigquery/datasetAccess:DatasetAccess")
def on_accesses(resource: Resource) -> Iterator[Outcome]:
    """An access as a separate resource."""
    yield from _check_access(resource)


def _check_access(access: Properties) -> Iterator[Outcome]:
    yield from check_each(("specialGroup", "iamMember"), _check_group, access)


def _check_group(key: str, access: Properties) -> Iterator[Outcome]:
    member = access.known(key)
    if member in _EVERYONE:
        yield Violation(access.where(key), f"gives the dataset to {member!r}")
