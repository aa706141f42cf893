"""Names that exist already, on either cloud."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from cli.estimate.resources import Resource
from cli.preflight.results import Result, ok, problem

CHECK: Final = "names"


def collision(resource: Resource, name: str, delete: str) -> Result:
    """Return the problem of a name that exists and is not in the stack. delete: the command for it."""
    reason = (
        f"it exists, and the stack does not contain it as {resource.name} ({resource.type}); the environment "
        "cannot create it again"
    )
    repair = f"{delete}; or, to keep it, import it into the stack (pulumi import), or state another name"
    return problem(CHECK, name, reason, repair)


def summary(looked_for: Mapping[str, int]) -> Iterator[Result]:
    """Yield one result for each type of names that were looked for. looked_for: type -> names."""
    for type_, count in looked_for.items():
        yield ok(CHECK, type_, f"{count} looked for")
