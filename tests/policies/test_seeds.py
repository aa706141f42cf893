"""The real engine shows every policy a fault on every cloud that it has a form for: tests/end_to_end/seeded.

A spec proves a policy against properties that its author imagined. The engine has others: inputs after the
provider's Check, and a stack in which what only the cloud knows is missing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from policies.pack.discovery import ROOT, find
from policies.pack.policy import Policy

SEEDED = Path(__file__).parents[1] / "end_to_end" / "seeded"


CLOUDS = ("aws", "gcp", "kubernetes")
"""What the programs' files begin with, and types."""


def _seeds() -> Iterator[tuple[str, str]]:
    """(file:line, policy) of every `seed("name", "policy", ...)`."""
    for file in sorted(SEEDED.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "seed":
                for argument in node.args[1:]:
                    yield f"{file.name}:{argument.lineno}", ast.literal_eval(argument)


def _forms(policy: Policy) -> Iterator[str]:
    """The clouds that a policy has a form for, by the types that it names."""
    source = (ROOT / f"{policy.id.replace('.', '/')}.py").read_text()
    named = [token for types, _ in policy.resource_rules for token in types]
    for cloud in CLOUDS:
        starts = (f"{cloud}:", f"pulumi:providers:{cloud}")
        if any(f'"{start}' in source for start in starts) or any(each.startswith(starts) for each in named):
            yield cloud


def test_the_real_engine_is_shown_a_fault_for_every_policy_on_every_cloud() -> None:
    seeded = {(policy, where.partition("_")[0].partition(".")[0]) for where, policy in _seeds()}
    without = [
        f"{policy.id} on {cloud}"
        for policy in find()
        for cloud in _forms(policy)
        if (policy.id, cloud) not in seeded
    ]
    assert not without, (
        f"no seed for {', '.join(without)}: declare a resource with the fault in a program of "
        "tests/end_to_end/seeded, its name seed('a-name', 'topic.policy'), and what is right beside it"
    )


def test_every_policy_is_about_a_cloud() -> None:
    assert [policy.id for policy in find() if not list(_forms(policy))] == [], "it has no seed then, either"


def test_every_seed_is_for_a_policy_that_there_is() -> None:
    known = {policy.id for policy in find()}
    unknown = [f"{where}: {policy}" for where, policy in _seeds() if policy not in known]
    assert unknown == [], "a seed for a policy of no such name"
