"""Rights name the actions that they give."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import UNKNOWN, Finding, Judgement, Policy, Resource, Undecided
from ..pack.principals import PROJECT_BINDINGS, grants
from ..pack.statements import IDENTITY_POLICIES, identity_statements, is_every_action

POLICY = Policy(
    title="No wildcard actions",
    severity="high",
    description="An identity gets the actions that it needs, each by its name. `*` and `s3:*` give what "
    "nobody has thought of, and what the service gets next year.",
    remediation="Name the actions that the workload calls; CloudTrail or IAM Access Analyzer tells which.",
    frameworks=("CIS AWS 1.16", "NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

# Roles on Google Cloud that are what `*` is on AWS.
_BASIC = ("roles/owner", "roles/editor")


@POLICY.on(*IDENTITY_POLICIES)
def on_aws(resource: Resource) -> Iterator[Judgement]:
    """Statements that allow `*` or `service:*`."""
    for statement in identity_statements(resource):
        if isinstance(statement, Undecided):
            yield statement
        elif statement.allows:
            for path, action in statement.listed("Action"):
                if is_every_action(action):
                    yield Finding(path, f"allows {action!r}, every action there is or will be")


@POLICY.on(*PROJECT_BINDINGS)
def on_google(resource: Resource) -> Iterator[Judgement]:
    """The basic roles."""
    for grant in grants(resource):
        if isinstance(grant, Undecided):
            yield grant
        elif grant.role is UNKNOWN:
            yield Undecided(grant.path)
        elif grant.role in _BASIC:
            yield Finding(grant.path, f"gives {grant.role!r}, thousands of permissions in every service")
