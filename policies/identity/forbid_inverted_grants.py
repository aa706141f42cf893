"""Rights say what they give, and never all but something."""

from __future__ import annotations

from collections.abc import Iterator

from ..pack import Finding, Judgement, Policy, Resource, Undecided
from ..pack.principals import RESOURCE_POLICIES
from ..pack.statements import IDENTITY_POLICIES, Statement, identity_statements, statements

POLICY = Policy(
    title="No rights by exclusion",
    severity="high",
    description="An Allow with NotAction, NotResource or NotPrincipal gives all but what it names: also the "
    "services, resources and people that come later. They belong into a Deny.",
    remediation="Name the actions, resources or principals that are meant, or make the statement a Deny.",
    frameworks=("NIST 800-53 AC-6", "SOC 2 CC6.3"),
)

_INVERTED = ("NotAction", "NotResource", "NotPrincipal")


@POLICY.on(*IDENTITY_POLICIES)
def on_identities(resource: Resource) -> Iterator[Judgement]:
    """Statements of identities."""
    for statement in identity_statements(resource):
        yield from _judged(statement)


@POLICY.on(*RESOURCE_POLICIES)
def on_resources(resource: Resource) -> Iterator[Judgement]:
    """Statements of resources and of trust."""
    for statement in statements(resource, RESOURCE_POLICIES[resource.type]):
        yield from _judged(statement)


def _judged(statement: Statement | Undecided) -> Iterator[Judgement]:
    if isinstance(statement, Undecided):
        yield statement
    elif statement.allows:
        for key in _INVERTED:
            if key in statement.body:
                yield Finding(f"{statement.path}.{key}", f"allows all but {statement.body[key]!r}")
