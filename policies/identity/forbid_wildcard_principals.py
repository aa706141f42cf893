"""Nothing is everybody's."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.principals import RESOURCE_POLICIES, grants, is_narrowed, is_undecided, principals
from ..pack.statements import Statement, statements

POLICY = Policy(
    title="No rights for everybody",
    severity="critical",
    description="A policy of a resource names who may use it. `*` without a condition, `allUsers` and "
    "`allAuthenticatedUsers` are everybody on the internet, with any account of their own.",
    remediation="Name roles or accounts, or add a condition such as aws:PrincipalOrgID or aws:SourceAccount; "
    "on Google Cloud name groups and service accounts.",
    frameworks=("CIS GCP 5.1", "CIS GCP 7.1", "NIST 800-53 AC-3", "NIST 800-53 AC-6", "SOC 2 CC6.1"),
)

_EVERYBODY = ("allUsers", "allAuthenticatedUsers", "principalSet://goog/public:all")


@POLICY.on(*RESOURCE_POLICIES)
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Statements that allow something to `*`."""
    for statement in statements(resource, RESOURCE_POLICIES[resource.type]):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows:
            yield from _judged(statement)


def _judged(statement: Statement) -> Iterator[Judgement]:
    for path, kind, value in principals(statement):
        if value == "*" and kind in ("*", "AWS", "Federated", "Service"):
            if is_narrowed(statement):
                return
            if is_undecided(statement):
                yield Undecided(f"{statement.path}.Condition")
            else:
                yield Finding(path, "allows '*', everybody with an account of their own, on no condition")


@POLICY.on("aws:lambda/permission:Permission")
def on_functions(resource: Resource) -> Iterator[Judgement]:
    """Functions that everybody may call."""
    principal = resource.get("principal")
    if principal is UNKNOWN:
        yield Undecided("principal")
    if principal is UNKNOWN or principal != "*":
        return
    conditions = [resource.get(key) for key in ("principalOrgId", "sourceAccount", "sourceArn")]
    if all(each is None for each in conditions):
        yield Finding("principal", "lets '*', everybody with an account of their own, call the function")


@POLICY.on("gcp:")
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Bindings of everybody."""
    for grant in grants(resource):
        if isinstance(grant, Undecided):
            yield grant
            continue
        for path, member in grant.members:
            if member is UNKNOWN:
                yield Undecided(path)
            elif member in _EVERYBODY:
                yield Finding(path, f"gives {grant.role!r} to {member!r}, everybody on the internet")


@POLICY.on("gcp:bigquery/dataset:Dataset", "gcp:bigquery/datasetAccess:DatasetAccess")
def on_datasets(resource: Resource) -> Iterator[Judgement]:
    """Accesses of datasets: among a dataset's own, or by themselves."""
    own = resource.type == "gcp:bigquery/dataset:Dataset"
    accesses = resource.items("accesses") if own else [("", resource)]
    for path, access in accesses:
        for key in ("specialGroup", "iamMember"):
            who, where = access.get(key), f"{path}.{key}" if path else key
            if who is UNKNOWN:
                yield Undecided(where)
            elif who in _EVERYBODY:
                yield Finding(where, f"gives the dataset to {who!r}")
