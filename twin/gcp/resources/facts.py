"""What the real provider's schemas state of each resource type: twin/gcp/facts.json.

The file is extracted by `python -m tools.provider_facts`, and names its sources. A table entry adds only what
no schema states.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from twin.gcp.resources.validators import Validator, matches, one_of

FILE: Final = Path(__file__).parents[1] / "facts.json"


@cache
def every() -> Mapping[str, Mapping[str, Any]]:
    """The facts of all types by token."""
    return json.loads(FILE.read_bytes())["types"]


def completed(kind: Any) -> None:
    """Complete a table entry's attributes with the facts; what the entry states itself wins."""
    facts = every().get(kind.token)
    if facts is None:
        return
    # With the base class's, which name what all types have.
    server = frozenset(facts.get("server", ()))
    kind.immutable = _joined(kind.immutable, facts.get("immutable", ()))
    kind.immutable_blocks = _joined(kind.immutable_blocks, facts.get("immutable_blocks", ()))
    kind.computed = _joined(kind.computed, (path for path in server if "." not in path))
    kind.server = _joined(kind.server, server)
    kind.suppressed = {
        **dict.fromkeys(facts.get("output", ()), ""),
        **facts.get("suppressed", {}),
        **kind.suppressed,
    }
    kind.sets = _joined(kind.sets, facts.get("sets", ()))
    defaults = facts.get("defaults", {})
    kind.defaults = {**{path: each for path, each in defaults.items() if "." not in path}, **kind.defaults}
    kind.nested_defaults = {
        **{path: each for path, each in defaults.items() if "." in path},
        **kind.nested_defaults,
    }
    kind.conflicts = (*kind.conflicts, *_pairs(facts.get("conflicts", {}), kind.conflicts))
    kind.exactly_one = _groups(kind.exactly_one, facts.get("exactly_one_of", ()))
    kind.at_least_one = _groups(kind.at_least_one, facts.get("at_least_one_of", ()))
    kind.together = {**facts.get("required_with", {}), **kind.together}
    kind.validators = {**_validators(facts), **kind.validators}


def _validators(facts: Mapping[str, Any]) -> dict[str, Validator]:
    found = {path: matches(pattern) for path, pattern in facts.get("patterns", {}).items()}
    return found | {path: one_of(*values) for path, values in facts.get("enums", {}).items()}


def _joined(own: frozenset[str], more: Any) -> frozenset[str]:
    return own | frozenset(more)


def _groups(own: tuple[tuple[str, ...], ...], more: Any) -> tuple[tuple[str, ...], ...]:
    held = {frozenset(group) for group in own}
    return (*own, *(tuple(group) for group in more if frozenset(group) not in held))


def _pairs(conflicts: Mapping[str, list[str]], own: tuple[tuple[str, ...], ...]) -> list[tuple[str, str]]:
    held = {frozenset((first, other)) for first, *others in own for other in others}
    found: list[tuple[str, str]] = []
    for first, others in conflicts.items():
        for other in others:
            if frozenset((first, other)) not in held:
                held.add(frozenset((first, other)))
                found.append((first, other))
    return found
