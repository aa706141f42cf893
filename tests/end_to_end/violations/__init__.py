"""Programs without the platform's components, with violations among compliant resources.

A violation is marked at its resource: `violates("everything", "identity.forbid_wildcard_actions")` returns
the name of the resource and records the policies that must report it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Violations:
    """The violations of a program."""

    policies: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Logical name -> the policies that must report it."""

    def __call__(self, name: str, *policies: str) -> str:
        """Return the name of a resource that these policies must report."""
        assert name not in self.policies, f"two violations with the name {name}"
        assert policies, f"{name}: no policy must report it"
        self.policies[name] = policies
        return name
