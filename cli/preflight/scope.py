"""What the checks of an environment share, and how they are run: a check that fails is `not checked`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cli.clients.errors import UncheckedError
from cli.estimate.nodes import Group
from cli.estimate.resources import Resource, Resources
from cli.preflight.results import Result, not_checked


@dataclass(frozen=True)
class Scope:
    """An environment, what its preview registers, and the client of its cloud.

    all_new: whether all resources count as new: the preview's stack is not that of the account.
    on_twin: whether the account is a twin's, which reaches nothing outside this machine.
    unread: node groups whose sizes the preview does not know -> why.
    """

    environment: str
    cloud: str
    region: str
    account: str
    resources: Resources
    groups: Sequence[Group]
    client: Any
    all_new: bool = False
    on_twin: bool = False
    unread: Sequence[tuple[str, str]] = ()

    def is_new(self, resource: Resource) -> bool:
        """Whether the preview would create a resource."""
        return self.all_new or resource.op == "create"

    def new(self, *types: str) -> list[Resource]:
        """Return the resources of these types that the preview would create."""
        return [resource for resource in self.resources.of(*types) if self.is_new(resource)]


Check = Callable[[Scope], Iterable[Result]]


def run(checks: Sequence[tuple[str, Check]], scope: Scope) -> Iterator[Result]:
    """Yield the results of all checks. One that raises UncheckedError is not checked, and the others run."""
    for name, check in checks:
        try:
            yield from check(scope)
        except UncheckedError as error:
            yield not_checked(name, scope.account, str(error))
