"""Who may become somebody else, is told whom."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.principals import PROJECT_BINDINGS, grants, narrowing
from ..pack.statements import IDENTITY_POLICIES, Statement, identity_statements, is_every_action, stands_for

POLICY = Policy(
    title="Impersonation names whom",
    severity="high",
    description="iam:PassRole and sts:AssumeRole on `*`, and Google Cloud's token creator or service "
    "account user on a project, let somebody act as every identity that there is, the "
    "mightiest included.",
    remediation="Name the roles (for iam:PassRole also the service, by iam:PassedToService); on Google "
    "Cloud grant the role on the one service account.",
    frameworks=("CIS GCP 1.6", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_ACTIONS = ("iam:passrole", "sts:assumerole")
_ROLES = (
    "roles/iam.serviceAccountUser",
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/iam.workloadIdentityUser",
)


@POLICY.on(*IDENTITY_POLICIES)
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Statements that let somebody pass or become every role."""
    for statement in identity_statements(resource):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows:
            yield from _judged(statement)


def _judged(statement: Statement) -> Iterator[Judgement]:
    found = [
        action
        for _, action in statement.listed("Action")
        if isinstance(action, str) and not is_every_action(action) and stands_for(action, _ACTIONS)
    ]
    if not found or any(True for _ in narrowing(statement, "aws:resourcetag/", "iam:resourcetag/")):
        return
    for path, said in statement.listed("Resource"):
        if isinstance(said, str) and (said == "*" or said.endswith((":role/*", ":iam::*:*"))):
            yield Finding(path, f"allows {found[0]!r} on {said!r}, every role there is")


@POLICY.on(*PROJECT_BINDINGS)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """Impersonation of all service accounts of a project."""
    for grant in grants(resource):
        if isinstance(grant, Undecided):
            yield grant
        elif grant.role is UNKNOWN:
            yield Undecided(grant.path)
        elif grant.role in _ROLES and not grant.conditional:
            yield Finding(grant.path, f"gives {grant.role!r} for every service account that there is")
