"""What the definition of a workflow may call, whatever its language is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiplatform._shared.args import Problem, nearest

DEAD_LETTER: Final = "dead_letter"
"""The name by which definitions call the dead-letter queue."""


@dataclass(frozen=True)
class Callees:
    """The functions and jobs of the arguments, by name. handled: whether errors of each call must be
    handled."""

    functions: frozenset[str]
    jobs: frozenset[str]
    handled: bool

    @property
    def names(self) -> list[str]:
        """All names that a definition may have, sorted."""
        return sorted({*self.functions, *self.jobs, DEAD_LETTER})

    def unknown(self, path: str, name: str, kind: str) -> Iterator[Problem]:
        """Yield the problem of a call of what the arguments do not list. kind: `functions` or `jobs`."""
        known: frozenset[str] = getattr(self, kind)
        if name not in known:
            expected = ", ".join(sorted(known)) or "none"
            yield Problem(
                path,
                f"got {name!r}, which `{kind}` does not list, so that the workflow has no right to call it; "
                f"expected one of {expected}{nearest(name, sorted(known))}",
            )

    def unused(self, called: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield the functions and jobs that nothing calls: a right without use."""
        for kind in ("functions", "jobs"):
            for name in sorted(getattr(self, kind) - called.keys()):
                yield Problem(
                    f"{kind}.{name}", "which the definition does not call; expected it called, or left out"
                )
