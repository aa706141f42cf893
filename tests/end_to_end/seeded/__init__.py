"""Hand-written programs that know nothing of the platform, with faults among what is right.

A fault is marked where it is made: `seed("everything", "identity.forbid_wildcard_actions")` gives the
resource its name and says which policies must find it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Seeds:
    """The faults of a program."""

    faults: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Logical name -> the policies that must find it."""

    def __call__(self, name: str, *policies: str) -> str:
        """The name of a resource that these policies must find."""
        assert name not in self.faults, f"two faults of the name {name}"
        assert policies, f"{name}: no policy is to find it"
        self.faults[name] = policies
        return name
